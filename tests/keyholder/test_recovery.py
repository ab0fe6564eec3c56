"""A book restored from an old copy takes what it lacks from a mirror: nothing is given twice or unmarked (SPEC.md 8.10)."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import FRESH, Houses, change
from tests.keyholder import asked
from tests.keyholder.asked import DAY, WHY, Sealed
from tests.keyholder.test_transaction import _fault

from strongroom.canonical import encode
from strongroom.catalog.model import Charter
from strongroom.client.device import Device
from strongroom.custody import ceremony
from strongroom.errors import Refused, StoreError, StrongroomError
from strongroom.keyholder import protocol, recovery, rounds, subjects
from strongroom.keyholder.recovery import Source
from strongroom.ledger import audit, checkpoint, entry, note, tag, tree
from strongroom.ledger.note import Signer
from strongroom.seal import hpke


def mirror(houses: Houses) -> Source:
    """What the vault has."""
    store = houses.town.room.store

    def entries(start: int, stop: int) -> Iterable[bytes]:
        return store.mirror.entries(start, stop)

    return Source("the vault's mirror", store.mirror.checkpoint().decode(), entries, store.roster, vault=True)


class Copy:
    """The keyholder's directory as it is now, to come back to."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._from = houses.town.root / "keyholder"
        self._to = houses.town.root / "old-copy"
        houses.town.keyholder.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(self._from, self._to)

    def restore(self, *, epochs: bool = True) -> None:
        """The book as it was, and the epoch keys as they were where they were copied too."""
        self._houses.town.keyholder.store.close()
        for path in self._from.glob("keyholder.db*"):
            path.unlink()
        shutil.copy(self._to / "keyholder.db", self._from)
        if epochs:
            shutil.rmtree(self._from / "epochs")
            shutil.copytree(self._to / "epochs", self._from / "epochs")
        self._houses.town.keyholder = self._houses.town._keyholder()


def _recover(houses: Houses, *sources: Source) -> recovery.Recovered:
    return recovery.recover(houses.town.keyholder, sources or (mirror(houses),))


def _whole(houses: Houses) -> None:
    """The ledger as anybody verifies it; the vault follows."""
    houses.town.room.sync()
    houses.town.room.publish()
    keys, public = houses.town.room.rules().charter, houses.town.root / "public"
    verifiers = [note.verifier(keys.keyholder.log), note.verifier(keys.keyholder.ml_dsa)]
    found = audit.audit(lambda path: (public / path).read_bytes(), verifiers, None)
    assert found.size == houses.town.keyholder.book.size
    houses.check()


def _amend(houses: Houses, alter: Callable[[Charter], Charter], *, roster: bool = False) -> None:
    room = houses.town.room
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    if roster:
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        ceremony.enrol_reader(room, steward, key, "clerk", "registry")
    else:
        ceremony.amend(room, steward, alter, ceremony.latest_roster(room))


def _slow(charter: Charter) -> Charter:
    return change(charter, heartbeat=charter.heartbeat + 1)  # type: ignore[no-any-return]


# --- it notices ------------------------------------------------------------------------------------------------------
def test_a_restored_book_gives_nothing_and_does_not_start(houses: Houses) -> None:
    houses.town.room.publish()
    copy, request = Copy(houses), houses.good()
    houses.send(request)
    houses.town.room.sync()
    copy.restore()
    with houses.refused("store", written=False):
        houses.send(houses.disclose(houses.sign(change(houses.ask().ask, nonce=os.urandom(16)))))
    houses.town.keyholder.started()
    # What is published tells it, too.
    Copy.restore(copy)
    _recover(houses)
    houses.town.keyholder.publish(houses.town.keyholder.now())
    copy.restore()
    with pytest.raises(StoreError, match="strongroom keyholder recover"):
        houses.town.keyholder.started()
    _recover(houses)
    houses.town.keyholder.started()
    _whole(houses)


