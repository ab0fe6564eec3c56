"""Charters, epoch keys, the operator: what a thief with the vault's key, or a steward's, gets out of them (SPEC.md 6, 8.2, 8.8)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import Houses, change

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter, RosterLine
from strongroom.custody import ceremony
from strongroom.errors import Refused
from strongroom.keyholder import protocol
from strongroom.ledger import audit, entry, note, tag
from strongroom.seal import epoch as epochs


def _steward(houses: Houses) -> Ed25519PrivateKey:
    return ceremony.load_steward(houses.town.root / "steward" / "steward.key")


def _next(houses: Houses, **members: Any) -> Charter:
    last = houses.town.room.mirror.charters()[-1]
    roster = charters.roster_bytes(ceremony.latest_roster(houses.town.room))
    made: Charter = change(
        last.charter,
        **{"version": last.charter.version + 1, "previous": last.hash, "roster": charters.roster_hash(roster)}
        | members,
    )
    return made


def _enter(houses: Houses, new: Charter, steward: Ed25519PrivateKey | None = None, **members: Any) -> Any:
    document = encode(new)
    signer = steward or _steward(houses)
    request = protocol.EnterCharter(
        **houses.town.room.common(),
        document=document.decode(),
        roster=charters.roster_bytes(ceremony.latest_roster(houses.town.room)).decode(),
        signature=charters.sign(document, signer),
        steward=signer.public_key().public_bytes_raw(),
    )
    return houses.send(change(request, **members))


ATTACKS: dict[str, Callable[[Houses], Any]] = {
    "another's key": lambda h: _enter(h, _next(h), Ed25519PrivateKey.generate()),
    "bad signature": lambda h: _enter(h, _next(h), signature=bytes(64)),
    "version skipped": lambda h: _enter(h, _next(h, version=_next(h).version + 1)),
    "version again": lambda h: _enter(h, _next(h, version=_next(h).version - 1)),
    "on another": lambda h: _enter(h, _next(h, previous=os.urandom(32))),
    "another roster": lambda h: _enter(h, _next(h, roster=os.urandom(32))),
    "roster twice": lambda h: _enter(h, _next(h), roster="[]"),
    "another room": lambda h: _enter(h, _next(h, room=os.urandom(16))),
    "another name": lambda h: _enter(h, _next(h, name="rivertown.example")),
    "no holdings": lambda h: _enter(h, _next(h, holdings={}, buckets={}, purposes={})),
    "no stewards": lambda h: _enter(h, _next(h, stewards=[])),
    "another desk": lambda h: _enter(h, _next(h, keyholder=change(_next(h).keyholder, desk=os.urandom(32)))),
    "another operator": lambda h: _enter(h, _next(h, keyholder=change(_next(h).keyholder, operator=os.urandom(32)))),
    "other buckets": lambda h: _enter(
        h, _next(h, buckets={"residents": {"phone": bytes(32), "resident-id": bytes(32)}})
    ),
    "not canonical": lambda h: _enter(h, _next(h), document="{ }"),
    "nothing": lambda h: _enter(h, _next(h), document=""),
    "too long": lambda h: _enter(h, _next(h), document='"' * 60_001),
    "heartbeat 0": lambda h: _enter(h, _next(h, heartbeat=0)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_no_such_charter(houses: Houses, name: str) -> None:
    with houses.refused("charter", written=False):
        ATTACKS[name](houses)


def test_the_same_charter_twice(houses: Houses) -> None:
    new = _next(houses)
    _enter(houses, new)
    with houses.refused("charter", written=False):
        _enter(houses, new)


def test_a_charter_full_of_quotes_fits_its_entry_or_is_refused(houses: Houses) -> None:
    """Each quote takes two bytes in the entry: the longest charter must still be an entry that every auditor can read."""
    longest = 0
    for count in (200, 400, 600, 800, 900, 950, 990):
        base = _next(houses)
        purposes = {
            f"p{at}": change(base.purposes["confirm"], about='"' * count, lawful_basis="\\" * count) for at in range(12)
        }
        new = change(base, purposes=base.purposes | purposes)
        with suppress(Refused):
            _enter(houses, new)
            houses.town.room.sync()
            longest = max(longest, len(houses.held().entries[-1]))
        houses.check()
    assert longest > 40_000
    published = houses.town.room.publish()
    keys = houses.town.room.rules().charter
    directory = houses.town.root / "public"
    verifiers = [note.verifier(keys.keyholder.log), note.verifier(keys.keyholder.ml_dsa)]
    assert audit.audit(lambda path: (directory / path).read_bytes(), verifiers, None).note == published


def test_a_charter_waits_for_its_delay_and_the_delay_in_force_counts(houses: Houses) -> None:
    _enter(houses, _next(houses, delay=1000))
    houses.town.room.sync()
    slow = houses.town.room.mirror.charters()[-1]
    # Cutting the delay short waits for the delay, too.
    _enter(houses, _next(houses, delay=0))
    houses.town.room.sync()
    assert houses.town.keyholder.charter.version == slow.charter.version
    with houses.refused("charter", written=True):
        asked = change(houses.ask().ask, charter=houses.town.room.mirror.charters()[-1].hash)
        houses.send(houses.disclose(houses.sign(asked)))
    houses.town.hands.wait(1000)
    houses.send(houses.good())
    assert houses.town.keyholder.charter.delay == 0


def test_a_stewards_change_takes_effect_with_its_charter(houses: Houses) -> None:
    young = Ed25519PrivateKey.generate()
    _enter(houses, _next(houses, stewards=[young.public_key().public_bytes_raw()]))
    houses.town.room.sync()
    with houses.refused("charter", written=False):
        _enter(houses, _next(houses))
    _enter(houses, _next(houses), young)
    houses.town.room.sync()


def test_a_reader_struck_from_the_roster_is_a_stranger(houses: Houses) -> None:
    request = houses.good()
    lines: list[RosterLine] = []
    ceremony.amend(houses.town.room, _steward(houses), lambda charter: charter, lines)
    with houses.refused("reader", written=False):
        houses.send(request)


# --- epochs ----------------------------------------------------------------------------------------------------------
def test_an_epochs_key_is_made_once_and_vouched_for(houses: Houses) -> None:
    today = houses.town.room.now() // 86400
    wanted = epochs.epoch_of(today, 3650)
    request = protocol.Epoch(**houses.town.room.common(), holding="residents", epoch=wanted)
    first, again = houses.send(request), houses.send(request)
    assert first == again
    houses.town.restart_keyholder()
    assert houses.send(request) == first


def test_only_epochs_that_can_be_are_made(houses: Houses) -> None:
    today = houses.town.room.now() // 86400
    fine = epochs.epoch_of(today, 3650)
    before = sorted((houses.town.root / "keyholder" / "epochs").iterdir())
    for wanted in (0, today, today - 31, fine + 1, fine - 1, epochs.epoch_of(today, 3650 + 70), 2**32 - 1):
        with houses.refused("epoch", written=False):
            houses.send(protocol.Epoch(**houses.town.room.common(), holding="residents", epoch=wanted))
    with houses.refused("holding", written=False):
        houses.send(protocol.Epoch(**houses.town.room.common(), holding="patients", epoch=fine))
    with houses.refused("malformed", written=False):
        houses.send(protocol.Epoch(**houses.town.room.common(), holding="../../tmp/x", epoch=fine))
    assert sorted((houses.town.root / "keyholder" / "epochs").iterdir()) == before


# --- operator --------------------------------------------------------------------------------------------------------
def _operate(houses: Houses, key: Ed25519PrivateKey | None = None, **members: Any) -> bytes:
    whole: dict[str, Any] = {
        "action": "freeze",
        "holding": "",
        "nonce": os.urandom(16),
        "records": [],
        "scope": "room",
        "time": houses.town.room.now(),
    }
    content = encode(protocol.Operate(**whole | members))
    signature = protocol.sign_request(
        houses.town.keyholder.room, "/v1/operator", content, key or houses.town.keyholder.keys.operator
    )
    houses.town.keyholder.ask("/v1/operator", signature, content)
    return content


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("stale", {"time": 0}),
        ("malformed", {"scope": "rooms"}),
        ("malformed", {"scope": "room:x"}),
        ("malformed", {"scope": "holding:"}),
        ("malformed", {"scope": "holding:patients"}),
        ("malformed", {"scope": "reader:" + "Z" * 32}),
        ("malformed", {"scope": "reader:"}),
        ("malformed", {"scope": ""}),
        ("malformed", {"action": "melt"}),
        ("holding", {"action": "erase", "holding": "patients", "records": [bytes(16)]}),
        ("holding", {"action": "erase", "holding": "residents"}),
    ],
)
def test_what_the_operator_cannot_do(houses: Houses, code: str, members: dict[str, Any]) -> None:
    with houses.refused(code, written=False):
        _operate(houses, **members)


def test_only_the_operator_operates_and_once(houses: Houses) -> None:
    keys = houses.town.keyholder.keys
    for key in (keys.desk, keys.message, houses.town.room.keys.message):
        with houses.refused("operator", written=False):
            _operate(houses, key)
    content = _operate(houses)
    _operate(houses, action="thaw")
    for seconds in (0, 120, 600):
        houses.town.hands.wait(seconds)
        signature = protocol.sign_request(houses.town.keyholder.room, "/v1/operator", content, keys.operator)
        with houses.refused("stale" if seconds == 600 else "used", written=False):
            houses.town.keyholder.ask("/v1/operator", signature, content)
    houses.send(houses.good())


def test_an_erasure_is_in_the_book_with_its_number(houses: Houses) -> None:
    _operate(houses, action="erase", holding="residents", records=houses.handles[:2] + houses.handles[:1])
    last = houses.entries()[-1]
    assert isinstance(last, entry.ErasureEntry)
    assert (last.holding, last.count) == ("residents", 2)
    keyholder = houses.town.keyholder
    holding = keyholder.holding_id("residents")
    assert last.marks == sorted(tag.erased(keyholder.keys.tag, holding, handle) for handle in houses.handles[:2])
    for at in range(3):
        signed = houses.town.ask(houses.handles[at : at + 1])
        if at < 2:
            with houses.refused("erased", written=True):
                houses.send(houses.disclose(signed))
        else:
            houses.send(houses.disclose(signed))


def test_a_frozen_readers_notice_names_nobody(houses: Houses) -> None:
    reader = houses.town.key_of("ana").reader.hex()
    _operate(houses, scope=f"reader:{reader}")
    last = houses.entries()[-1]
    assert isinstance(last, entry.NoticeEntry)
    assert (last.code, last.scope) == ("freeze", "reader")
    assert reader.encode() not in houses.held().entries[-1]
