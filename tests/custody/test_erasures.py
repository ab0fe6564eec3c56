"""Erasures that the vault asked for, and those it did not: nothing goes for a keyholder's word alone, and nothing is lost by a crash (0026)."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.custody.life import mandate
from tests.world import Person, World

from strongroom.canonical import encode
from strongroom.custody import admit, erase, erasures, opening, steps, upkeep
from strongroom.custody.intake import importer
from strongroom.custody.intake.importer import Source
from strongroom.custody.intake.report import Report
from strongroom.custody.intake.window import Errand
from strongroom.custody.overview import overview
from strongroom.errors import EntryError, InputError, StoreError
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.keyholder.client import Client
from strongroom.ledger import entry

DAY, ROTATION = 86400, 30


def to_day(town: World, wanted: int) -> None:
    town.hands.wait(wanted * DAY + 43_200 - town.hands.wall())


@pytest.fixture
def start(town: World) -> int:
    found = (int(town.hands.wall()) // DAY // 210 + 1) * 210
    to_day(town, found)
    return found


def kept(town: World, *believed: int) -> upkeep.Kept:
    (found,) = upkeep.run(town.room, holdings=["residents"], believed=believed)
    return found


def forget(town: World, handles: Sequence[bytes]) -> int:
    m = mandate(town, "forget")
    return erase.erase(
        town.room, m.asker.erase("residents", "forget", handles, m.case, m.reason, town.room.now())
    ).index


def answered_and_not_noted(town: World, handles: Sequence[bytes]) -> None:
    """The power is cut between the keyholder's answer and the vault's taking note of it."""
    m = mandate(town, "forget")
    signed = m.asker.erase("residents", "forget", handles, m.case, m.reason, town.room.now())
    pieces = opening.pieces(opening.rows(town.room, "residents", handles), {1, 2})
    admit.keep_private(town.room, signed)
    request = protocol.Erase(**town.room.common(), **steps.of_ask(signed), **opening.slots(pieces))
    town.room.client.call("/v1/erase", request)


def false_erasure(town: World, handles: Sequence[bytes], commitment: bytes) -> int:
    """By whoever works the keyholder."""
    k = town.keyholder
    with k.writing():
        now = k.now()
        k.set_time(now)
        marks = sorted(k.marks("residents", handles))
        item = entry.ErasureEntry(
            v=1,
            time=now,
            asker=os.urandom(12),
            commitment=commitment,
            countersigners=[],
            holding="residents",
            purpose="forget",
            role="registrar",
            unit="registry",
            charter=k.charter_hash,
            count=len(handles),
            tags=sorted(os.urandom(16) for _ in handles),
            epochs=k.epochs.alive("residents"),
            marks=marks,
        )
        index = k.book.stage(item)
        k.store.erase(marks, index)
    return index


def upsert(town: World, people: Sequence[Person], to: Path) -> Report:
    names = sorted(people[0].values)
    with to.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows({name: one.values[name] or "" for name in names} for one in people)
    errand = Errand(town.asker("rui"), "announce", "register-1", "taking in the yearly register")
    return importer.import_file(town.room, Source(to), "residents", errand, upsert="id-number", workers=1, again=True)


def living(town: World, people: Sequence[Person]) -> int:
    return len(town.room.store.latest_versions(town.room.holding("residents"), [one.handle for one in people]))


def readable(town: World, people: Sequence[Person]) -> None:
    found = town.disclose(sorted(one.handle for one in people))
    assert len(found.values) == len(people)


def put_back(town: World, copy: Path) -> None:
    """The database alone, as it was."""
    town.room.close()
    for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
        (town.root / "vault" / name).unlink(missing_ok=True)
    shutil.copy(copy, town.root / "vault" / "vault.db")
    town.room = town.open_room()
    town.room.sync()


def copied(town: World, to: Path) -> Path:
    town.room.close()
    shutil.copy(town.root / "vault" / "vault.db", to)
    town.room = town.open_room()
    return to


# --- what time it is ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("off", [2**50, 10 * 366 * DAY, 151, -151])
def test_a_time_that_the_keyholder_only_says(
    town: World, off: int, hold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.take_in(3)
    town.take_in_calls(("13800138000", "13900139000"))
    if hold:
        now = town.room.now()
        Client(town.transport, town.keyholder.keys.operator, town.room.keys.room).call(
            "/v1/operator",
            protocol.Operate(
                action="hold",
                authority="High Court",
                holding="residents",
                nonce=os.urandom(16),
                scope="",
                time=now,
                until=now + 300 * DAY,
            ),
        )
    before = [(one.name, one.versions) for one in town.room.store.holdings()]

    def liar(path: str, signature: bytes, body: bytes) -> bytes:
        answer = town.transport(path, signature, body)
        if path != "/v1/status":
            return answer
        said = protocol.status.parse(answer)
        return encode(msgspec.structs.replace(said, time=said.time + off))

    monkeypatch.setattr(town.room.client, "_transport", liar)
    with pytest.raises(StoreError, match=r"clock is .* s (ahead of|behind) the vault's"):
        upkeep.run(town.room)
    assert [(one.name, one.versions) for one in town.room.store.holdings()] == before


def test_a_key_destroyed_before_its_day_is_not_cosigned(town: World) -> None:
    people = town.take_in(3)
    town.room.sync()
    size, k = town.room.mirror.size, town.keyholder
    (epoch,) = k.epochs.alive("residents")
    known = k.store.epoch("residents", epoch)
    assert known is not None
    with k.writing():
        k.book.stage(entry.ExpiryEntry(v=1, time=k.now(), epoch=epoch, holding="residents", key=known.key))
    with pytest.raises(EntryError, match=f"entry {size}: a key is destroyed before its day"):
        upkeep.run(town.room)
    assert town.room.mirror.size == size
    assert living(town, people) == 3


def test_a_room_opened_again_knows_what_was_erased_before(town: World) -> None:
    people = town.take_in(3)
    first = forget(town, [people[0].handle])
    mark = town.keyholder.marks("residents", [people[0].handle])[0]
    town.room.close()
    town.room = town.open_room()
    town.room.sync()
    k, item = town.keyholder, entry.parse(town.room.mirror.entry(first))
    assert isinstance(item, entry.ErasureEntry)
    assert item.marks == [mark]
    with k.writing():
        k.book.stage(msgspec.structs.replace(item, time=k.now()))
    with pytest.raises(EntryError, match="erased that was erased before"):
        town.room.sync()


# --- an erasure that nobody asked for ------------------------------------------------------------------------------------
def test_an_erasure_that_nobody_asked_for_removes_nothing(town: World, start: int) -> None:
    people = town.take_in(20)
    index = false_erasure(town, [one.handle for one in people[:19]], os.urandom(32))
    to_day(town, start + ROTATION + 1)
    found = kept(town)
    assert (found.resealed, found.removed, found.strangers) == (0, 0, 0)
    said, batch = found.problems
    assert f"--believe-erasures {index}." in said
    assert "destroyed on" in said
    assert "destroyed on" in batch
    assert f"entry {index}" in batch
    assert living(town, people) == 20
    # And again the next day.
    assert len(kept(town).problems) == 2


def test_nor_one_under_the_ask_of_another(town: World, start: int) -> None:
    """An honest ask to erase one record, and an entry that commits to it and erases six."""
    people = town.take_in(8)
    m = mandate(town, "forget")
    signed = m.asker.erase("residents", "forget", [people[0].handle], m.case, m.reason, town.room.now())
    admit.keep_private(town.room, signed)
    index = false_erasure(town, [one.handle for one in people[:6]], asks.ask_hash(signed.text))
    to_day(town, start + ROTATION + 1)
    assert kept(town).removed == 0
    assert erasures.reconcile(town.room, "residents") == (index,)
    assert living(town, people) == 8


def test_nor_another_record_than_was_asked_for(town: World, start: int) -> None:
    """One record each: the ask's, and the one that the keyholder marks under it."""
    people = town.take_in(5)
    m = mandate(town, "forget")
    signed = m.asker.erase("residents", "forget", [people[0].handle], m.case, m.reason, town.room.now())
    admit.keep_private(town.room, signed)
    false_erasure(town, [people[1].handle], asks.ask_hash(signed.text))
    to_day(town, start + ROTATION + 1)
    found = kept(town)
    assert (found.resealed, found.removed) == (0, 0)
    assert len(found.problems) == 1
    assert living(town, people) == 4  # the one that was asked for is found no more


