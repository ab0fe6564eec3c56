"""Keys are destroyed on their day, in the book first and then on the disk, whatever breaks between (SPEC.md 8.9)."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from tests.houses import Houses, change
from tests.keyholder import asked
from tests.keyholder.asked import DAY, Sealed
from tests.keyholder.test_transaction import _fault

from strongroom.catalog.model import Charter
from strongroom.custody import ceremony
from strongroom.errors import Refused, StoreError
from strongroom.keyholder import expiry, protocol, rounds
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.keyholder.epochs import SealedBatch
from strongroom.ledger import audit, entry, note


def _folder(houses: Houses) -> Path:
    return houses.town.root / "keyholder" / "epochs"


def _files(houses: Houses) -> list[str]:
    return sorted(path.name for path in _folder(houses).iterdir())


def _expired(houses: Houses) -> list[entry.ExpiryEntry]:
    return [one for one in houses.entries() if isinstance(one, entry.ExpiryEntry)]


def _wait(houses: Houses, day: int) -> None:
    """Until the first second of ``day``, of which the vault has said that it is."""
    houses.town.hands.wait(day * DAY - houses.town.room.now())
    houses.town.agree()


@pytest.fixture
def first(houses: Houses) -> Sealed:
    """A batch under a key of its own that goes before the others."""
    return Sealed(houses, houses.handles[:2], epoch=houses.town.room.now() // DAY + 3)


# --- the day ---------------------------------------------------------------------------------------------------------
def test_a_key_goes_on_its_day_and_not_before(houses: Houses, first: Sealed) -> None:
    epoch = first.closed.epoch
    _wait(houses, epoch)
    houses.town.hands.wait(-1)
    houses.town.keyholder.tick()
    houses.send(asked.request(houses, houses.ask(), first.pieces((1,))[:1]))
    assert _expired(houses) == []
    houses.town.hands.wait(1)
    # Refused on the day itself, before the keyholder comes to destroy it.
    request = asked.request(houses, houses.ask(), first.pieces((1,))[:1])
    with houses.refused("epoch", written=True):
        houses.send(request)
    public = houses.town.keyholder.epochs.public("residents", epoch)
    assert len(_files(houses)) == 2
    houses.town.keyholder.tick()
    (item,) = _expired(houses)
    assert (item.holding, item.epoch) == ("residents", epoch)
    assert item.key == protocol.epoch_key_hash(public)
    assert len(_files(houses)) == 1
    # Once.
    houses.town.keyholder.tick()
    assert len(_expired(houses)) == 1


def test_nothing_opens_what_was_sealed_to_it(houses: Houses, first: Sealed) -> None:
    keyholder, epoch = houses.town.keyholder, first.closed.epoch
    sealed = SealedBatch(epoch, first.closed.expires, first.closed.members, first.closed.secret)
    assert keyholder.secret("residents", sealed) == first.secret
    path = keyholder.epochs.files.path("residents", epoch)
    whole = path.read_bytes()
    _wait(houses, epoch)
    keyholder.tick()
    with pytest.raises(Refused, match="no key for this holding and epoch"):
        keyholder.secret("residents", sealed)
    assert ("residents", epoch) not in keyholder.epochs._secrets
    assert ("residents", epoch) not in keyholder.epochs.files._opened
    # Restored from a backup, by mistake or not, the key is used for nothing, and goes again.
    for restart in (False, True):
        path.write_bytes(whole)
        if restart:
            houses.town.restart_keyholder()
        request = asked.request(houses, houses.ask(), first.pieces((1,))[:1])
        with houses.refused("epoch", written=True):
            houses.send(request)
        with houses.refused("epoch", written=False):
            houses.send(protocol.Epoch(**houses.town.room.common(), holding="residents", epoch=epoch))
        houses.town.keyholder.tick()
        assert not path.exists()
    assert len(_expired(houses)) == 1


def test_a_batch_past_its_expiry_is_refused_before_its_key_goes(houses: Houses) -> None:
    today = houses.town.room.now() // DAY
    made = Sealed(houses, houses.handles[:1], epoch=today + 20, expires=today + 20)
    _wait(houses, today + 20)
    with houses.refused("expired", written=True):
        houses.send(asked.request(houses, houses.ask(), made.pieces((1,))))


def test_many_keys_of_many_holdings_at_once(houses: Houses) -> None:
    today = houses.town.room.now() // DAY
    for day in range(1, 31):
        houses.town.keyholder.epochs.public("residents", today + day)
    for day in range(1, 8):
        houses.town.keyholder.epochs.public("calls", today + day)
    _wait(houses, today + 30)
    houses.town.keyholder.tick()
    assert len(_expired(houses)) == 37
    assert {one.time for one in _expired(houses)} == {houses.town.keyholder.book.time}
    assert len(_files(houses)) == 1
    houses.town.room.sync()
    houses.town.room.publish()
    keys, public = houses.town.room.rules().charter, houses.town.root / "public"
    found = audit.audit(
        lambda path: (public / path).read_bytes(),
        [note.verifier(keys.keyholder.log), note.verifier(keys.keyholder.ml_dsa)],
        None,
    )
    assert found.counts["expiry"] == 37


# --- holds -----------------------------------------------------------------------------------------------------------
def test_a_hold_keeps_the_keys_of_its_holding_alone(houses: Houses, first: Sealed) -> None:
    town, epoch = houses.town, first.closed.epoch
    town.keyholder.epochs.public("calls", epoch)
    until = (epoch + 5) * DAY
    houses.operate("hold", holding="residents", authority="a court", until=until)
    _wait(houses, epoch)
    town.keyholder.tick()
    assert [one.holding for one in _expired(houses)] == ["calls"]
    # What has not expired is read and resealed as ever.
    houses.send(asked.request(houses, houses.ask(), first.pieces((1,))[:1]))
    _wait(houses, epoch + 5)
    with houses.refused("epoch", written=True):
        houses.send(asked.request(houses, houses.ask(), first.pieces((1,))[:1]))
    town.keyholder.tick()
    assert [one.holding for one in _expired(houses)] == ["calls", "residents"]


def test_a_lifted_hold_keeps_nothing(houses: Houses, first: Sealed) -> None:
    epoch = first.closed.epoch
    houses.operate("hold", holding="residents", authority="a court", until=(epoch + 5) * DAY)
    _wait(houses, epoch)
    houses.town.keyholder.tick()
    assert _expired(houses) == []
    houses.operate("hold", holding="residents", authority="a court", until=0)
    houses.town.keyholder.tick()
    assert len(_expired(houses)) == 1


def test_what_is_kept_by_a_hold_alone_is_for_held_purposes(houses: Houses) -> None:
    """Nobody else is given a record past its day, and they only while the hold stands."""
    today = houses.town.room.now() // DAY
    made = Sealed(houses, houses.handles[:1], epoch=today + 3, expires=today + 3)
    houses.operate("hold", holding="residents", authority="a court", until=(today + 9) * DAY)
    _wait(houses, today + 3)
    with houses.refused("expired", written=True):
        houses.send(asked.request(houses, houses.ask(), made.pieces((1,))))

    def held(charter: Charter) -> Charter:
        purposes = charter.purposes | {"confirm": change(charter.purposes["confirm"], held=True)}
        return change(charter, purposes=purposes)  # type: ignore[no-any-return]

    room = houses.town.room
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    ceremony.amend(room, steward, held, ceremony.latest_roster(room))
    houses.send(asked.request(houses, houses.ask(), made.pieces((1,))))
    houses.operate("hold", holding="residents", authority="a court", until=0)
    with houses.refused("expired", written=True):
        houses.send(asked.request(houses, houses.ask(), made.pieces((1,))))


# --- what breaks -----------------------------------------------------------------------------------------------------
class _CrashError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["destroy", "overwritten"])
def test_a_crash_between_the_book_and_the_disk(
    houses: Houses, first: Sealed, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    epoch = first.closed.epoch
    _wait(houses, epoch)

    def crash(*_: object, **__: object) -> None:
        raise _CrashError

    with monkeypatch.context() as patch:
        if step == "destroy":
            patch.setattr(EpochFiles, "destroy", crash)
        else:
            patch.setattr(Path, "unlink", crash)
        with pytest.raises(_CrashError):
            houses.town.keyholder.tick()
    # The book says it, and the file is there still: whatever happens next, it is given no more.
    assert len(_expired(houses)) == 1
    assert len(_files(houses)) == 2
    houses.town.restart_keyholder()
    with houses.refused("epoch", written=True):
        houses.send(asked.request(houses, houses.ask(), first.pieces((1,))[:1]))
    houses.town.keyholder.started()
    assert len(_files(houses)) == 1
    houses.town.room.sync()
    assert len(_expired(houses)) == 1


def test_a_crash_before_the_book_changes_nothing(
    houses: Houses, first: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait(houses, first.closed.epoch)
    keyholder, before = houses.town.keyholder, len(houses.entries())

    def crash(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(keyholder.store), "expire", crash)
        with pytest.raises(sqlite3.Error, match="full"):
            expiry.expire(keyholder, keyholder.now())
    assert len(houses.entries()) == before
    assert len(_files(houses)) == 2
    keyholder.tick()
    assert len(_files(houses)) == 1


def test_a_disk_that_is_read_only_has_no_entry_and_keeps_nobody_else(
    houses: Houses, first: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book must not say that a key is destroyed which could not be; the other keys go, and the ledger is published."""
    keyholder, epoch = houses.town.keyholder, first.closed.epoch
    keyholder.epochs.public("calls", epoch)
    _wait(houses, epoch)
    real = EpochFiles.destroyable

    def destroyable(self: EpochFiles, holding: str, wanted: int) -> None:
        if holding == "residents":
            raise StoreError("residents: cannot be destroyed (Read-only file system). Make the disk writable")
        real(self, holding, wanted)

    with monkeypatch.context() as patch:
        patch.setattr(EpochFiles, "destroyable", destroyable)
        with pytest.raises(StoreError, match="Read-only"):
            keyholder.tick()
    assert [one.holding for one in _expired(houses)] == ["calls"]
    assert int(keyholder.store.state("published_size") or b"") == keyholder.book.size
    keyholder.tick()
    assert [one.holding for one in _expired(houses)] == ["calls", "residents"]


