"""Each check of the keyholder attacked alone: one thing changed in a good request, signed again where the attacker could (SPEC.md 8.4)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from tests.houses import FRESH, Houses, change
from tests.keyholder import asked
from tests.keyholder.asked import WHY, Sealed, erase

from strongroom.canonical import encode
from strongroom.client.device import Device, SignedAsk
from strongroom.custody import ceremony
from strongroom.errors import CommitmentError, SealError, StoreError, StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import checks, protocol
from strongroom.keyholder.epochs import SealedBatch
from strongroom.keyholder.work import Work
from strongroom.ledger import entry
from strongroom.seal import body, cleartext, columns, slot
from strongroom.seal.mac import keyed

Attack = Callable[[Houses], Any]


def _resigned(houses: Houses, device: Device | None = None, **members: Any) -> SignedAsk:
    return houses.sign(change(houses.ask().ask, **members), device)


def _with(houses: Houses, device: Device | None = None, **members: Any) -> protocol.Disclose:
    """A request like the good one, its ask changed and signed again."""
    signed = _resigned(houses, device, **members)
    request: protocol.Disclose = change(houses.good(), ask=signed.text.decode(), signature=signed.signature)
    return request


def _stranger() -> Device:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Device("mallory", Ed25519PrivateKey.generate())


# What the vault's root can send without a reader: nothing is written for it.
def _altered(h: Houses) -> Any:
    good = h.good()
    return change(good, ask=good.ask.replace('"name"', '"born"'))


def _other_reader(h: Houses) -> Any:
    signed = h.ask()
    return change(h.disclose(signed), signature=h.sign(signed.ask, h.town.key_of("rui")).signature)


def _unknown_reader(h: Houses) -> Any:
    mallory = _stranger()
    return _with(h, mallory, reader=mallory.reader)


def _for_find(h: Houses) -> Any:
    return h.find(h.ask())


UNWRITTEN: dict[str, tuple[str, Attack]] = {
    "no signature": ("signature", lambda h: change(h.good(), signature=bytes(64))),
    "forged": ("signature", lambda h: change(h.good(), signature=_resigned(h, _stranger()).signature)),
    "another ask's": ("signature", lambda h: change(h.good(), signature=h.ask().signature)),
    "another reader's": ("signature", _other_reader),
    "another reader named": ("signature", lambda h: _with(h, reader=h.town.key_of("rui").reader)),
    "altered": ("signature", _altered),
    "not canonical": ("ask", lambda h: change(h.good(), ask=h.good().ask.replace(":", ": ", 1))),
    "not an ask": ("ask", lambda h: change(h.good(), ask="{}")),
    "for another action": ("ask", _for_find),
    "records not sorted": ("ask", lambda h: _with(h, records=sorted(h.handles[:2], reverse=True))),
    "fields twice": ("ask", lambda h: _with(h, fields=["name", "name"])),
    "unknown reader": ("reader", _unknown_reader),
    "another room": ("room", lambda h: _with(h, room=os.urandom(16))),
    "from the future": ("early", lambda h: _with(h, time=h.town.room.now() + checks.EARLY_SECONDS + 1)),
    "old": ("stale", lambda h: _with(h, time=h.town.room.now() - checks.LATE_SECONDS - 1)),
    "columns: handles": ("malformed", lambda h: change(h.good(2), handles=h.good(2).handles[:-1])),
    "columns: versions": ("malformed", lambda h: change(h.good(2), versions=h.good(2).versions[4:])),
    "columns: compartments": ("malformed", lambda h: change(h.good(2), compartments=b"\0\1\0")),
    "columns: masked": ("malformed", lambda h: change(h.good(2), masked=h.good(2).masked[16:])),
    "columns: batch": ("malformed", lambda h: change(h.good(2), batch=b"")),
    "columns: none": (
        "malformed",
        lambda h: change(h.good(), handles=b"", versions=b"", compartments=b"", masked=b"", batch=b""),
    ),
    "no such batch": ("malformed", lambda h: change(h.good(), batch=b"\0\1")),
    "no batch": ("malformed", lambda h: change(h.good(), batches=[], epochs=[], expires=[], members=b"")),
    "an expiry missing": ("malformed", lambda h: change(h.good(), expires=[])),
    "members cut": ("malformed", lambda h: change(h.good(), members=h.good().members[:-1])),
    "deltas cut": ("malformed", lambda h: change(h.good(), deltas=bytes(31))),
    "an epoch too many": ("malformed", lambda h: change(h.good(), epochs=h.good().epochs * 2)),
    "version 0": ("malformed", lambda h: change(h.good(), versions=bytes(4))),
    "compartment 0": ("malformed", lambda h: change(h.good(), compartments=bytes(2))),
    "a slot twice": (
        "malformed",
        lambda h: change(
            h.good(),
            **{
                name: getattr(h.good(), name) * 2 for name in ("handles", "versions", "compartments", "masked", "batch")
            },
        ),
    ),
    "slots not sorted": (
        "malformed",
        lambda h: change(h.good(2), handles=b"".join(reversed(columns.split(h.good(2).handles, 16)))),
    ),
}


@pytest.mark.parametrize("name", UNWRITTEN)
def test_refused_and_unwritten(houses: Houses, name: str) -> None:
    code, attack = UNWRITTEN[name]
    request = attack(houses)
    with houses.refused(code, written=False):
        houses.send(request)


# What a reader signed, and may not have: an entry each, and the ask is used up.
def _old_charter(h: Houses) -> Any:
    return _with(h, charter=h.town.room.mirror.charters()[-2].hash)


def _role(h: Houses) -> Any:
    rui = h.town.key_of("rui")
    return _with(h, rui, reader=rui.reader)


def _unit(h: Houses) -> Any:
    harbour = _stranger()
    steward = ceremony.load_steward(h.town.root / "steward" / "steward.key")
    ceremony.enrol_reader(h.town.room, steward, harbour.public, "clerk", "harbour")
    return _with(h, harbour, reader=harbour.reader)


def _frozen(scope: str) -> Attack:
    def attack(h: Houses) -> Any:
        h.operate("freeze", scope.replace("ANA", h.town.key_of("ana").reader.hex()))
        return h.good()

    return attack


def _erased(h: Houses) -> Any:
    h.send(erase(h, h.handles[:1]))
    return h.good(2)


def _two_versions(h: Houses) -> Any:
    request = h.disclose(h.ask(1, ("phone", "name"), "reach"), (1, 2))
    return change(request, versions=columns.put_u32s([1, 2]))


def _sealed(h: Houses, **how: Any) -> Any:
    """A batch secret of the attacker's own making, that says another thing than the request."""
    good = h.good()
    made = Sealed(h, h.handles[:1], **how)
    said: dict[str, Any] = {
        "epochs": [made.closed.epoch],
        "expires": [made.closed.expires],
        "members": made.closed.members,
    }
    return change(good, batches=[made.closed.secret], **said)