def test_only_what_is_complained_of_can_be_believed(town: World) -> None:
    people = town.take_in(2)
    index = forget(town, [people[0].handle])
    for other in (0, index, 10**6):
        with pytest.raises(InputError, match=f"entry {other} is no erasure"):
            kept(town, other)


# --- a crash, a copy -----------------------------------------------------------------------------------------------------
def test_a_crash_before_the_answer_is_noted_and_then_an_upsert(town: World, start: int, tmp_path: Path) -> None:
    to_day(town, start + ROTATION - 1)
    people = town.take_in(20)
    answered_and_not_noted(town, [people[0].handle])
    to_day(town, start + ROTATION)
    assert upsert(town, people, tmp_path / "all.csv").stored == 20
    assert living(town, people[:1]) == 0
    for day in (30, 61, 89, 91, 121):
        to_day(town, start + day)
        town.keyholder.tick()
        assert kept(town).problems == ()
    readable(town, people[1:])
    assert not town.room.store.problems()
    assert not any(row.handle == people[0].handle for row in town.room.store.records(town.room.holding("residents")))


def test_or_none(town: World, start: int) -> None:
    people = town.take_in(4)
    answered_and_not_noted(town, [people[0].handle, people[1].handle])
    assert kept(town).problems == ()
    assert living(town, people) == 2
    to_day(town, start + ROTATION)
    found = kept(town)
    assert (found.removed, found.strangers, found.problems) == (2, 0, ())
    readable(town, people[2:])