def test_a_file_that_will_not_go_is_named_at_every_round(
    houses: Houses, first: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait(houses, first.closed.epoch)

    def stuck(self: EpochFiles, path: Path) -> None:
        raise StoreError(f"{path}: could not be destroyed (Input/output error)")

    with monkeypatch.context() as patch:
        patch.setattr(EpochFiles, "_wipe", stuck)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"residents-.*Input/output error"):
                houses.town.keyholder.tick()
    assert len(_expired(houses)) == 1
    houses.town.keyholder.tick()
    assert len(_files(houses)) == 1


def test_a_key_that_the_book_does_not_know_goes_on_its_day_too(houses: Houses) -> None:
    """Made in a transaction that was cut short after the file was there."""
    keyholder, today = houses.town.keyholder, houses.town.room.now() // DAY
    made = keyholder.epochs.files.make("residents", today + 2)
    keyholder.tick()
    assert [row.epoch for row in keyholder.store.epochs() if row.epoch == today + 2] == [today + 2]
    _wait(houses, today + 2)
    keyholder.tick()
    assert [one.key for one in _expired(houses)] == [protocol.epoch_key_hash(made.public)]


def test_a_key_whose_file_is_lost_is_written_off_on_its_day(houses: Houses, first: Sealed) -> None:
    """Else an erasure that waits for it would never be final."""
    epoch = first.closed.epoch
    houses.town.keyholder.epochs.files.path("residents", epoch).unlink()
    houses.town.restart_keyholder()
    _wait(houses, epoch)
    houses.town.keyholder.tick()
    assert [one.epoch for one in _expired(houses)] == [epoch]


