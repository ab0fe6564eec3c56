"""Every kind of mark on a person is found and shown for what it was, over every generation of their numbers (SPEC.md 5.5, 8.7, 8.10)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.client.somebody import Subject, say
from tests.custody.life import mandate
from tests.houses import Houses, change
from tests.world import World

from strongroom.cli import subject_view
from strongroom.client import subject
from strongroom.custody import asking, check, correct, erase, export, read
from strongroom.custody.export import Wanted
from strongroom.errors import NoteError
from strongroom.keyholder import protocol, recovery, rounds
from strongroom.seal.epoch import epoch_text
from strongroom.synth import people

DAY = 86400


def told(town: World, seed: int = 9) -> tuple[bytes, dict[str, str | None]]:
    """Somebody is taken in under a purpose that tells them."""
    (one,) = town.seal("residents", "announce", people.people(1, seed))
    return one.handle, one.values


def disclose(town: World, handle: bytes, field: str, purpose: str, seconds: tuple[str, ...] = ()) -> None:
    m = mandate(town, purpose, seconds=seconds)
    ask = m.asker.disclose("residents", purpose, [handle], [field], m.case, m.reason, town.room.now())
    read.disclose(town.room, m.signed(ask))


def every_kind(town: World, tmp_path: Path, handle: bytes, values: dict[str, str | None]) -> None:
    room, now = town.room, town.room.now()
    town.find("resident-id", values["id-number"] or "")
    disclose(town, handle, "name", "confirm")
    disclose(town, handle, "phone", "unseal", ("eva",))
    m = mandate(town, "verify")
    check.check(room, m.asker.check("residents", "verify", [handle], "born", "adult", None, m.case, m.reason, now))
    correct.correct(room, mandate(town, "amend"), [handle], {"name": "Nobody Else"}, "register")
    wanted = Wanted(tmp_path / "out.csv", "csv", ("name",), (handle,), None)
    export.export(room, mandate(town, "extract"), wanted)
    m = mandate(town, "forget")
    erase.erase(room, m.asker.erase("residents", "forget", [handle], m.case, m.reason, now))


def words(view: subject.View) -> list[str]:
    """What the person is shown, chain after chain."""
    document: Any = subject_view.document(view)
    return [one["what"] for chain in document["chains"] for one in chain["reads"]]


def test_every_kind_of_mark(houses: Houses, tmp_path: Path) -> None:
    town = houses.town
    handle, values = told(town)
    me = Subject(houses, who=values)
    every_kind(town, tmp_path, handle, values)
    view = me.verify(me.ask())
    last = max(town.keyholder.epochs.alive("residents"))
    assert view.complete
    assert words(view) == [
        "taken in",
        "asked whether I am here",
        "read identity",
        "read contact, countersigned by 1",
        "checked identity",
        "corrected identity, contact",
        "exported identity",
        f"erased, final on {epoch_text(last)}",
    ]
    town.hands.wait((last + 1) * DAY - town.hands.wall())
    town.tick()
    town.room.sync()
    view = me.verify(me.ask())
    assert (words(view)[-1], view.waiting) == ("erased, final", {})


def test_both_who_are_in_a_record_are_told(houses: Houses) -> None:
    """The callee who is read through the caller, and the caller, each on a chain of their own."""
    town, numbers = houses.town, ("+8613800000001", "+8613800000002")
    (call, other) = town.take_in_calls(numbers, (numbers[0], ""))
    both = [Subject(houses, "phone", {"phone": number}, "calls") for number in numbers]
    m = mandate(town, "trace", "calls")
    list(asking.disclose(town.room, m, [call.handle], ["caller", "callee"]))
    for me in both:
        view = me.verify(me.ask())
        assert (view.complete, words(view)) == (True, ["read calling, called"])
    list(
        asking.disclose(town.room, m, [other.handle], ["callee"])
    )  # somebody unidentified, who has a chain of their own
    list(asking.disclose(town.room, m, [call.handle], ["day"]))  # about nobody
    assert [len(words(me.verify(me.ask()))) for me in both] == [1, 1]


# --- a keyholder that was restored -------------------------------------------------------------------------------------
def restored(houses: Houses, tmp_path: Path, meanwhile: Callable[[], None]) -> None:
    """The keyholder is put back to how it is now, after ``meanwhile``, and takes the rest from the vault's mirror."""
    town = houses.town
    kept, own = tmp_path / "old", town.root / "keyholder"
    town.keyholder.store.close()
    shutil.copytree(own, kept)
    town.keyholder = town._keyholder()
    meanwhile()
    town.room.sync()
    town.keyholder.store.close()
    shutil.rmtree(own)
    shutil.copytree(kept, own)
    town.keyholder = town._keyholder()
    store = town.room.store
    mirror = store.mirror
    source = recovery.Source("vault", mirror.checkpoint().decode(), mirror.entries, store.roster, vault=True)
    assert recovery.recover(town.keyholder, [source]).generation == 2
    town.room.sync()