def _said_otherwise(**members: Any) -> Attack:
    """A batch that says the truth of itself, and then one thing of it changed."""
    return lambda h: change(_sealed(h), **members)


def _other_epoch(h: Houses) -> Any:
    later = h.good().epochs[0] - 1
    h.send(protocol.Epoch(**h.town.room.common(), holding="residents", epoch=later))
    return change(h.good(), epochs=[later])


def _too_many_people(h: Houses) -> Any:
    handles = [os.urandom(16) for _ in range(400)]
    whos = [[os.urandom(16) for _ in handles] for _ in range(3)]
    made = Sealed(h, handles, holding="calls", epoch=h.town.room.now() // 86400 + 7, whos=whos)
    signed = h.town.asker().disclose("calls", "trace", handles, ["caller", "callee", "day"], *WHY, h.town.room.now())
    return asked.request(h, signed, made.pieces())


def _two_persons(h: Houses) -> Any:
    """Two compartments about one person, sealed under two: the second would not be told."""
    made = Sealed(h, h.handles[:1], whos=[[os.urandom(16)], [os.urandom(16)]])
    return asked.request(h, h.ask(1, ("phone", "name"), "reach"), made.pieces())


WRITTEN: dict[str, tuple[str, Attack]] = {
    "old charter": ("charter", _old_charter),
    "made-up charter": ("charter", lambda h: _with(h, charter=os.urandom(32))),
    "unknown purpose": ("purpose", lambda h: _with(h, purpose="gossip")),
    "purpose without the action": ("purpose", lambda h: _with(h, purpose="register")),
    "role": ("role", _role),
    "unit": ("unit", _unit),
    "holding": ("holding", lambda h: _with(h, holding="secrets")),
    "field of another purpose": ("field", lambda h: _with(h, fields=["name", "phone"])),
    "unknown field": ("field", lambda h: _with(h, fields=["diagnosis"])),
    "compartment outside the fields": ("compartment", lambda h: h.disclose(h.ask(), (1, 2))),
    "compartment instead of the fields'": ("compartment", lambda h: h.disclose(h.ask(), (2,))),
    "a record more": ("record", lambda h: h.disclose(h.ask(1), count=2)),
    "a record missing": ("record", lambda h: h.disclose(h.ask(2), count=1)),
    "another record": ("record", lambda h: change(h.good(), handles=h.handles[3])),
    "two versions of one record": ("record", _two_versions),
    "more than 1,000 people": ("record", _too_many_people),
    "room frozen": ("frozen", _frozen("room")),
    "holding frozen": ("frozen", _frozen("holding:residents")),
    "reader frozen": ("frozen", _frozen("reader:ANA")),
    "one record erased": ("erased", _erased),
    "two persons for one": ("person", _two_persons),
    "epoch without a key": ("epoch", lambda h: change(h.good(), epochs=[30_000])),
    "epoch out of any calendar": ("epoch", lambda h: change(h.good(), epochs=[2**32 - 1])),
    "another epoch's key": ("batch", _other_epoch),
    "batch of another epoch": ("batch", lambda h: change(_sealed(h), epochs=h.good().epochs)),
    "batch of another expiry": ("batch", _said_otherwise(expires=[30_000])),
    "batch of other members": ("batch", _said_otherwise(members=bytes(32))),
    "batch of another holding": ("batch", lambda h: _sealed(h, sealed_for="calls")),
    "batch of another room": ("batch", lambda h: _sealed(h, room=os.urandom(16))),
    "no batch at all": ("batch", lambda h: change(h.good(), batches=[b"\1" + os.urandom(1168)])),
    "batch of another version": ("batch", lambda h: change(h.good(), batches=[b"\2" + h.good().batches[0][1:]])),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_refused_and_written(houses: Houses, name: str) -> None:
    code, attack = WRITTEN[name]
    request = attack(houses)
    with houses.refused(code, written=True):
        houses.send(request)
    # Used up: not even once thawed, or with everything else put right.
    with houses.refused("used", written=False):
        houses.send(request)
    good = change(houses.good(), ask=request.ask, signature=request.signature)
    with houses.refused("used", written=False):
        houses.send(good)


def test_a_refusal_carries_no_text_of_the_readers(houses: Houses) -> None:
    with houses.refused("purpose", written=True):
        houses.send(_with(houses, purpose="li-ming-has-debts"))
    with houses.refused("holding", written=True):
        houses.send(_with(houses, holding="li-ming-has-debts"))
    assert not any(b"li-ming" in data for data in houses.held().entries)


@pytest.mark.parametrize("at", [-checks.EARLY_SECONDS, 0, checks.LATE_SECONDS])
def test_the_edges_of_an_asks_time_are_inside(houses: Houses, at: int) -> None:
    houses.send(_with(houses, time=houses.town.room.now() - at))


def test_the_good_request_is_good(houses: Houses) -> None:
    """Else every refusal above could be for another reason than the one it names."""
    request = houses.good(3)
    answer = houses.open(request, houses.send(request))
    assert len(answer.shares) == 3 * 32
    last = houses.entries()[-1]
    assert isinstance(last, entry.DisclosureEntry)
    assert (last.count, last.compartments, len(last.tags)) == (3, [1], 3)


# --- the vault's own signature ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/v1/disclose", "/v1/entries", "/v1/status", "/v1/epoch", "/v1/charter"])
def test_nobody_but_the_vault_gets_as_far_as_the_parser(houses: Houses, path: str) -> None:
    body_, key = encode(houses.good()), _stranger().key
    ours = houses.town.room.keys.message
    for signature in (
        b"",
        bytes(64),
        protocol.sign_request(houses.town.keyholder.room, path, body_, key),
        protocol.sign_request(bytes(16), path, body_, ours),
        protocol.sign_request(houses.town.keyholder.room, "/v1/find", body_, ours),
        protocol.sign_request(houses.town.keyholder.room, path, body_ + b" ", ours),
    ):
        with houses.refused("vault", written=False):
            houses.town.keyholder.ask(path, signature, body_)
        with houses.refused("vault", written=False):
            houses.town.keyholder.ask(path, signature, b"garbage")


def test_a_path_that_is_none(houses: Houses) -> None:
    for path in ("/v1/nothing", "", "/v1/disclose/", "/v1//disclose"):
        with houses.refused("malformed", written=False):
            houses.send(b"{}", path or "/")


# --- whom it is about ------------------------------------------------------------------------------------------------
def test_a_relabelled_slot_opens_nothing_and_marks_the_other_person(houses: Houses) -> None:
    room, keyholder = houses.town.room, houses.town.keyholder
    one, other = (room.store.latest(room.holding("residents"), [handle])[0] for handle in houses.handles[:2])
    b = keyholder.secret("residents", SealedBatch(one.epoch, one.expires, one.members, one.sealed))
    secrets = slot.record_secrets(keyed(b), slot.places([one.handle, other.handle], [1, 1]))
    mine, theirs = (
        slot.unmask(secret, body.parse(row.body)[0].masked, 1)
        for secret, row in zip(secrets, (one, other), strict=True)
    )
    request = houses.good()
    relabelled = change(request, masked=columns.xor(columns.xor(request.masked, mine), theirs))
    share = houses.open(relabelled, houses.send(relabelled)).shares
    with pytest.raises(CommitmentError):
        cleartext.open_compartment(
            room.keys.holding("residents"), share, one.handle, 1, 1, body.parse(one.body)[0].blob
        )
    holding = keyholder.holding_id("residents")
    assert keyholder.store.chain_counts(holding, theirs) == [(1, 1)]
    assert keyholder.store.chain_counts(holding, mine) == []


def test_a_key_to_answer_with_that_cannot_be_used_harms_its_sender_alone(houses: Houses) -> None:
    """X25519 of small order is found out only when it is used: after the commit."""
    poison = change(houses.good(), fresh=FRESH.public[:1184] + bytes(32))
    good = houses.good(2)
    works = []
    for request in (poison, good):
        content = encode(request)
        signature = protocol.sign_request(
            houses.town.keyholder.room, "/v1/disclose", content, houses.town.room.keys.message
        )
        works.append(Work("/v1/disclose", signature, content))
    bad, fine = houses.town.keyholder.commit(works)
    assert isinstance(bad, SealError)
    assert not isinstance(fine, StrongroomError)
    assert len(houses.open(good, fine).shares) == 64


def test_a_find_marks_the_value_asked_for_hit_or_miss(houses: Houses) -> None:
    town, inner = houses.town, os.urandom(32)
    now = town.room.now()
    signed = town.asker().find("residents", "confirm", "phone", "+86", "c", "a reason", now)
    request = houses.find(signed, inner)
    assert len(houses.open(request, houses.send(request), protocol.token).token) == 16
    assert town.keyholder.store.chain_counts(town.keyholder.holding_id("residents"), inner[:16]) == [(1, 1)]
    unknown = change(signed.ask, kind="email", nonce=os.urandom(16))
    with houses.refused("field", written=True):
        houses.send(houses.find(houses.sign(unknown)))
    assert isinstance(signed.ask, asks.FindAsk)


# --- what the vault's mirror says --------------------------------------------------------------------------------------
@pytest.mark.parametrize("have", [0, 1])
def test_a_vault_whose_ledger_is_another_gets_nothing(houses: Houses, have: int) -> None:
    """One of the two was restored from an old copy, or the book was forked."""
    before = houses.held()
    with pytest.raises(StoreError, match="not this book's"):
        houses.send(change(houses.good(), have=have, root=bytes(32)))
    assert houses.held() == before


@pytest.mark.parametrize("seconds", [-121, 121])
@pytest.mark.parametrize("path", ["/v1/status", "/v1/entries", "/v1/publish", "/v1/cosign"])
def test_a_request_without_an_ask_is_good_for_two_minutes(houses: Houses, path: str, seconds: int) -> None:
    known = houses.town.room.common()
    known["time"] += seconds
    request = protocol.Entries(**known, start=0, limit=1) if path == "/v1/entries" else protocol.Plain(**known)
    with houses.refused("stale", written=False):
        houses.send(request, path)