def test_a_damaged_key_goes_on_its_day(houses: Houses, first: Sealed) -> None:
    epoch = first.closed.epoch
    path = houses.town.keyholder.epochs.files.path("residents", epoch)
    path.write_bytes(path.read_bytes()[:40])
    houses.town.restart_keyholder()
    _wait(houses, epoch)
    houses.town.keyholder.tick()
    assert [one.epoch for one in _expired(houses)] == [epoch]
    assert not path.exists()


def test_a_fault_at_each_statement_of_an_expiry_leaves_nothing_behind(houses: Houses) -> None:
    today = houses.town.room.now() // DAY
    for at in range(1, 25):
        houses.town.keyholder.epochs.public("residents", today + at)
        _wait(houses, today + at)
        try:
            with _fault(houses, at, lasting=True):
                houses.town.keyholder.tick()
        except (sqlite3.Error, StoreError):
            pass
        houses.town.keyholder.tick()
        houses.check()
        assert [one.epoch for one in _expired(houses)][-1] == today + at
    assert len(_expired(houses)) == 24


# --- what it does not do ---------------------------------------------------------------------------------------------
def test_a_keyholder_that_has_just_started_waits_for_the_vault(houses: Houses, first: Sealed) -> None:
    """It may have been restored from an old copy without knowing it; the first entry it wrote would fork the ledger."""
    keyholder = houses.town.keyholder
    keyholder.publish(keyholder.now())
    _wait(houses, first.closed.epoch)
    before = len(houses.entries())
    keyholder.started()
    for _ in range(3):
        keyholder.tick()
        houses.town.hands.wait(99)
    assert len(houses.entries()) == before
    houses.town.room.sync()
    (start,) = houses.entries()[before:]
    assert isinstance(start, entry.NoticeEntry)
    assert start.code == "start"
    keyholder.tick()
    assert len(_expired(houses)) == 1


