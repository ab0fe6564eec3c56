"""An ask is used once; the identical request is answered again for 120 s, if nothing has since forbidden it (SPEC.md 8.4)."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from tests.houses import Houses, change
from tests.keyholder.asked import erase

from strongroom.canonical import encode
from strongroom.catalog.model import Charter
from strongroom.custody import ceremony
from strongroom.custody.steps import of_ask
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.keyholder.work import Work
from strongroom.ledger import proof, tree
from strongroom.seal import hpke


def test_the_identical_request_is_answered_again_with_the_same_entry_and_for_nothing(houses: Houses) -> None:
    request = houses.good(2)
    first, before = houses.open(request, houses.send(request)), houses.held()
    houses.town.hands.wait(protocol.IDENTICAL_SECONDS - 1)
    again, after = houses.open(request, houses.send(request)), houses.held()
    assert again.shares == first.shares
    assert proof.parse(again.receipt).index == proof.parse(first.receipt).index
    assert before == after
    houses.town.hands.wait(2)
    with houses.refused("used", written=False):
        houses.send(request)


def test_a_used_ask_gives_nothing_to_another_key(houses: Houses) -> None:
    request = houses.good()
    houses.send(request)
    seed = hpke.private_from(os.urandom(96))
    for other in (
        change(request, fresh=seed.public),
        change(request, have=0, root=tree.EMPTY_ROOT),
        change(request, cosignature=""),
    ):
        if other != request:
            with houses.refused("used", written=False):
                houses.send(other)


def test_used_is_used_after_a_restart_and_after_being_forgotten(houses: Houses) -> None:
    request = houses.good()
    houses.send(request)
    houses.town.restart_keyholder()
    houses.town.hands.wait(130)
    with houses.refused("used", written=False):
        houses.send(request)
    houses.town.hands.wait(7200)
    houses.town.keyholder.tick()
    assert houses.held().asks == []
    with houses.refused("stale", written=False):
        houses.send(request)


def _enter_another_charter(houses: Houses) -> None:
    def change_heartbeat(charter: Charter) -> Charter:
        return change(charter, heartbeat=charter.heartbeat + 1)  # type: ignore[no-any-return]

    room, steward = houses.town.room, ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    ceremony.amend(room, steward, change_heartbeat, ceremony.latest_roster(room))


FORBIDDEN: dict[str, Callable[[Houses], object]] = {
    "frozen": lambda h: h.operate("freeze", "holding:residents"),
    "erased": lambda h: h.send(erase(h, h.handles[:1])),
    "charter": _enter_another_charter,
}


@pytest.mark.parametrize("code", FORBIDDEN)
def test_what_was_forbidden_meanwhile_is_not_answered_again(houses: Houses, code: str) -> None:
    request = houses.good()
    houses.send(request)
    FORBIDDEN[code](houses)
    # No entry: the ask's own stands already, and else the vault could fill the book with one ask.
    with houses.refused(code, written=False):
        houses.send(request)


def test_a_thawed_room_answers_the_identical_request_again(houses: Houses) -> None:
    request = houses.good()
    first = houses.open(request, houses.send(request)).shares
    houses.operate("freeze", "room")
    houses.operate("thaw", "room")
    assert houses.open(request, houses.send(request)).shares == first


def test_one_ask_twice_in_one_commit(houses: Houses) -> None:
    """Both are decided before either is durable."""
    request = houses.good()
    other = change(request, fresh=hpke.private_from(os.urandom(96)).public)
    works = []
    for one in (request, request, other):
        content = encode(one)
        works.append(
            Work(
                "/v1/disclose",
                protocol.sign_request(
                    houses.town.keyholder.room, "/v1/disclose", content, houses.town.room.keys.message
                ),
                content,
            )
        )
    first, again, double = houses.town.keyholder.commit(works)
    assert not isinstance(first, StrongroomError)
    assert not isinstance(again, StrongroomError)
    assert houses.open(request, first) == houses.open(request, again)
    assert isinstance(double, StrongroomError)
    assert double.code == "used"


def test_a_refusal_by_the_vault_uses_the_ask_up_and_is_confirmed_again(houses: Houses) -> None:
    signed = houses.ask()
    refusal = protocol.Refusal(**houses.town.room.common(), **of_ask(signed), code="rule")
    first = houses.send(refusal)
    assert isinstance(first, protocol.Written)
    count = houses.town.keyholder.book.size
    assert houses.send(refusal) == first
    assert houses.town.keyholder.book.size == count
    for other in (houses.disclose(signed), change(refusal, code="case")):
        with houses.refused("used", written=False):
            houses.send(other)


# --- intake windows --------------------------------------------------------------------------------------------------
def _inners(count: int) -> list[bytes]:
    return [os.urandom(32) for _ in range(count)]


def test_a_window_gives_its_count_and_then_closes(houses: Houses) -> None:
    signed = houses.window(10)
    for count in (4, 6):
        request = houses.intake(signed, _inners(count))
        (column,) = houses.open(request, houses.send(request), protocol.tokens).tokens
        assert len(column) == 16 * count
    with houses.refused("budget", written=True):
        houses.send(houses.intake(signed, _inners(1)))
    with houses.refused("used", written=False):
        houses.send(houses.intake(signed, _inners(1)))


def test_too_large_a_call_closes_the_window(houses: Houses) -> None:
    signed = houses.window(10)
    houses.send(houses.intake(signed, _inners(4)))
    with houses.refused("budget", written=True):
        houses.send(houses.intake(signed, _inners(7)))
    with houses.refused("used", written=False):
        houses.send(houses.intake(signed, _inners(1)))


def test_a_call_sent_again_is_not_paid_for_twice(houses: Houses) -> None:
    """The client does so when a connection breaks; paid for twice, the last call of an import would close its window."""
    signed = houses.window(10)
    for count in (4, 6):
        request = houses.intake(signed, _inners(count))
        first, before = houses.open(request, houses.send(request), protocol.tokens), houses.held()
        houses.town.hands.wait(119)
        again, after = houses.open(request, houses.send(request), protocol.tokens), houses.held()
        assert (again.tokens, before) == (first.tokens, after)


def test_a_window_stays_open_until_its_time(houses: Houses) -> None:
    signed = houses.window(10, 600)
    houses.send(houses.intake(signed, _inners(1)))
    houses.town.hands.wait(600)
    houses.send(houses.intake(signed, _inners(1)))
    houses.town.hands.wait(1)
    with houses.refused("stale", written=False):
        houses.send(houses.intake(signed, _inners(1)))


def test_a_short_window_is_not_forgotten_while_its_ask_is_fresh(houses: Houses) -> None:
    """Forgotten at ``until``, the ask would have passed as a new one for two minutes, with its whole count, again and again."""
    signed = houses.window(10, 1)
    houses.send(houses.intake(signed, _inners(10)))
    houses.town.hands.wait(10)
    houses.town.keyholder.tick()
    with houses.refused("stale", written=False):
        houses.send(houses.intake(signed, _inners(10)))


def test_a_window_must_be_opened_before_its_end(houses: Houses) -> None:
    signed = houses.window(10, 1)
    houses.town.hands.wait(10)
    with houses.refused("stale", written=False):
        houses.send(houses.intake(signed, _inners(1)))


def test_a_window_must_be_opened_while_its_ask_is_fresh(houses: Houses) -> None:
    signed = houses.window(10)
    houses.town.hands.wait(121)
    with houses.refused("stale", written=False):
        houses.send(houses.intake(signed, _inners(1)))


def test_a_window_that_the_vault_refused_never_opens(houses: Houses) -> None:
    signed = houses.window(10)
    houses.send(protocol.Refusal(**houses.town.room.common(), **of_ask(signed), code="rule"))
    with houses.refused("used", written=False):
        houses.send(houses.intake(signed, _inners(1)))


def test_a_frozen_call_closes_the_window_for_good(houses: Houses) -> None:
    signed = houses.window(10)
    houses.send(houses.intake(signed, _inners(1)))
    houses.operate("freeze", "room")
    with houses.refused("frozen", written=True):
        houses.send(houses.intake(signed, _inners(1)))
    houses.operate("thaw", "room")
    with houses.refused("used", written=False):
        houses.send(houses.intake(signed, _inners(1)))


@pytest.mark.parametrize(
    ("code", "written", "change_"),
    [
        ("malformed", False, {"inners": [bytes(31)]}),
        ("malformed", False, {"inners": [b""]}),
        ("malformed", False, {"inners": [bytes(32), bytes(32)]}),
        ("malformed", False, {"inners": [bytes(32 * (protocol.MAX_INNERS + 1))]}),
        ("malformed", False, {"fields": ["phone", "phone"], "inners": [bytes(32), bytes(32)]}),
        ("malformed", False, {"fields": [], "inners": []}),
        ("field", True, {"fields": ["email"]}),
        ("field", True, {"fields": ["phone", "x" * 1000], "inners": [bytes(32), bytes(32)]}),
    ],
)
def test_columns_of_an_intake(houses: Houses, code: str, written: bool, change_: dict[str, list[bytes]]) -> None:
    request = change(houses.intake(houses.window(10), _inners(1)), **change_)
    with houses.refused(code, written=written):
        houses.send(request)
