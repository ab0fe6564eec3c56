"""What a recovery takes from which mirror, and what it does not believe (SPEC.md 8.10)."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import Houses, change
from tests.keyholder import asked
from tests.keyholder.restored import Copy, amend, mirror, recover, slow, whole
from tests.keyholder.test_transaction import _fault

from strongroom.canonical import encode
from strongroom.errors import Refused, StoreError, StrongroomError
from strongroom.keyholder import recovery, rounds
from strongroom.keyholder.recovery import Source
from strongroom.keyholder.store import Store
from strongroom.ledger import checkpoint, entry, tree
from strongroom.ledger.note import Signer


# --- from what is published ------------------------------------------------------------------------------------------
def test_from_a_published_ledger_it_waits_for_the_vault(houses: Houses) -> None:
    town = houses.town
    copy = Copy(houses)
    houses.send(houses.good())
    town.room.sync()
    town.room.publish()
    # This one reached the vault and was not published: taken for the end, the next entry would fork the ledger.
    last = houses.good()
    houses.send(last)
    town.room.sync()
    copy.restore()
    found = recover(houses, recovery.published(town.root / "public"))
    assert (found.entries, found.generation) == (1, 0)
    size = town.keyholder.book.size
    town.keyholder.started()
    for _ in range(10):
        town.hands.wait(3600)
        town.keyholder.tick()
    assert town.keyholder.book.size == size
    for attempt in (lambda: houses.operate("freeze", "room"), lambda: houses.send(houses.good())):
        with pytest.raises(StoreError):
            attempt()
    town.restart_keyholder()
    assert town.keyholder.quiet == rounds.FOREVER
    assert recover(houses).entries == 1
    assert town.keyholder.quiet is None
    with houses.refused("used", written=False):
        houses.send(last)
    whole(houses)


def test_from_a_published_ledger_that_has_all_of_it(houses: Houses) -> None:
    town = houses.town
    copy, request = Copy(houses), houses.good()
    houses.send(request)
    amend(houses, slow)
    town.room.sync()
    town.room.publish()
    copy.restore()
    found = recover(houses, recovery.published(town.root / "public"))
    assert (found.entries, found.charters, found.generation) == (2, 1, 0)
    before = town.keyholder.book.size
    town.keyholder.started()
    town.room.sync()
    assert [getattr(one, "code", "") for one in houses.entries()[before:]] == ["generation", "start"]
    with houses.refused("used", written=False):
        houses.send(request)
    houses.town.hands.wait(60)
    houses.send(houses.good())
    whole(houses)


def test_a_published_ledger_has_no_rosters(houses: Houses) -> None:
    copy = Copy(houses)
    amend(houses, slow, roster=True)
    houses.town.room.sync()
    houses.town.room.publish()
    copy.restore()
    before = houses.held()
    with pytest.raises(StoreError, match="--from vault"):
        recover(houses, recovery.published(houses.town.root / "public"))
    assert houses.held() == before
    recover(houses)
    whole(houses)


def test_what_is_published_and_what_the_vault_has_are_both_taken(houses: Houses) -> None:
    """The vault was cut off before the last was published."""
    town = houses.town
    copy = Copy(houses)
    houses.send(houses.good())
    town.room.sync()
    town.hands.wait(7200)
    town.keyholder.tick()
    copy.restore()
    found = recover(houses, mirror(houses), recovery.published(town.root / "public"))
    assert (found.entries, found.generation) == (2, 2)
    town.keyholder.started()
    whole(houses)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="published ledger"):
        recovery.published(tmp_path)
    (tmp_path / "checkpoint").write_text("not a note")
    with pytest.raises(StoreError, match="published ledger"):
        recovery.published(tmp_path)


def test_nothing_is_missing(houses: Houses) -> None:
    houses.send(houses.good())
    houses.town.room.sync()
    houses.town.room.publish()
    before = houses.held()
    found = recover(houses, mirror(houses), recovery.published(houses.town.root / "public"))
    assert found == recovery.Recovered()
    assert houses.held() == before
    assert houses.town.keyholder.generation() == 1
    houses.send(houses.good())


def test_more_than_a_page(houses: Houses) -> None:
    town = houses.town
    copy = Copy(houses)
    for _ in range(5):
        with town.keyholder.writing():
            for _ in range(600):
                town.keyholder.book.stage(entry.HeartbeatEntry(v=1, time=town.keyholder.now()))
    houses.send(houses.good())
    town.room.sync()
    town.keyholder.publish(town.keyholder.now())
    copy.restore()
    assert recover(houses, recovery.published(town.root / "public")).entries == 3001
    town.room.sync()
    whole(houses)


# --- nothing is believed ---------------------------------------------------------------------------------------------
def _forge(houses: Houses, alter: Callable[[list[bytes]], Sequence[bytes]], signer: Signer | None = None) -> Source:
    """The vault's mirror, its entries altered, under a checkpoint that fits them: of the log's own key unless told."""
    keys = houses.town.keyholder.keys
    true = mirror(houses)
    data = list(true.entries(0, houses.town.room.mirror.size))
    forged = list(alter(data))
    text = checkpoint.Checkpoint(keys.origin, len(forged), tree.root([tree.leaf_hash(one) for one in forged])).marshal()
    signed = f"{text}\n{(signer or keys.log).sign(text)}"
    return replace(true, checkpoint=signed, entries=lambda start, stop: forged[start:stop])


def _with_last(change_: Callable[[entry.Entry], entry.Entry]) -> Callable[[list[bytes]], Sequence[bytes]]:
    return lambda data: [*data[:-1], encode(change_(entry.parse(data[-1])))]


def _changed(houses: Houses, alter: Callable[[list[bytes]], Sequence[bytes]]) -> Source:
    """The vault's mirror with other entries than its checkpoint is of."""
    true = mirror(houses)
    changed = alter(list(true.entries(0, houses.town.room.mirror.size)))
    return replace(true, entries=lambda start, stop: changed[start:stop])


