"""Migrations over the real keyholder: each record once, whatever stops them; under the budgets; and what does not fit is left and listed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import world
from tests.custody.life import amend, entries, mandate, tags_of
from tests.world import Person, World

from strongroom.catalog import migration
from strongroom.custody import asking, correct, erase, migrate
from strongroom.custody.intake.window import Errand
from strongroom.custody.migrate import Migrated, Work
from strongroom.errors import InputError, Refused
from strongroom.ledger import entry
from strongroom.seal import person

MAP = """
family: {field: name, split: " ", part: 1}
given: {field: name, split: " ", from: 2}
home: phone
clear: [name]
"""
MORE = (
    ("      contact: {number: 2}\n", "      contact: {number: 2}\n      names: {number: 3}\n"),
    (
        "      born: {type: date, compartment: identity}\n",
        (
            "      born: {type: date, compartment: identity}\n"
            "      family: {type: person-name, compartment: names}\n"
            "      given: {type: person-name, compartment: names}\n"
            "      home: {type: phone, region: CN, compartment: names}\n"
            "      year: {type: number, compartment: names}\n"
        ),
    ),
    (
        "email: clear, id-number: clear}}\n    budgets: {reader: [100/day]}",
        "email: clear, id-number: clear, family: clear, given: clear, home: clear, year: clear}}\n    budgets: {reader: [100/day]}",
    ),
    (
        "reads: {residents: {name: clear, phone: clear}}\n    history",
        "reads: {residents: {name: clear, phone: clear, family: clear, given: clear, home: clear, year: clear}}\n    history",
    ),
)


@pytest.fixture
def grown(town: World) -> World:
    """A town whose charter has new fields."""
    amend(town, *MORE)
    return town


def work(town: World, path: Path, text: str = MAP, **options: Any) -> Work:
    town.room.sync()
    declared = town.room.rules().charter.holdings["residents"]
    found = migration.load(text, "map.yaml", declared)
    return Work(town.room, mandate(town, "amend"), found, path / "bad.csv", intake="register", **options)


def people_of(town: World, count: int, seed: int = 1) -> list[Person]:
    made = town.take_in(count, seed)
    for at, one in enumerate(made):
        correct.correct(town.room, mandate(town, "amend"), [one.handle], {"name": f"Ann{at} Mae Lee"}, "register")
        one.values["name"] = f"Ann{at} Mae Lee"
    return made


def read(town: World, handle: bytes, *names: str) -> dict[str, str | None]:
    (found,) = asking.disclose(town.room, mandate(town, "review"), [handle], names)
    return found.values[0]


def versions(town: World, people: list[Person]) -> list[int]:
    return list(
        town.room.store.latest_versions(town.room.holding("residents"), [one.handle for one in people]).values()
    )


@pytest.mark.parametrize("before", [True, False])
def test_renamed_split_and_moved(town: World, tmp_path: Path, before: bool) -> None:
    """Records from before the new compartment was declared, and from after."""
    grown = town
    people = people_of(grown, 3) if before else []
    amend(grown, *MORE)
    people = people or people_of(grown, 3)
    done = migrate.migrate(work(grown, tmp_path))
    assert (done.migrated, done.same, done.bad, done.left, done.resume_at) == (3, 0, 0, 0, 0)
    for at, one in enumerate(people):
        assert read(grown, one.handle, "family", "given", "home", "name") == {
            "family": f"Ann{at}",
            "given": "Mae Lee",
            "home": one.values["phone"],
            "name": None,
        }
    assert versions(grown, people) == [3, 3, 3]
    assert not (tmp_path / "bad.csv").exists()
    written = [one for one in entries(grown) if isinstance(one, entry.CorrectionEntry)]
    assert (written[-1].count, len(written[-1].tags)) == (3, 3)


def test_again_it_opens_nothing(grown: World, tmp_path: Path) -> None:
    people = people_of(grown, 2)
    migrate.migrate(work(grown, tmp_path))
    before = entries(grown)
    done = migrate.migrate(work(grown, tmp_path))
    assert (done.already, done.migrated) == (True, 2)
    assert entries(grown) == before
    assert migrate.look(work(grown, tmp_path)).already
    # Asked for: all are opened once more, and nothing of them differs.
    done = migrate.migrate(work(grown, tmp_path, again=True))
    assert (done.already, done.migrated, done.same) == (False, 0, 2)
    assert versions(grown, people) == [3, 3]
    assert migrate.migrate(work(grown, tmp_path)).already


def test_old_versions_say_what_they_said(grown: World, tmp_path: Path) -> None:
    (one,) = people_of(grown, 1)
    migrate.migrate(work(grown, tmp_path))
    (found,) = asking.disclose(grown.room, mandate(grown, "review"), [one.handle], ["name"], 2)
    assert found.values[0] == {"name": one.values["name"]}


def test_a_dry_run_opens_nothing(grown: World, tmp_path: Path) -> None:
    people_of(grown, 3)
    before = entries(grown)
    look = migrate.look(work(grown, tmp_path))
    assert (look.left, look.migrated, look.already, look.seconds) == (3, 0, False, 0)
    assert entries(grown) == before
    assert grown.room.store.jobs.all() == []


def test_what_does_not_fit_is_left_and_listed(grown: World, tmp_path: Path) -> None:
    people = people_of(grown, 3)
    asked = mandate(grown, "amend")
    correct.correct(grown.room, asked, [people[0].handle], {"name": "1990"}, "register")
    done = migrate.migrate(work(grown, tmp_path, "year: name\nclear: [name]"))
    assert (done.migrated, done.bad) == (1, 2)
    assert done.bad_file == tmp_path / "bad.csv"
    lines = (tmp_path / "bad.csv").read_text().splitlines()
    assert sorted(line.split(",")[:2] for line in lines) == sorted([one.handle.hex(), "year"] for one in people[1:])
    assert "Ann" not in "".join(lines)
    assert read(grown, people[0].handle, "year", "name") == {"year": "1990", "name": None}
    assert read(grown, people[1].handle, "year", "name") == {"year": None, "name": "Ann1 Mae Lee"}


def test_what_nobody_may_open_is_left(grown: World, tmp_path: Path) -> None:
    """A row that was tampered with is named. One that was erased at the keyholder and not yet here, as after the vault was
    restored, is withdrawn when the first record is sealed anew, or named where it comes before that: handles have no order."""
    people = people_of(grown, 6)
    store, number = grown.room.store, grown.room.holding("residents")
    with pytest.MonkeyPatch.context() as restored:
        restored.setattr(store, "withdraw", lambda *_: None)
        asked = mandate(grown, "forget")
        ask = asked.asker.erase("residents", "forget", [people[0].handle], asked.case, asked.reason, grown.room.now())
        erase.erase(grown.room, ask)
    (row,) = store.latest(number, [people[1].handle])
    body = bytearray(row.body)
    body[-1] ^= 1
    store._db.run(
        "UPDATE records SET body = ?1 WHERE handle = ?2 AND version = ?3", (bytes(body), row.handle, row.version)
    )
    done = migrate.migrate(work(grown, tmp_path))
    text = (tmp_path / "bad.csv").read_text()
    assert people[1].handle.hex() in text
    named = people[0].handle.hex() in text
    assert (done.migrated, done.bad) == (4, 2 if named else 1)
    assert store.latest(number, [people[0].handle]) == []
    assert [read(grown, one.handle, "given")["given"] for one in people[2:]] == ["Mae Lee"] * 4


def test_budgets_are_kept_and_it_says_when_to_go_on(grown: World, tmp_path: Path) -> None:
    """100 a day, of which the test's own corrections took some."""
    people = [*grown.take_in(90), *people_of(grown, 20, seed=2)]
    names = {one.handle for one in people}
    look = migrate.look(work(grown, tmp_path))
    assert (look.left, look.seconds) == (110, 8640)
    spent = sum(isinstance(one, entry.RefusalEntry) for one in entries(grown))
    done = migrate.migrate(work(grown, tmp_path))
    assert done.resume_at > grown.room.now()
    assert done.left == 110
    # One refusal: nobody knew what was spent before.
    assert sum(isinstance(one, entry.RefusalEntry) for one in entries(grown)) == spent + 1
    runs = 0
    while done.resume_at:
        grown.hands.wait(done.resume_at - grown.room.now())
        done = migrate.migrate(work(grown, tmp_path))
        runs += 1
        assert runs < 5
    assert (done.migrated + done.same, done.left) == (110, 0)
    assert sum(isinstance(one, entry.RefusalEntry) for one in entries(grown)) == spent + 1
    opened = [one for one in entries(grown) if isinstance(one, entry.CorrectionEntry)]
    assert sum(one.count for one in opened) == 20 + len(names)