def test_a_restored_book_signs_nothing_before_it_is_found_out(houses: Houses) -> None:
    """With an old published ledger beside it, it cannot know. Its first own entry would make recovery impossible."""
    copy = Copy(houses)
    houses.send(houses.good())
    houses.town.room.sync()
    copy.restore()
    houses.town.keyholder.started()
    houses.town.keyholder.tick()
    with pytest.raises(StrongroomError, match="restored from an old copy"):
        houses.town.room.sync()
    assert _recover(houses).entries == 1
    _whole(houses)


# --- nothing is given twice ------------------------------------------------------------------------------------------
def test_every_ask_of_the_lost_time_is_used(houses: Houses) -> None:
    town, now = houses.town, houses.town.room.now()
    shut = houses.window(10, 600)
    open_ = houses.window(10, 600)
    houses.send(houses.intake(open_, [os.urandom(32)]))
    town.room.sync()
    copy = Copy(houses)
    refused = houses.disclose(houses.ask(), (1, 2))
    with houses.refused("compartment", written=True):
        houses.send(refused)
    requests: list[Any] = [
        houses.good(2),
        asked.check(houses),
        asked.correct(houses),
        asked.erase(houses, houses.handles[5:6]),
        asked.export(houses, asked.export_window(houses), houses.handles[:2]),
        houses.intake(shut, [os.urandom(32)]),
        houses.intake(open_, [os.urandom(32)]),
        houses.find(town.asker().find("residents", "confirm", "phone", "x", *WHY, now)),
    ]
    for request in requests:
        houses.send(request)
    town.room.sync()
    copy.restore()
    found = _recover(houses)
    assert (found.entries, found.asks, found.erasures, found.generation) == (9, 9, 1, 2)
    for request in [*requests, refused]:
        with houses.refused("used", written=False):
            houses.send(request)
        # To another key, too.
        if hasattr(request, "fresh"):
            with houses.refused("used", written=False):
                houses.send(change(request, fresh=hpke.private_from(os.urandom(96)).public))
    # A window stays used up as long as it would have been open.
    town.hands.wait(599)
    town.keyholder.tick()
    for window in (shut, open_):
        with houses.refused("used", written=False):
            houses.send(houses.intake(window, [os.urandom(32)]))
    _whole(houses)


def test_a_request_without_an_ask_from_before_the_recovery_is_stale(houses: Houses) -> None:
    """Those of the lost time are not in the book: the operator's thaw, the desk's code, an enrolment."""
    town = houses.town
    copy, before = Copy(houses), town.room.common()
    key = town.keyholder.keys.operator
    thaw = protocol.Operate(
        action="thaw", authority="", holding="", nonce=os.urandom(16), scope="room", time=town.room.now(), until=0
    )
    content = encode(thaw)
    signature = protocol.sign_request(town.keyholder.room, "/v1/operator", content, key)
    town.keyholder.ask("/v1/operator", signature, content)
    town.room.sync()
    copy.restore()
    town.hands.wait(5)
    _recover(houses)
    with houses.refused("stale", written=False):
        town.keyholder.ask("/v1/operator", signature, content)
    with houses.refused("stale", written=False):
        houses.send(protocol.Entries(**before, start=0, limit=1))
    _whole(houses)