def test_no_key_goes_at_the_word_of_one_clock_alone(houses: Houses, caplog: pytest.LogCaptureFixture) -> None:
    """Restarted under a clock that is years ahead it would destroy all keys that there are."""
    town, days = houses.town, 2 * 365
    before, now = _files(houses), town.room.now()
    assert before
    town.hands.jump(days * DAY)
    town.restart_keyholder()
    town.keyholder.started()
    # The vault's own clock is right, and its requests are dated otherwise.
    said = change(asked.supersede(houses, (houses.handles[0], 2)), time=now)
    with pytest.raises(Refused, match="too far"):
        houses.send(said)
    town.hands.wait(rounds.QUIET_SECONDS + 1)
    for _ in range(3):
        town.keyholder.tick()
    assert (_files(houses), _expired(houses)) == (before, [])
    assert caplog.text.count("wait for a request of the vault") == 1
    # One that is dated alike, and they go.
    town.agree()
    town.keyholder.tick()
    assert _files(houses) == []


def test_the_vaults_word_on_the_time_holds_for_a_day(houses: Houses) -> None:
    town, today = houses.town, houses.town.room.now() // DAY
    for day in (1, 2, 3):
        town.keyholder.epochs.public("residents", today + day)
    town.agree()
    town.hands.wait(DAY)
    town.keyholder.tick()
    assert len(_expired(houses)) == 1
    town.hands.wait(DAY)
    town.keyholder.tick()
    assert len(_expired(houses)) == 1
    town.tick()
    assert len(_expired(houses)) == 2


@pytest.mark.parametrize("by", ["time", "operator"])
def test_it_waits_no_longer_than_it_must(houses: Houses, by: str) -> None:
    keyholder = houses.town.keyholder
    keyholder.publish(keyholder.now())
    keyholder.started()
    before = len(houses.entries())
    if by == "time":
        houses.town.hands.wait(rounds.QUIET_SECONDS - 1)
        keyholder.tick()
        assert len(houses.entries()) == before
        houses.town.hands.wait(1)
        keyholder.tick()
    else:
        houses.operate("freeze", "room")
    assert isinstance(houses.entries()[before], entry.NoticeEntry)
    assert houses.entries()[before].time == keyholder.now()
    assert os.path.exists(keyholder.public / "checkpoint")


def test_a_start_that_was_rolled_back_is_not_forgotten(houses: Houses) -> None:
    keyholder, request = houses.town.keyholder, houses.good()
    keyholder.publish(keyholder.now())
    keyholder.started()
    with _fault(houses, 12, lasting=True), pytest.raises((sqlite3.Error, StoreError)):
        houses.send(request)
    assert keyholder.quiet is not None
    before = len(houses.entries())
    houses.send(request)
    assert [type(one) for one in houses.entries()[before:]] == [entry.NoticeEntry, entry.DisclosureEntry]
