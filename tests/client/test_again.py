"""What is sent again, and what never: the identical ask, within its time, and no new one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.client.served import WHY, Between, Resident, Said, Served, rows

from strongroom.api.problem import MEDIA_TYPE, Problem
from strongroom.client import flow
from strongroom.client.flow import Answer, Broken, Call, Patience, Pause
from strongroom.client.memory import InMemory
from strongroom.errors import KeyholderUnavailable, Refused

_CALL = Call("POST", "/v1/finds", b"{}")


def driven(answers: list[Answer | Broken], *, until: float = 100.0, twice: bool = True) -> tuple[Any, list[float]]:
    """What came of it, and the pauses: each takes as long as it says."""
    now = 0.0
    patience = Patience(lambda: now, lambda: 0.5)
    steps, pauses = patience.send(_CALL, until, twice=twice), list[float]()
    step, left = next(steps), iter(answers)
    try:
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                now += step.seconds
                step = next(steps)
                continue
            assert step is _CALL
            came = next(left)
            step = steps.throw(came) if isinstance(came, Broken) else steps.send(came)
    except StopIteration as end:
        return end.value, pauses
    except KeyholderUnavailable as error:
        return error, pauses


_GONE, _NEVER = Broken("reset", sent=True), Broken("refused", sent=False)
_BUSY, _DONE = Answer(503, {}), Answer(200, {})


def test_what_broke_off_is_sent_again_more_slowly_each_time() -> None:
    came, pauses = driven([_GONE, _NEVER, _BUSY, _GONE, _DONE])
    assert came.status == 200
    assert came.again
    assert pauses == sorted(pauses)
    assert pauses[0] == flow.FIRST_PAUSE
    assert not driven([_DONE])[0].again


def test_it_ends() -> None:
    for kind, last in ((_GONE, KeyholderUnavailable), (_BUSY, Answer)):
        came, pauses = driven([kind] * flow.ATTEMPTS)
        assert isinstance(came, last)
        assert len(pauses) == flow.ATTEMPTS - 1
    # Past its time an ask is no good any more.
    assert driven([_GONE], until=0.05)[1] == []


def test_the_vault_says_when() -> None:
    came, pauses = driven([Answer(503, {"retry-after": "7"}), _DONE])
    assert (came.status, pauses) == (200, [7.0])
    assert driven([Answer(409, {"retry-after": "1"}), _DONE])[1] == [1.0]
    for far in ("60", "Wed, 21 Oct 2026 07:28:00 GMT"):
        came, pauses = driven([Answer(503, {"retry-after": far}), _DONE])
        assert len(pauses) == (far != "60")


def test_what_was_said_is_not_asked_again() -> None:
    for status in (200, 201, 400, 403, 404, 409, 422, 429, 500, 502):
        assert driven([Answer(status, {})])[0].status == status
    assert driven([Answer(429, {"retry-after": "1"})])[1] == []


def test_what_is_not_safe_twice_goes_once_unless_it_cannot_have_arrived() -> None:
    assert isinstance(driven([_GONE, _DONE], twice=False)[0], KeyholderUnavailable)
    assert driven([_BUSY, _DONE], twice=False)[0].status == 503
    assert driven([_NEVER, _DONE], twice=False)[0].status == 200


def test_what_will_be_no_better_is_not_tried_again() -> None:
    came, pauses = driven([Broken("CERTIFICATE_VERIFY_FAILED", sent=False, lasting=True)])
    assert isinstance(came, KeyholderUnavailable)
    assert pauses == []


# --- with a real vault ------------------------------------------------------------------------------------------------
def losing(path: str, times: int) -> Callable[[Said], Said | None]:
    """Drops the first answers of that path: the vault has done it, and nobody is told."""
    count = itertools.count()
    return lambda said: None if said.path == path and next(count) < times else said


def asks(between: Between, path: str) -> list[bytes]:
    return [said.sent for said in between.seen if said.path == path]


def test_a_lost_answer_is_had_by_the_same_ask(served: Served, between: Between, residents: list[Resident]) -> None:
    between.lie = losing("/v1/finds", 1)
    with served.room("ana", InMemory(), between.address) as room:
        found = room.find("residents", "confirm", "phone", residents[8].values["phone"] or "", **WHY)
    assert residents[8].handle in found.records
    sent = asks(between, "/v1/finds")
    assert len(sent) == 2
    assert len(set(sent)) == 1
    answered = [json.loads(said.body) for said in between.seen if said.path == "/v1/finds"]
    assert answered[0]["entry"] == answered[1]["entry"] == found.entry


def test_where_the_answer_is_gone_no_new_ask_is_signed(
    served: Served, between: Between, residents: list[Resident]
) -> None:
    """A vault that was restarted meanwhile has no answer any more, and the keyholder gives none twice."""
    count = itertools.count()

    def lie(said: Said) -> Said | None:
        if said.path == "/v1/finds":
            if next(count) == 0:
                return None
            said.status, said.headers = 409, {"content-type": MEDIA_TYPE}
            said.body = msgspec.json.encode(Problem(type="urn", title="t", status=409, code="used", detail="used"))
        return said

    between.lie = lie
    room = served.room("ana", InMemory(), between.address)
    with room, pytest.raises(Refused, match="answer was lost") as caught:
        room.find("residents", "confirm", "phone", residents[8].values["phone"] or "", **WHY)
    assert caught.value.code == "used"
    assert len(set(asks(between, "/v1/finds"))) == 1


def test_a_lost_write_is_done_once_and_answered(served: Served, between: Between) -> None:
    between.lie = losing("/v1/records", 2)
    with served.room("rui", InMemory(), between.address) as room:
        taken = room.take_in("residents", "register", rows(2, 77), **WHY)
        assert len(taken.records) == 2
    sent = asks(between, "/v1/records")
    assert len(sent) == 3
    assert len(set(sent)) == 1
    answered = [json.loads(said.body)["records"] for said in between.seen if said.path == "/v1/records"]
    assert answered[0] == answered[1] == answered[2] == [str(one) for one in taken.records]


def test_a_vault_that_is_away_for_a_moment(served: Served, between: Between, residents: list[Resident]) -> None:
    count = itertools.count()

    def busy(said: Said) -> Said:
        # Before it reaches the vault's gate: nothing was done.
        if said.path.startswith("/v1/charters") and next(count) < 2:
            said.status, said.body, said.headers = 503, b"", {"retry-after": "0"}
        return said

    between.lie = busy
    with served.room("ana", InMemory(), between.address) as room:
        assert room.find("residents", "confirm", "phone", residents[8].values["phone"] or "", **WHY).records


def test_a_vault_that_is_not_there(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "FIRST_PAUSE", 0.001)
    gone = Between(served.address)
    gone.close()
    for room in (served.room("ana", InMemory(), gone.address), served.room("ana", InMemory(), "http://127.0.0.1:1")):
        with room, pytest.raises(KeyholderUnavailable, match="did not answer"):
            room.charter()


def test_a_kept_connection_that_was_closed_is_opened_anew(
    served: Served, between: Between, residents: list[Resident]
) -> None:
    closing = itertools.count(1)

    def hang_up(said: Said) -> Said | None:
        return None if next(closing) % 2 == 0 and said.method == "GET" else said

    between.lie = hang_up
    with served.room("ana", InMemory(), between.address) as room:
        assert room.find("residents", "confirm", "phone", residents[8].values["phone"] or "", **WHY).records