def test_budgets_begin_empty(houses: Houses) -> None:
    copy = Copy(houses)
    for _ in range(3):
        houses.send(asked.check(houses))
    houses.town.room.sync()
    copy.restore()
    _recover(houses)
    with houses.refused("budget", written=True):
        houses.send(houses.good())
    houses.town.hands.wait(3600 // 200)
    houses.send(houses.good())
    with houses.refused("budget", written=True):
        houses.send(houses.good())
    # A record's bucket, of which there is no row yet, was empty then as well; 5/day gives one after 17,280 s.
    with houses.refused("budget", written=True):
        houses.send(asked.check(houses))
    houses.town.hands.wait(17_280)
    houses.send(asked.check(houses))
    with houses.refused("budget", written=True):
        houses.send(asked.check(houses))
    # In time it is as if it had never been.
    houses.town.hands.wait(2 * DAY)
    houses.town.keyholder.tick()
    for _ in range(5):
        houses.send(asked.check(houses))


# --- what forbade forbids --------------------------------------------------------------------------------------------
def test_what_was_forbidden_in_the_lost_time_is_forbidden(houses: Houses) -> None:
    town, today = houses.town, houses.town.room.now() // DAY
    first = Sealed(houses, houses.handles[:2], epoch=today + 2)
    town.room.sync()
    copy = Copy(houses)
    houses.send(asked.erase(houses, houses.handles[3:4]))
    houses.operate("freeze", "holding:calls")
    houses.operate("hold", holding="calls", authority="a court", until=(today + 100) * DAY)
    town.hands.wait(3 * DAY)
    town.keyholder.tick()
    _amend(houses, _slow, roster=True)
    town.room.sync()
    version = town.keyholder.charter.version
    copy.restore()
    assert (
        (town.root / "keyholder" / "epochs")
        .joinpath(town.keyholder.epochs.files.path("residents", today + 2).name)
        .exists()
    )
    found = _recover(houses)
    assert (found.erasures, found.expiries, found.charters) == (1, 1, 1)
    # The key that came back with the copy is gone again, and no second entry says so.
    assert not town.keyholder.epochs.files.path("residents", today + 2).exists()
    assert town.keyholder.frozen() == ["holding:calls"]
    assert town.keyholder.held("calls", town.keyholder.now())
    town.hands.wait(600)
    town.keyholder.tick()
    with houses.refused("erased", written=True):
        houses.send(houses.disclose(town.ask(houses.handles[3:4])))
    with houses.refused("epoch", written=True):
        houses.send(asked.request(houses, houses.ask(1), first.pieces((1,))[:1]))
    assert town.keyholder.charter.version == version
    assert len([one for one in houses.entries() if isinstance(one, entry.ExpiryEntry)]) == 1
    _whole(houses)


def test_a_thaw_of_the_lost_time_thaws(houses: Houses) -> None:
    houses.operate("freeze", "room")
    copy = Copy(houses)
    houses.operate("thaw", "room")
    houses.operate("freeze", "holding:calls")
    houses.operate("thaw", "holding:calls")
    houses.town.room.sync()
    copy.restore()
    _recover(houses)
    assert houses.town.keyholder.frozen() == []


def test_a_reader_frozen_in_the_lost_time_freezes_the_room(houses: Houses) -> None:
    """The book does not name the reader; until the operator has, nobody reads."""
    copy = Copy(houses)
    houses.operate("freeze", f"reader:{houses.town.key_of('ana').reader.hex()}")
    houses.town.room.sync()
    copy.restore()
    assert _recover(houses).readers_frozen
    houses.town.hands.wait(60)
    with houses.refused("frozen", written=True):
        houses.send(houses.good())
    codes = [(one.code, one.scope) for one in houses.entries() if isinstance(one, entry.NoticeEntry)]
    assert codes[-2:] == [("generation", ""), ("freeze", "room")]
    houses.operate("thaw", "room")
    houses.send(houses.good())


# --- every read is counted -------------------------------------------------------------------------------------------
def _enrol(houses: Houses, who: bytes) -> Device:
    """A subject's device for that person, by what the desk would have put there."""
    device = Device("subject", Ed25519PrivateKey.generate())
    with houses.town.keyholder.store.transaction():
        houses.town.keyholder.store.add_subject(device.public, "residents", "resident-id", who)
    return device


def _statement(houses: Houses, device: Device) -> dict[int, tuple[int, bytes]]:
    """Generation -> count and chain key, by what the keyholder signs."""
    keyholder = houses.town.keyholder
    request = protocol.Reads(
        device=device.public, fresh=FRESH.public, nonce=os.urandom(16), time=houses.town.room.now()
    )
    body = encode(request)
    signature = protocol.sign_request(keyholder.room, "/v1/subject/reads", body, device.key)
    answer = keyholder.ask("/v1/subject/reads", signature, body)
    assert isinstance(answer, protocol.SealedReads)
    info = protocol.reads_info(keyholder.room, body)
    inner = protocol.reads_inner.parse(hpke.decrypt(FRESH, info, answer.sealed))
    return {one.generation: (one.count, one.key) for one in inner.chains}


def _who(houses: Houses) -> bytes:
    request = houses.good()
    return bytes(houses.open(request, houses.send(request)).whos)


def test_a_persons_reads_are_all_found_over_several_generations(houses: Houses) -> None:
    who = _who(houses)
    device = _enrol(houses, who)
    houses.town.room.sync()
    expected, found = 1, dict[int, tuple[int, bytes]]()
    for generation in (2, 3, 4):
        copy = Copy(houses)
        for _ in range(generation):
            houses.send(houses.good())
            expected += 1
        houses.town.room.sync()
        copy.restore()
        shutil.rmtree(houses.town.root / "old-copy")
        assert _recover(houses).generation == generation
        houses.town.hands.wait(3600)
        houses.send(houses.good())
        expected += 1
        houses.town.room.sync()
        found = _statement(houses, device)
        assert sorted(found) == list(range(1, generation + 1))
        assert sum(count for count, _ in found.values()) == expected
        assert found[generation][0] == 1
    # Each number stands in one entry alone, and the next of each chain in none.
    tags = [one for item in houses.entries() for one in entry.entry_tags(item)]
    for count, key in found.values():
        assert [tags.count(one) for one in tag.tags(key, 1, count + 64)] == [1] * count + [0] * 64
    _whole(houses)


def test_a_person_first_read_in_the_lost_time_is_counted(houses: Houses) -> None:
    copy = Copy(houses)
    who = _who(houses)
    houses.town.room.sync()
    copy.restore()
    _recover(houses)
    device = _enrol(houses, who)
    assert {generation: count for generation, (count, _) in _statement(houses, device).items()} == {1: 1, 2: 0}


def test_a_recovery_from_before_a_recovery(houses: Houses) -> None:
    """The generation of the lost time is not begun a second time: its numbers were given."""
    who = _who(houses)
    device = _enrol(houses, who)
    oldest = Copy(houses)
    houses.send(houses.good())
    houses.town.room.sync()
    oldest.restore()
    assert _recover(houses).generation == 2
    houses.town.hands.wait(60)
    houses.send(houses.good())
    houses.town.room.sync()
    oldest.restore()
    assert _recover(houses).generation == 3
    houses.town.hands.wait(60)
    houses.send(houses.good())
    counts = {generation: count for generation, (count, _) in _statement(houses, device).items()}
    assert counts == {1: 2, 2: 1, 3: 1}
    _whole(houses)


def test_codes_are_forgotten(houses: Houses) -> None:
    """One that was used in the lost time would enrol whoever overheard it."""
    town, code = houses.town, "0123456789"
    admit = protocol.Admit(
        code=protocol.code_hash(code), holding="residents", kind="phone", time=town.room.now(), who=bytes(16)
    )
    body = encode(admit)
    signature = protocol.sign_request(town.keyholder.room, "/v1/desk/admit", body, town.keyholder.keys.desk)
    town.keyholder.ask("/v1/desk/admit", signature, body)
    copy = Copy(houses)
    houses.send(houses.good())
    town.room.sync()
    copy.restore()
    _recover(houses)
    assert town.keyholder.store.take_code(protocol.code_hash(code), town.room.now()) is None
    assert subjects.CODE_SECONDS


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
    found = _recover(houses, recovery.published(town.root / "public"))
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
    assert _recover(houses).entries == 1
    assert town.keyholder.quiet is None
    with houses.refused("used", written=False):
        houses.send(last)
    _whole(houses)


def test_from_a_published_ledger_that_has_all_of_it(houses: Houses) -> None:
    town = houses.town
    copy, request = Copy(houses), houses.good()
    houses.send(request)
    _amend(houses, _slow)
    town.room.sync()
    town.room.publish()
    copy.restore()
    found = _recover(houses, recovery.published(town.root / "public"))
    assert (found.entries, found.charters, found.generation) == (2, 1, 0)
    before = town.keyholder.book.size
    town.keyholder.started()
    town.room.sync()
    assert [getattr(one, "code", "") for one in houses.entries()[before:]] == ["generation", "start"]
    with houses.refused("used", written=False):
        houses.send(request)
    houses.town.hands.wait(60)
    houses.send(houses.good())
    _whole(houses)


def test_a_published_ledger_has_no_rosters(houses: Houses) -> None:
    copy = Copy(houses)
    _amend(houses, _slow, roster=True)
    houses.town.room.sync()
    houses.town.room.publish()
    copy.restore()
    before = houses.held()
    with pytest.raises(StoreError, match="--from vault"):
        _recover(houses, recovery.published(houses.town.root / "public"))
    assert houses.held() == before
    _recover(houses)
    _whole(houses)


def test_what_is_published_and_what_the_vault_has_are_both_taken(houses: Houses) -> None:
    """The vault was cut off before the last was published."""
    town = houses.town
    copy = Copy(houses)
    houses.send(houses.good())
    town.room.sync()
    town.hands.wait(7200)
    town.keyholder.tick()
    copy.restore()
    found = _recover(houses, mirror(houses), recovery.published(town.root / "public"))
    assert (found.entries, found.generation) == (2, 2)
    town.keyholder.started()
    _whole(houses)


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
    found = _recover(houses, mirror(houses), recovery.published(houses.town.root / "public"))
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
    assert _recover(houses, recovery.published(town.root / "public")).entries == 3001
    town.room.sync()
    _whole(houses)


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
        _recover(houses, forge(houses))
    assert houses.held() == before
    assert (keyholder.generation(), keyholder.recovered, keyholder.quiet) == (1, 0, None)
    assert _recover(houses).entries == 2
    _whole(houses)


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
            _recover(houses, source)
    # As it says.
    shutil.rmtree(houses.town.root / "public")
    copy.restore()
    assert _recover(houses).entries == 1
    _whole(houses)


def test_a_clock_behind_what_was_taken(houses: Houses) -> None:
    copy = Copy(houses)
    houses.town.hands.wait(1000)
    houses.send(houses.good())
    houses.town.room.sync()
    houses.town.hands.wait(-1000)
    copy.restore()
    before = houses.held()
    with pytest.raises(Refused, match="clock"):
        _recover(houses)
    assert houses.held() == before
    houses.town.hands.wait(1000)
    _recover(houses)
    _whole(houses)


def test_a_fault_at_each_statement_leaves_nothing_behind(houses: Houses) -> None:
    copy = Copy(houses)
    houses.send(houses.good(2))
    houses.send(asked.erase(houses, houses.handles[:1]))
    _amend(houses, _slow)
    houses.town.room.sync()
    copy.restore()
    before, done = houses.held(), False
    for at in range(1, 80):
        with _fault(houses, at, lasting=True), suppress(sqlite3.Error, StrongroomError):
            _recover(houses)
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
    _whole(houses)


# --- a vault restored from an old copy -------------------------------------------------------------------------------
def test_a_restored_vault_reads_no_old_version_and_nothing_expired(houses: Houses) -> None:
    town, today = houses.town, houses.town.room.now() // DAY
    handle = houses.handles[0]
    first = Sealed(houses, houses.handles[1:2], epoch=today + 2)
    old = asked.pieces(houses, [handle], (1,))
    newer = Sealed(houses, [handle], version=2)
    houses.send(asked.supersede(houses, (handle, 2)))
    with houses.refused("version", written=True):
        houses.send(asked.request(houses, houses.ask(1), old))
    houses.send(asked.request(houses, houses.ask(1), newer.pieces((1,))))
    town.hands.wait(3 * DAY)
    town.keyholder.tick()
    with houses.refused("epoch", written=True):
        houses.send(asked.request(houses, town.ask(houses.handles[1:2]), first.pieces((1,))))
