"""A request that names itself is done once."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import threading
import time
from contextlib import closing
from typing import Any

import msgspec
import pytest
from tests.service.town import CASE, REASON, Town, evidence, now
from tests.world import Person

from strongroom.api import writes

KEY = {"Idempotency-Key": '"6f0d3c52-95b1-4b39-9b0d-3e5a7c2148f6"'}
RECORD: dict[str, str | None] = {"id-number": "11010519491231002X", "name": "Zhuge Marked"}


def stored(town: Town) -> int:
    found = town.get("/v1/retention").json()["holdings"]
    return next(int(one["records"]) for one in found if one["name"] == "residents")


def test_the_same_request_is_done_once(town: Town) -> None:
    before = stored(town)
    said = writes.Records(ask=town.intake(2), records=[RECORD])
    first = town.post("/v1/records", said, KEY)
    assert (first.status, first.headers["Idempotency-Replayed"]) == (201, None), first.body
    again = town.post("/v1/records", said, KEY)
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (201, first.body, "true")
    assert stored(town) == before + 1
    # Another body under its name, or the same with another word in it.
    other = msgspec.structs.replace(said, records=[RECORD | {"name": "Zhuge Other"}])
    town.post("/v1/records", other, KEY).problem(422, "idempotency")
    # A window serves for several requests: with another name it is another request.
    assert stored(town) == before + 1


def test_what_is_kept_holds_no_personal_data(town: Town) -> None:
    name = {"Idempotency-Key": "n" * 30}
    assert town.post("/v1/records", writes.Records(ask=town.intake(2), records=[RECORD]), name).status == 201
    with closing(sqlite3.connect(town.root / "vault" / "answers.db")) as database:
        kept = str(database.execute("SELECT * FROM answers").fetchall())
    assert "Zhuge" not in kept
    assert str(RECORD["id-number"]) not in kept


def test_what_failed_may_be_tried_again(town: Town) -> None:
    name = {"Idempotency-Key": "failed-and-tried-again-0001"}
    ask = town.intake(2)
    bad = writes.Records(ask=ask, records=[{"name": "Zhuge"}])
    town.post("/v1/records", bad, name).problem(422, "rows")
    assert town.post("/v1/records", writes.Records(ask=ask, records=[RECORD]), name).status == 201


def test_two_at_once_are_one(town: Town, people: list[Person]) -> None:
    signed = town.asker("rui").erase("residents", "forget", [people[-1].handle], CASE, REASON, now())
    found: list[Any] = []
    name = {"Idempotency-Key": "two-at-once-are-one-000001"}
    said = evidence(signed)

    def post() -> None:
        found.append(town.post("/v1/erasures", said, name))

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.status for one in found] == [200] * 4, [one.body for one in found]
    assert len({one.body for one in found}) == 1
    # Without a name it is done, and refused, a second time.
    town.post("/v1/erasures", said).problem(422, "input")


def test_a_vault_that_was_killed_in_the_middle_does_not_guess(town: Town) -> None:
    name = {"Idempotency-Key": "killed-in-the-middle-00001"}
    said = writes.Records(ask=town.intake(2), records=[RECORD])
    before = _under_way(town)
    town.keyholder.process.send_signal(signal.SIGSTOP)
    try:
        # It waits for the keyholder, with the request noted as under way.
        posting = threading.Thread(target=_post_and_be_left, args=(town, said, name))
        posting.start()
        _until_under_way(town, before)
        town.vault.kill()
        posting.join(30)
    finally:
        town.keyholder.process.send_signal(signal.SIGCONT)
    town.vault.start()
    for _ in range(2):
        answer = town.post("/v1/records", said, name)
        answer.problem(409, "pending")
        assert answer.headers["Retry-After"] == "1"
    # The window is good for what was not used of it, under a name of its own.
    again = {"Idempotency-Key": "killed-in-the-middle-00002"}
    assert town.post("/v1/records", writes.Records(ask=town.intake(2), records=[RECORD]), again).status == 201


def test_an_erasure_that_was_cut_off_is_tried_again(town: Town, people: list[Person]) -> None:
    """Its ask is good once: what became of the first try is told by what becomes of the second."""
    name = {"Idempotency-Key": "cut-off-and-tried-again-01"}
    handle = people[0].handle
    said = evidence(town.asker("rui").erase("residents", "forget", [handle], CASE, REASON, now()))
    before = _under_way(town)
    town.keyholder.process.send_signal(signal.SIGSTOP)
    try:
        posting = threading.Thread(target=_post_and_be_left, args=(town, said, name, "/v1/erasures"))
        posting.start()
        _until_under_way(town, before)
        town.vault.kill()
        posting.join(30)
    finally:
        town.keyholder.process.send_signal(signal.SIGCONT)
    town.vault.start()
    answer = town.post("/v1/erasures", said, name)
    if answer.status != 200:
        # The keyholder had heard of it.
        assert (answer.status, answer.json()["code"]) in [(409, "used"), (410, "erased")], answer.body
    town.post("/v1/disclosures", town.disclose([handle])).problem(
        *((410, "erased") if answer.status != 200 else (422, "input"))
    )


def _post_and_be_left(town: Town, said: Any, name: dict[str, str], path: str = "/v1/records") -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        town.post(path, said, name)


def _under_way(town: Town) -> int:
    with closing(sqlite3.connect(town.root / "vault" / "answers.db")) as database:
        return int(database.execute("SELECT count(*) FROM answers WHERE status = 0").fetchone()[0])


def _until_under_way(town: Town, before: int) -> None:
    until = time.monotonic() + 20
    while _under_way(town) == before:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_is_no_name(town: Town) -> None:
    said = writes.Records(ask=town.intake(2), records=[RECORD])
    for name in ("", "short", "13800138000", "x" * 65, "a name with spaces in it, long enough", '"' + "x" * 30):
        town.post("/v1/records", said, {"Idempotency-Key": name}).problem(422, "idempotency")