FORGERIES: dict[str, tuple[str, Callable[[Houses], Source]]] = {
    "another log's": (
        "not signed by this keyholder's log",
        lambda h: _forge(h, list, Signer(h.town.keyholder.keys.origin, Ed25519PrivateKey.generate())),
    ),
    "no note": ("not signed by this keyholder's log", lambda h: replace(mirror(h), checkpoint="")),
    "entries missing": ("its checkpoint says", lambda h: _changed(h, lambda data: data[:-1])),
    "an entry changed": (
        "do not give the root",
        lambda h: _changed(h, _with_last(lambda one: change(one, time=one.time + 1))),
    ),
    "no entry": ("entry", lambda h: _forge(h, lambda data: [*data[:-1], b"{}"])),
    "time goes back": ("its time goes back", lambda h: _forge(h, _with_last(lambda one: change(one, time=1)))),
    "another charter's": (
        "charter is not the one in force",
        lambda h: _forge(h, _with_last(lambda one: change(one, charter=bytes(32)))),
    ),
    "a charter of nobody's": ("charter", lambda h: _forge(h, lambda data: [*data, _charter(h)])),
    "another ledger": ("part at entry 3", lambda h: _forge(h, lambda data: [*data[:3], *data[4:], data[-1]])),
}


def _charter(houses: Houses) -> bytes:
    """The last charter once more: a version that does not follow."""
    known = [data for data in houses.town.room.mirror.entries(0, 3) if b'"type":"charter"' in data]
    item = entry.parse(known[-1])
    return encode(change(item, time=houses.town.room.mirror.time, effective=houses.town.room.mirror.time))


@pytest.mark.parametrize("name", FORGERIES)
def test_what_is_no_mirror_changes_nothing(houses: Houses, name: str) -> None:
    copy = Copy(houses)
    for _ in range(2):
        houses.send(houses.good())
    houses.town.room.sync()
    copy.restore()
    before, keyholder = houses.held(), houses.town.keyholder
    match, forge = FORGERIES[name]
    with pytest.raises(StoreError, match=match):
        recover(houses, forge(houses))
    assert houses.held() == before
    assert (keyholder.generation(), keyholder.recovered, keyholder.quiet) == (1, 0, None)
    assert recover(houses).entries == 2
    whole(houses)


def test_a_book_that_went_another_way_is_refused_in_plain_words(houses: Houses) -> None:
    """It was started in spite of all, and wrote an entry of its own where the mirror has another."""
    copy = Copy(houses)
    houses.send(houses.good())
    houses.town.room.sync()
    copy.restore()
    size = houses.town.keyholder.book.size
    houses.town.hands.wait(7200)
    houses.town.keyholder.tick()
    for source in (mirror(houses), _forge(houses, lambda data: [*data, data[-1]])):
        with pytest.raises(StoreError, match=rf"part at entry {size}: .*Restore the book from the same copy once more"):
            recover(houses, source)
    # As it says.
    shutil.rmtree(houses.town.root / "public")
    copy.restore()
    assert recover(houses).entries == 1
    whole(houses)


def test_a_clock_behind_what_was_taken(houses: Houses) -> None:
    copy = Copy(houses)
    houses.town.hands.wait(1000)
    houses.send(houses.good())
    houses.town.room.sync()
    houses.town.hands.wait(-1000)
    copy.restore()
    before = houses.held()
    with pytest.raises(Refused, match="clock"):
        recover(houses)
    assert houses.held() == before
    houses.town.hands.wait(1000)
    recover(houses)
    whole(houses)


def test_a_fault_at_each_statement_leaves_nothing_behind(houses: Houses) -> None:
    copy = Copy(houses)
    houses.send(houses.good(2))
    houses.send(asked.erase(houses, houses.handles[:1]))
    amend(houses, slow)
    houses.town.room.sync()
    copy.restore()
    before, done = houses.held(), False
    for at in range(1, 80):
        with _fault(houses, at, lasting=True), suppress(sqlite3.Error, StrongroomError):
            recover(houses)
        houses.town.restart_keyholder()
        # Once committed, all of it is there, whatever came after that.
        done = houses.town.keyholder.generation() == 2
        if done:
            break
        assert houses.held() == before
    assert done
    assert at > 25
    assert len(houses.held().entries) == len(before.entries) + 4
    assert houses.town.keyholder.generation() == 2
    whole(houses)


def test_an_empty_book_takes_the_ledger_of_its_own_genesis_alone(houses: Houses, tmp_path: Path) -> None:
    """All that is left of the keyholder are its keys and the ceremony: it has the whole ledger of the vault."""
    town, request = houses.town, houses.good()
    houses.send(request)
    town.room.sync()
    town.keyholder.store.close()
    for path in (town.root / "keyholder").glob("keyholder.db*"):
        path.unlink()
    Store(town.root / "keyholder" / "keyholder.db").close()
    town.keyholder = town._keyholder()
    genesis, town.keyholder.genesis = town.keyholder.genesis, bytes(32)
    with pytest.raises(StoreError, match="first charter is not the one"):
        recover(houses)
    assert houses.held().entries == []
    town.keyholder.genesis = genesis
    assert recover(houses).charters == len(town.room.mirror.charters())
    with houses.refused("used", written=False):
        houses.send(request)
    whole(houses)
