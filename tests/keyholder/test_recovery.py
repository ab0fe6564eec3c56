"""A book restored from an old copy takes what it lacks from a mirror: nothing is given twice or unmarked (SPEC.md 8.10)."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import FRESH, Houses, change
from tests.keyholder import asked
from tests.keyholder.asked import DAY, WHY, Sealed
from tests.keyholder.restored import Copy, amend, recover, slow, whole

from strongroom.canonical import encode
from strongroom.client.device import Device
from strongroom.errors import StoreError, StrongroomError
from strongroom.keyholder import protocol, subjects
from strongroom.ledger import entry, tag
from strongroom.seal import hpke


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
    recover(houses)
    houses.town.keyholder.publish(houses.town.keyholder.now())
    copy.restore()
    with pytest.raises(StoreError, match="strongroom keyholder recover"):
        houses.town.keyholder.started()
    recover(houses)
    houses.town.keyholder.started()
    whole(houses)


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
    assert recover(houses).entries == 1
    whole(houses)


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
    found = recover(houses)
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
    whole(houses)


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
    recover(houses)
    with houses.refused("stale", written=False):
        town.keyholder.ask("/v1/operator", signature, content)
    with houses.refused("stale", written=False):
        houses.send(protocol.Entries(**before, start=0, limit=1))
    whole(houses)


def test_budgets_begin_empty(houses: Houses) -> None:
    copy = Copy(houses)
    for _ in range(3):
        houses.send(asked.check(houses))
    houses.town.room.sync()
    copy.restore()
    recover(houses)
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
    town.tick()
    amend(houses, slow, roster=True)
    town.room.sync()
    version = town.keyholder.charter.version
    copy.restore()
    assert (
        (town.root / "keyholder" / "epochs")
        .joinpath(town.keyholder.epochs.files.path("residents", today + 2).name)
        .exists()
    )
    found = recover(houses)
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
    whole(houses)


def test_a_thaw_of_the_lost_time_thaws(houses: Houses) -> None:
    houses.operate("freeze", "room")
    copy = Copy(houses)
    houses.operate("thaw", "room")
    houses.operate("freeze", "holding:calls")
    houses.operate("thaw", "holding:calls")
    houses.town.room.sync()
    copy.restore()
    recover(houses)
    assert houses.town.keyholder.frozen() == []


def test_a_reader_frozen_in_the_lost_time_freezes_the_room(houses: Houses) -> None:
    """The book does not name the reader; until the operator has, nobody reads."""
    copy = Copy(houses)
    houses.operate("freeze", f"reader:{houses.town.key_of('ana').reader.hex()}")
    houses.town.room.sync()
    copy.restore()
    assert recover(houses).readers_frozen
    houses.town.hands.wait(60)
    with houses.refused("frozen", written=True):
        houses.send(houses.good())
    codes = [(one.code, one.scope) for one in houses.entries() if isinstance(one, entry.NoticeEntry)]
    assert codes[-2:] == [("generation", ""), ("freeze", "room")]
    houses.operate("thaw", "room")
    houses.send(houses.good())


def test_a_key_that_was_made_in_the_lost_time_is_among_those_an_erasure_waits_for(houses: Houses) -> None:
    """The book came back and the keys were never away."""
    town, today = houses.town, houses.town.room.now() // DAY
    copy = Copy(houses)
    town.keyholder.epochs.public("residents", today + 5)
    houses.send(houses.good())
    town.room.sync()
    copy.restore(epochs=False)
    recover(houses)
    town.hands.wait(3600)
    houses.send(asked.erase(houses, houses.handles[:1]))
    last = houses.entries()[-1]
    assert isinstance(last, entry.ErasureEntry)
    assert today + 5 in last.epochs


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
        assert recover(houses).generation == generation
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
    whole(houses)


def test_a_person_first_read_in_the_lost_time_is_counted(houses: Houses) -> None:
    copy = Copy(houses)
    who = _who(houses)
    houses.town.room.sync()
    copy.restore()
    recover(houses)
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
    assert recover(houses).generation == 2
    houses.town.hands.wait(60)
    houses.send(houses.good())
    houses.town.room.sync()
    oldest.restore()
    assert recover(houses).generation == 3
    houses.town.hands.wait(60)
    houses.send(houses.good())
    counts = {generation: count for generation, (count, _) in _statement(houses, device).items()}
    assert counts == {1: 2, 2: 1, 3: 1}
    whole(houses)


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
    recover(houses)
    assert town.keyholder.store.take_code(protocol.code_hash(code), town.room.now()) is None
    assert subjects.CODE_SECONDS


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