def test_a_copy_and_then_an_upsert(town: World, start: int, tmp_path: Path) -> None:
    people = town.take_in(20)
    copy = copied(town, tmp_path / "copy.db")
    to_day(town, start + 1)
    index = forget(town, [people[0].handle])
    to_day(town, start + ROTATION + 1)
    put_back(town, copy)
    with pytest.raises(StoreError, match=f"--believe-erasures {index}"):
        upsert(town, people, tmp_path / "all.csv")
    assert len(kept(town).problems) == 2
    found = kept(town, index)
    assert (found.resealed, found.removed, found.strangers, found.problems) == (1, 1, 1, ())
    upsert(town, people, tmp_path / "all.csv")
    for day in (61, 89, 91, 121):
        to_day(town, start + day)
        town.keyholder.tick()
        assert kept(town).problems == ()
    assert living(town, people) == 19
    readable(town, people[1:])


def test_a_version_that_came_after_its_erasure_takes_nobody_along(
    town: World, start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it came there: the key of its batch is later than all that the erasure names."""
    people = town.take_in(20)
    copy = copied(town, tmp_path / "copy.db")
    index = forget(town, [people[0].handle])
    to_day(town, start + ROTATION + 1)
    put_back(town, copy)
    with monkeypatch.context() as careless:
        careless.setattr(erasures, "settle", lambda room, holding: None)
        upsert(town, people, tmp_path / "all.csv")
    to_day(town, start + 2 * ROTATION + 1)
    town.keyholder.tick()
    found = kept(town)
    assert (found.resealed, len(found.problems)) == (0, 3)  # the complaint, the batch that waits, the one that was lost
    assert kept(town, index).strangers == 1
    to_day(town, start + 3 * ROTATION + 1)
    town.keyholder.tick()
    kept(town)
    readable(town, people[1:])


def test_a_copy_beside_which_the_words_stayed_needs_nobody_to_look(town: World, start: int, tmp_path: Path) -> None:
    """By which rows went, this vault had asked."""
    people = town.take_in(4)
    copy = copied(town, tmp_path / "copy.db")
    forget(town, [people[0].handle])
    to_day(town, start + ROTATION)
    assert kept(town).removed == 1
    put_back(town, copy)
    found = kept(town)
    assert (found.removed, found.strangers, found.problems) == (1, 0, ())
    readable(town, people[1:])


def test_two_at_once(town: World) -> None:
    """What one process took note of the other does not complain of."""
    people = town.take_in(4)
    answered_and_not_noted(town, [people[0].handle])
    town.room.sync()
    notes, real = town.room.store.notes, town.room.store.notes.swap
    other = town.open_room()

    def late(name: str, before: bytes, after: bytes, drop: Sequence[str] = ()) -> bool:
        notes.swap = real  # type: ignore[method-assign]
        assert erasures.reconcile(other, "residents") == ()
        return real(name, before, after, drop)

    notes.swap = late  # type: ignore[method-assign, assignment]
    assert erasures.reconcile(town.room, "residents") == ()
    assert living(town, people) == 3
    other.close()


def test_status_tells_of_an_erasure_that_nobody_asked_for(town: World, start: int) -> None:
    people = town.take_in(3)
    assert overview(town.room, town.root / "public").unasked == ()
    forget(town, [people[0].handle])
    assert overview(town.room, town.root / "public").unasked == ()
    index = false_erasure(town, [people[1].handle], os.urandom(32))
    (said,) = overview(town.room, town.root / "public").unasked
    assert said.startswith(f"entry {index} of the ledger: an erasure in residents that this vault did not ask for")
