"""A request that names itself is done once."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import Any

import msgspec
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


def test_a_vault_that_stopped_in_the_middle_does_not_guess(town: Town) -> None:
    name = {"Idempotency-Key": "stopped-in-the-middle-0001"}
    said = writes.Records(ask=town.intake(2), records=[RECORD])
    assert town.post("/v1/records", said, name).status == 201
    with closing(sqlite3.connect(town.root / "vault" / "answers.db")) as database, database:
        # As it lies after a crash between the beginning and the end.
        database.execute("UPDATE answers SET status = 0, body = x'' WHERE time = (SELECT max(time) FROM answers)")
    answer = town.post("/v1/records", said, name)
    answer.problem(409, "pending")
    assert answer.headers["Retry-After"] == "1"


def test_what_is_no_name(town: Town) -> None:
    said = writes.Records(ask=town.intake(2), records=[RECORD])
    for name in ("", "short", "13800138000", "x" * 65, "a name with spaces in it, long enough", '"' + "x" * 30):
        town.post("/v1/records", said, {"Idempotency-Key": name}).problem(422, "idempotency")