def test_it_waits_where_it_is_told_to(grown: World, tmp_path: Path) -> None:
    people_of(grown, 20)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        grown.hands.wait(seconds)

    many = grown.take_in(95, seed=2)
    done = migrate.migrate(work(grown, tmp_path), wait=sleep)
    assert (done.migrated + done.same, done.left, done.resume_at) == (115, 0, 0)
    assert waited
    assert sum(waited) < 3 * 86400
    assert many


def test_a_budget_that_never_allows_it(town: World, tmp_path: Path) -> None:
    amend(town, *MORE, ("  room: [300/hour]", "  room: [300/hour]\n  holdings: {residents: [1/day]}"))
    town.take_in(2)
    found = migrate.migrate(work(town, tmp_path))
    assert found.left == 1  # one a day
    amend_ = work(town, tmp_path)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("strongroom.custody.pace.Pace.most", property(lambda _: 0))
        with pytest.raises(InputError, match="never allows"):
            migrate.migrate(amend_)


def test_what_has_expired_is_passed_over(grown: World, tmp_path: Path) -> None:
    grown.take_in(2)
    store = grown.room.store
    real = store.latest

    def old(number: int, handles: Any) -> Any:
        return [row._replace(expires=1) for row in real(number, handles)]

    with pytest.MonkeyPatch.context() as aged:
        aged.setattr(store, "latest", old)
        done = migrate.migrate(work(grown, tmp_path))
    assert (done.migrated, done.expired, done.entries) == (0, 2, ())