def test_numbers_begun_anew_are_all_shown(houses: Houses, tmp_path: Path) -> None:
    town, me = houses.town, Subject(houses)
    handle = me.person.handle
    disclose(town, handle, "name", "confirm")

    def meanwhile() -> None:
        for _ in range(2):
            disclose(town, handle, "phone", "reach")

    restored(houses, tmp_path, meanwhile)
    view = me.verify(me.ask())
    assert [(one.generation, one.count, one.complete) for one in view.chains] == [(1, 3, True), (2, 0, True)]
    town.hands.wait(3600)  # budgets are empty after a recovery
    disclose(town, handle, "born", "confirm")
    view = me.verify(me.ask())
    assert view.complete
    assert [(one.generation, one.count) for one in view.chains] == [(1, 3), (2, 1)]
    assert words(view) == ["read identity", "read contact", "read contact", "read identity"]


FALSE: dict[str, Callable[[list[protocol.Chain]], list[protocol.Chain]]] = {
    "without the last": lambda chains: chains[:1],
    "without the first": lambda chains: chains[1:],
    "the last as the first": lambda chains: [chains[0], change(chains[1], generation=1)],
    "one of a time to come in its place": lambda chains: [chains[0], change(chains[1], generation=3)],
    "one of the end of time": lambda chains: [*chains, change(chains[1], generation=2**53 - 1, key=bytes(32))],
    "another kind's in its place": lambda chains: [chains[0], change(chains[1], kind="phone")],
}


@pytest.mark.parametrize("name", FALSE)
def test_no_chain_can_be_left_out(houses: Houses, name: str) -> None:
    """It would be complete, each of its chains; and what is left out is not shown."""
    town, me = houses.town, Subject(houses)
    disclose(town, me.person.handle, "name", "confirm")
    with town.keyholder.writing():
        rounds.begin_generation(town.keyholder, town.keyholder.now())
    disclose(town, me.person.handle, "name", "confirm")
    said = me.ask()
    me.enrolled.clear()  # a device that remembers nothing is told too
    assert me.verify(said).complete
    with pytest.raises(NoteError, match="leaves chains out"):
        me.verify(say(houses, said, FALSE[name](said.chains)))


def test_of_two_persons_none_loses_a_chain(houses: Houses) -> None:
    """One device for two: parent and child."""
    town, me = houses.town, Subject(houses)
    me.person = houses.people[1]
    me.enrol("resident-id")
    with town.keyholder.writing():
        rounds.begin_generation(town.keyholder, town.keyholder.now())
    said = me.ask()
    assert [one.generation for one in me.verify(said).chains] == [1, 2, 1, 2]
    me.enrolled.clear()
    for left in range(4):
        with pytest.raises(NoteError, match="leaves chains out"):
            me.verify(say(houses, said, [one for at, one in enumerate(said.chains) if at != left]))
