"""Change feeds: what each row says holds, in order, wherever the import was stopped; and nothing tells who was here."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import World

from strongroom.custody.intake import feed, rows
from strongroom.custody.intake.feed import Feed, Step
from strongroom.custody.intake.importer import Report, Source, check_file, import_file
from strongroom.custody.intake.window import Errand
from strongroom.errors import InputError, KeyholderUnavailable, Refused
from strongroom.ledger import entry
from strongroom.store.vault import VaultStore
from strongroom.synth import people

PEOPLE = [
    {name: one[name] for name in ("id-number", "name", "born", "sex", "phone", "email")} for one in people.people(5, 3)
]
Row = tuple[str, int, str]
"""(operation, whose, name)."""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(changes: Sequence[Row], name: str = "feed.jsonl") -> Path:
    lines = [
        {"__op": op, "id-number": PEOPLE[who]["id-number"]}
        if op == "d"
        else {"__op": op, **PEOPLE[who], "name": called}
        for op, who, called in changes
    ]
    Path(name).write_text("".join(json.dumps(one) + "\n" for one in lines))
    return Path(name)


def take(town: World, changes: Sequence[Row], purpose: str = "forget", **more: Any) -> Report:
    rui = town.asker("rui")
    erase = Errand(rui, purpose, "feed-1", "following what the register says is gone")
    errand = Errand(rui, "announce", "feed-1", "following what the register says has changed")
    options: dict[str, Any] = {"upsert": "id-number", "feed": Feed("__op", erase), "workers": 1} | more
    return import_file(town.room, Source(written(changes)), "residents", errand, **options)


def names(town: World) -> dict[int, str]:
    """Whoever is found, by what the record says."""
    found = {}
    for at, one in enumerate(PEOPLE):
        for handle in town.find("resident-id", one["id-number"]).handles:
            assert at not in found, "found twice"
            found[at] = town.disclose([handle]).values[0]["name"] or ""
    return found


def erased(town: World) -> list[int]:
    """The records of each erasure in the ledger."""
    written = (entry.parse(town.room.mirror.entry(at)) for at in range(town.room.mirror.size))
    return [one.count for one in written if isinstance(one, entry.ErasureEntry)]


def test_a_feed_is_followed_in_order(town: World) -> None:
    report = take(town, [("c", 0, "A"), ("c", 1, "B"), ("c", 2, "C"), ("u", 0, "AA"), ("d", 1, ""), ("d", 4, "")])
    assert (report.rows, report.stored, report.bad) == (6, 6, 0)
    assert names(town) == {0: "AA", 2: "C"}
    # Gone, come back as another record, gone again; and one who was never there.
    take(town, [("c", 1, "B2"), ("d", 0, ""), ("c", 0, "A3"), ("d", 0, ""), ("d", 3, ""), ("u", 2, "C2")])
    assert names(town) == {1: "B2", 2: "C2"}
    take(town, [("d", 1, ""), ("c", 1, "B3"), ("d", 1, ""), ("c", 1, "B4"), ("d", 2, "")])
    assert names(town) == {1: "B4"}
    assert erased(town) == [1] * 6
    assert town.room.store.problems() == []


def test_nobody_who_was_erased_is_opened_or_brought_back(town: World) -> None:
    take(town, [("c", 0, "A")])
    (handle,) = town.find("resident-id", PEOPLE[0]["id-number"]).handles
    take(town, [("d", 0, ""), ("c", 0, "B")])
    (other,) = town.find("resident-id", PEOPLE[0]["id-number"]).handles
    assert other != handle
    assert town.room.store.latest(town.room.holding("residents"), [handle]) == []


def test_nothing_says_who_was_there(town: World) -> None:
    """What the importer gets back is the same for somebody who was there and for somebody who was not."""
    take(town, [("c", 0, "A")])
    one, other = take(town, [("d", 0, ""), ("c", 2, "C")]), take(town, [("d", 1, ""), ("c", 3, "D")])
    assert (one.rows, one.stored, one.bad, len(one.entries)) == (
        other.rows,
        other.stored,
        other.bad,
        len(other.entries),
    )
    counts = [[entry.parse(town.room.mirror.entry(at)).count for at in each.entries] for each in (one, other)]  # type: ignore[union-attr]
    assert counts == [[1, 1, 1, 1], [1, 1, 1, 1]]


CHANGES: list[Row] = [
    ("c", 0, "A"), ("c", 1, "B"), ("d", 0, ""), ("c", 0, "A2"), ("d", 1, ""), ("u", 2, "C"), ("d", 0, ""), ("c", 0, "A3"),
]  # fmt: skip


@pytest.mark.parametrize("stop", [1, 11, *range(2, 52, 2)])  # after each; of those before each two are enough
def test_stopped_anywhere_it_goes_on_and_takes_nothing_twice(
    town: World, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """Before and after each call to the keyholder and each write to the store."""
    monkeypatch.setattr(rows, "MAX_ROWS", 6)
    left = stop

    def counted(real: Any) -> Any:
        def step(*arguments: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyholderUnavailable("stopped before")
            found = real(*arguments, **more)
            left -= 1
            if left == 0:
                raise KeyholderUnavailable("stopped after")
            return found

        return step

    real = town.room.client._transport
    with monkeypatch.context() as patch:
        town.room.client._transport = counted(real)
        patch.setattr(VaultStore, "put_chunk", counted(VaultStore.put_chunk))
        patch.setattr(VaultStore, "withdraw", counted(VaultStore.withdraw))
        try:
            take(town, CHANGES)
        except KeyholderUnavailable:
            pass
        else:
            assert left > 0, "it was stopped and said nothing"
    town.room.client._transport = real
    report = take(town, CHANGES)
    assert report.stored == 8
    assert names(town) == {0: "A3", 2: "C"}
    number = town.room.holding("residents")
    assert [one.version for one in town.room.store.records(number)] == [1] * 5, "each row was stored once"
    assert erased(town) == [1, 2] or sum(erased(town)) == 3
    assert town.room.store.problems() == []


def test_csv_says_its_operations_in_a_column(town: World) -> None:
    with Path("feed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id-number", "name", "op"])
        writer.writerows([[PEOPLE[0]["id-number"], "A", "Insert"], [PEOPLE[1]["id-number"], "B", "t"]])
        writer.writerow([PEOPLE[0]["id-number"], "", "delete"])
    rui = town.asker("rui")
    errand = Errand(rui, "announce", "feed-1", "following what the register says has changed")
    changes = Feed("op", Errand(rui, "forget", "feed-1", "following what the register says is gone"))
    report = import_file(
        town.room, Source(Path("feed.csv")), "residents", errand, upsert="id-number", feed=changes, workers=1
    )
    assert (report.stored, report.bad) == (2, 1)
    assert names(town) == {}
    assert erased(town) == [1]


def test_what_is_no_feed_is_refused_before_anything_is_taken_in(town: World) -> None:
    for purpose, options, says in (
        ("forget", {"upsert": ""}, "--upsert"),
        ("register", {}, "may be erased"),
        ("none", {}, "may be erased"),
    ):
        with pytest.raises(InputError, match=says):
            take(town, CHANGES, purpose, **options)
    column = Feed("operation", Errand(town.asker("rui"), "forget", "feed-1", "following what the register says"))
    with pytest.raises(InputError, match="is not here"):
        take(town, CHANGES, feed=column)
    assert not town.room.store.holdings() or town.room.store.holdings()[0].versions == 0


def test_an_erasure_that_is_refused_stops_the_import_before_what_follows_it(town: World) -> None:
    take(town, [("c", 0, "A")])
    rui, ana = town.asker("rui"), town.asker("ana")
    errand = Errand(rui, "announce", "feed-1", "following what the register says has changed")
    changes = Feed("__op", Errand(ana, "forget", "feed-1", "following what the register says is gone"))
    source = Source(written([("d", 0, ""), ("c", 0, "B")]))
    with pytest.raises(Refused) as refused:
        import_file(town.room, source, "residents", errand, upsert="id-number", feed=changes, workers=1)
    assert refused.value.code == "role"
    assert names(town) == {0: "A"}


def test_a_check_goes_through_a_feed(town: World) -> None:
    report = check_file(town.room, Source(written(CHANGES)), "residents", upsert="id-number", op="__op")
    assert (report.rows, report.stored, report.bad) == (8, 8, 0)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.booleans())))
def test_steps_do_what_the_rows_say(changes: list[tuple[bytes, bool]]) -> None:
    """Each row in exactly one place; carried out step by step, records first, it ends as it does row by row."""
    found = feed.steps([key for key, _ in changes], [delete for _, delete in changes])
    places = sorted(at for step in found for at in (*step.stored, *step.gone))
    assert places == list(range(len(changes)))
    by_row: dict[bytes, int] = {}
    for at, (key, delete) in enumerate(changes):
        if delete:
            by_row.pop(key, None)
        else:
            by_row[key] = at
    by_step: dict[bytes, int] = {}
    for step in found:
        by_step |= {changes[at][0]: at for at in step.stored}
        for at in step.gone:
            by_step.pop(changes[at][0], None)
    assert by_step == by_row
    numbers = [feed.mark(chunk, phase) for chunk in range(2) for phase in range(2 * rows.MAX_ROWS + 2)]
    assert len(set(numbers)) == len(numbers)


def test_a_feed_without_deletions_is_one_step() -> None:
    assert feed.steps([b"a", b"a", b"b"], [False] * 3) == [Step([0, 1, 2], [])]