def test_whoever_may_not_correct_is_refused(grown: World, tmp_path: Path) -> None:
    grown.take_in(1)
    one = work(grown, tmp_path)
    wrong = Work(grown.room, mandate(grown, "confirm"), one.map, one.bad)
    with pytest.raises(Refused, match="purpose"):
        migrate.migrate(wrong)


# --- stopped anywhere --------------------------------------------------------------------------------------------------------
class Killed(BaseException):
    """Nothing catches it, as nothing catches kill -9."""


def _steps(town: World, at: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == at:
            raise Killed

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            step()
            found = function(*args, **kwargs)
            step()
            return found

        return called

    monkeypatch.setattr(town.room.client, "_transport", around(town.room.client._transport))
    for name in ("put_chunk", "settle"):
        monkeypatch.setattr(town.room.store, name, around(getattr(town.room.store, name)))
    for name in ("start", "move", "finish"):
        monkeypatch.setattr(town.room.store.jobs, name, around(getattr(town.room.store.jobs, name)))
    monkeypatch.setattr(os, "fsync", around(os.fsync))
    return lambda: count


def test_killed_at_any_step_each_record_is_migrated_once(founded: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    town = world.copy(founded, template)
    amend(town, *MORE)
    people = people_of(town, 5)
    correct.correct(town.room, mandate(town, "amend"), [people[0].handle], {"name": "1990"}, "register")
    hands = town.hands
    town.close()
    at, done = 0, False
    while not done:
        at += 1
        town = world.World(_copied(template, tmp_path / f"room{at}"), hands)
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(asking, "AT_ONCE", 2)
            one = work(town, town.root, "year: name\nclear: [name]")
            reached = _steps(town, at, broken)
            try:
                migrate.migrate(one)
                done = True
                assert reached() < at
            except Killed:
                pass
        town.room.close()
        town.room = town.open_room()
        found: Migrated = migrate.migrate(work(town, town.root, "year: name\nclear: [name]"))
        assert (found.migrated, found.bad, found.left) == (1, 4, 0)
        assert versions(town, people) == [4, 2, 2, 2, 2]
        assert len((town.root / "bad.csv").read_text().splitlines()) == 4
        number = town.room.holding("residents")
        assert town.room.store.problems() == []
        assert len(list(town.room.store.records(number))) == 5 + 5 + 1 + 1
        # Whoever was opened was told, twice where it was opened twice.
        keys = town.room.keys.holding("residents")
        for each in people:
            who = person.inners(keys, "resident-id", [each.values["id-number"] or ""])[0][:16]
            written = {tag for item in entries(town) for tag in entry.entry_tags(item)}
            assert set(tags_of(town, "residents", who)) <= written
        town.close()
    assert at > 20


def _copied(template: Path, to: Path) -> Path:
    world.copy(template, to).close()
    return to


# --- a map copies nothing that the purpose does not read ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["family: id-number", "family: {field: id-number, split: x, part: 1}", "family: [name, id-number]"]
)
def test_what_the_purpose_does_not_read_clear_fills_nothing(town: World, tmp_path: Path, text: str) -> None:
    amend(town, *MORE, ("email: clear, id-number: clear, family", "email: clear, id-number: year, family"))
    (one,) = people_of(town, 1)
    before = len(entries(town))
    for run in (migrate.migrate, migrate.look):
        with pytest.raises(InputError, match="amend does not read clear what the map fills fields from: id-number"):
            run(work(town, tmp_path, text))
    assert len(entries(town)) == before
    assert versions(town, [one]) == [2]
    # The gate does not rely on that.
    asked = work(town, tmp_path, text)
    m = asked.mandate
    signed = m.asker.migrate("residents", "amend", [one.handle], asked.map, m.case, m.reason, town.room.now())
    with pytest.raises(Refused) as caught:
        correct.revise(town.room, signed, Errand(m.asker, "register", m.case, m.reason))
    assert caught.value.code == "field"


def test_the_list_does_not_say_why(grown: World, tmp_path: Path) -> None:
    people_of(grown, 2)
    migrate.migrate(work(grown, tmp_path, 'year: {field: name, split: " ", part: 2}\nclear: [name]'))
    said = {line.split(",", 1)[1] for line in (tmp_path / "bad.csv").read_text().splitlines()}
    assert said == {"year,what would fill it does not fit"}
