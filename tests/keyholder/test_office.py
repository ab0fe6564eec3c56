"""Charters, epoch keys, the operator: what a thief with the vault's key, or a steward's, gets out of them (SPEC.md 6, 8.2, 8.8)."""

from __future__ import annotations

import os
import time
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
from strongroom.ledger import audit, entry, note
from strongroom.seal import epoch as epochs

AHEAD = int(time.time()) + 86400


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
def _latest(houses: Houses, holding: str, ahead: int = 0) -> int:
    declared, day = houses.town.room.rules().charter.holdings[holding], (houses.town.room.now() + ahead) // 86400
    return epochs.epoch_of(day, declared.rotation, epochs.expiry_of(day, declared.retention))


def _epoch(houses: Houses, wanted: int, holding: str = "residents") -> Any:
    return houses.send(protocol.Epoch(**houses.town.room.common(), holding=holding, epoch=wanted))


def test_an_epochs_key_is_made_once_and_vouched_for(houses: Houses) -> None:
    wanted = _latest(houses, "residents")
    first, again = _epoch(houses, wanted), _epoch(houses, wanted)
    assert first == again
    houses.town.restart_keyholder()
    assert _epoch(houses, wanted) == first
    keyholder = houses.town.keyholder
    said = protocol.epoch_message(keyholder.room, keyholder.holding_id("residents"), wanted, first.public)
    keyholder.keys.message.public_key().verify(first.signature, said)


def test_only_epochs_that_can_be_are_made(houses: Houses) -> None:
    today = houses.town.room.now() // 86400
    folder = houses.town.root / "keyholder" / "epochs"
    for holding in ("residents", "calls"):
        fine = _latest(houses, holding, 120)
        _epoch(houses, fine, holding)
        _epoch(houses, today + 1, holding)
        before = sorted(folder.iterdir())
        for wanted in (0, today - 31, today, fine + 1, 2**32 - 1):
            with houses.refused("epoch", written=False):
                _epoch(houses, wanted, holding)
        assert sorted(folder.iterdir()) == before
    for code, holding in (("holding", "patients"), ("malformed", "../../tmp/x")):
        with houses.refused(code, written=False):
            _epoch(houses, _latest(houses, "residents"), holding)


def test_a_vault_whose_clock_is_ahead_gets_the_epoch_of_its_own_day(houses: Houses) -> None:
    """Else an import at midnight would fail for a second's difference, once a rotation."""
    now = houses.town.room.now()
    days = 7 - (now // 86400) % 7
    houses.town.hands.wait((now // 86400 + days) * 86400 - now - 100)
    tomorrow = _latest(houses, "calls", 100)
    assert tomorrow > _latest(houses, "calls")
    _epoch(houses, tomorrow, "calls")


def test_a_key_whose_file_is_gone_is_not_made_anew(houses: Houses) -> None:
    """What is sealed to it needs that one; the vault would go on sealing to the public half that it has."""
    wanted = _latest(houses, "residents")
    _epoch(houses, wanted)
    (path,) = (houses.town.root / "keyholder" / "epochs").glob("residents-*.key")
    whole = path.read_bytes()
    path.unlink()
    houses.town.restart_keyholder()
    with houses.refused("store", written=False):
        _epoch(houses, wanted)
    path.write_bytes(whole)
    _epoch(houses, wanted)


# --- operator --------------------------------------------------------------------------------------------------------
def _operate(houses: Houses, key: Ed25519PrivateKey | None = None, **members: Any) -> bytes:
    whole: dict[str, Any] = {
        "action": "freeze",
        "authority": "",
        "holding": "",
        "nonce": os.urandom(16),
        "scope": "room",
        "time": houses.town.room.now(),
        "until": 0,
    }
    content = encode(protocol.Operate(**whole | members))
    signature = protocol.sign_request(
        houses.town.keyholder.room, "/v1/operator", content, key or houses.town.keyholder.keys.operator
    )
    houses.town.keyholder.ask("/v1/operator", signature, content)
    return content


HOLD: dict[str, Any] = {"action": "hold", "scope": "", "holding": "residents", "authority": "a court", "until": AHEAD}


@pytest.mark.parametrize(
    ("code", "members"),
    [
        ("stale", {"time": 0}),
        ("malformed", {"scope": "rooms"}),
        ("malformed", {"scope": "room:x"}),
        ("malformed", {"scope": "holding:"}),
        ("holding", {"scope": "holding:patients"}),
        ("reader", {"scope": "reader:" + "0" * 32}),
        ("malformed", {"scope": "reader:" + "Z" * 32}),
        ("malformed", {"scope": "reader:"}),
        ("malformed", {"scope": ""}),
        ("malformed", {"action": "melt"}),
        ("malformed", {"action": "erase"}),
        ("malformed", {"holding": "residents"}),
        ("malformed", {"authority": "a court"}),
        ("malformed", {"until": 2**40}),
        ("holding", HOLD | {"holding": "patients"}),
        ("malformed", HOLD | {"scope": "room"}),
        ("malformed", HOLD | {"authority": ""}),
        ("malformed", HOLD | {"authority": " a court"}),
        ("malformed", HOLD | {"authority": "a\ncourt"}),
        ("malformed", HOLD | {"authority": "x" * 201}),
        ("malformed", HOLD | {"until": 2**40}),
        ("malformed", HOLD | {"until": 0}),
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


def test_a_hold_and_its_end_are_in_the_book(houses: Houses) -> None:
    now = houses.town.room.now()
    for until in (now + 86400, now + 2 * 86400, 0):
        _operate(houses, **HOLD | {"until": until})
    first, second, lift = houses.entries()[-3:]
    assert [(one.holding, one.authority) for one in (first, second, lift) if isinstance(one, entry.HoldEntry)] == [
        ("residents", "a court")
    ] * 3
    assert [getattr(one, "until", 0) for one in (first, second, lift)] == [now + 86400, now + 2 * 86400, lift.time]
    assert not houses.town.keyholder.held("residents", now)
    # The day after, that of another authority stands for itself alone.
    _operate(houses, **HOLD)
    _operate(houses, **HOLD | {"authority": "another court"})
    _operate(houses, **HOLD | {"until": 0})
    assert houses.town.keyholder.held("residents", now)
    assert not houses.town.keyholder.held("calls", now)
    with houses.refused("malformed", written=False):
        _operate(houses, **HOLD | {"until": 0})


def test_a_frozen_readers_notice_names_nobody(houses: Houses) -> None:
    reader = houses.town.key_of("ana").reader.hex()
    _operate(houses, scope=f"reader:{reader}")
    last = houses.entries()[-1]
    assert isinstance(last, entry.NoticeEntry)
    assert (last.code, last.scope) == ("freeze", "reader")
    assert reader.encode() not in houses.held().entries[-1]
