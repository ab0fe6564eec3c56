"""Newer versions, resealing, proofs and certificates: what the keyholder does for records without giving anything (SPEC.md 3.7 and 8.9)."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.houses import Houses, change
from tests.keyholder import asked
from tests.keyholder.asked import DAY, Sealed

from strongroom.canonical import encode
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, entry, note
from strongroom.seal import batch, hpke, slot
from strongroom.seal.mac import keyed


@pytest.fixture
def sealed(houses: Houses) -> Sealed:
    return Sealed(houses, houses.handles[:4])


def _today(houses: Houses) -> int:
    return houses.town.room.now() // DAY


def _reseal(houses: Houses, *batches: protocol.Aging, later: int = 31, **members: Any) -> protocol.Reseal:
    whole: dict[str, Any] = {"holding": "residents", "epoch": _today(houses) + later, "batches": list(batches)}
    return protocol.Reseal(**houses.town.room.common(), **whole | members)


def _secret(houses: Houses, given: protocol.Aged, epoch: int, expires: int, members: bytes) -> bytes:
    """Open what came of it as the keyholder would."""
    keyholder = houses.town.keyholder
    private = keyholder.epochs.files.get("residents", epoch)
    assert private is not None
    return batch.open_batch_secret(private, keyholder.epochs.bound("residents", epoch, expires, members), given.sealed)


def _send(houses: Houses, request: protocol.Reseal) -> list[protocol.Aged]:
    answer = houses.send(request)
    assert isinstance(answer, protocol.Resealed)
    keyholder = houses.town.keyholder
    said = protocol.reseal_message(
        keyholder.room, keyholder.holding_id("residents"), request.epoch, encode(request), answer.batches
    )
    keyholder.keys.message.public_key().verify(answer.signature, said)
    return answer.batches


# --- resealing -------------------------------------------------------------------------------------------------------
def test_what_nothing_was_erased_of_keeps_its_secret(houses: Houses, sealed: Sealed) -> None:
    before = houses.held()
    request = _reseal(houses, sealed.aging())
    (given,) = _send(houses, request)
    assert (given.deltas, given.members) == (b"", b"")
    assert _secret(houses, given, request.epoch, sealed.closed.expires, sealed.closed.members) == sealed.secret
    # Nothing was given, and nothing is written.
    after = houses.held()
    assert (after.entries, after.budgets, after.asks) == (before.entries, before.budgets, before.asks)


def test_what_was_erased_is_left_behind(houses: Houses, sealed: Sealed) -> None:
    houses.send(asked.erase(houses, houses.handles[1:2]))
    request = _reseal(houses, sealed.aging())
    (given,) = _send(houses, request)
    places = slot.split(given.members, 20)
    kept = [handle for handle in sealed.handles if handle != houses.handles[1]]
    assert [place[:16] for place in places] == kept
    fresh = _secret(houses, given, request.epoch, sealed.closed.expires, batch.members(places))
    assert fresh != sealed.secret
    # The records that stay are what they were; the one that was erased is not to be had from the new secret.
    deltas = slot.split(given.deltas, 32)
    assert slot.record_secrets(keyed(fresh), places, deltas) == slot.record_secrets(keyed(sealed.secret), places)
    gone = houses.handles[1] + b"\0\0\0\1"
    (lost,) = slot.record_secrets(keyed(sealed.secret), [gone])
    for delta in [b"", *deltas]:
        assert slot.record_secrets(keyed(fresh), [gone], [delta]) != [lost]
    # Once more, of what has deltas already.
    houses.send(asked.erase(houses, houses.handles[2:3]))
    aged = protocol.Aging(
        deltas=given.deltas,
        epoch=request.epoch,
        expires=sealed.closed.expires,
        members=given.members,
        sealed=given.sealed,
    )
    houses.town.hands.wait(20 * DAY)
    again = _reseal(houses, aged)
    (last,) = _send(houses, again)
    rest = slot.split(last.members, 20)
    assert len(rest) == 2
    newest = _secret(houses, last, again.epoch, sealed.closed.expires, batch.members(rest))
    kept_secrets = slot.record_secrets(keyed(newest), rest, slot.split(last.deltas, 32))
    assert kept_secrets == slot.record_secrets(keyed(sealed.secret), rest)
    # Read with its delta, the record opens as ever.
    row = sealed.pieces((1,))[0][0]
    place = rest.index(row.handle + b"\0\0\0\1")
    pieces = [
        (
            one._replace(
                epoch=again.epoch,
                members=batch.members(rest),
                sealed=last.sealed,
                delta=last.deltas[32 * place : 32 * place + 32],
            ),
            piece,
        )
        for one, piece in sealed.pieces((1,))
        if one.handle == row.handle
    ]
    read = asked.request(houses, houses.town.ask([row.handle]), pieces)
    old = asked.request(houses, houses.town.ask([row.handle]), sealed.pieces((1,))[:1])
    assert houses.open(read, houses.send(read)).shares
    assert old.deltas == b""


def test_a_batch_of_which_all_was_erased_is_gone(houses: Houses, sealed: Sealed) -> None:
    other = Sealed(houses, houses.handles[6:8])
    houses.send(asked.erase(houses, houses.handles[:4]))
    gone, stays = _send(houses, _reseal(houses, sealed.aging(), other.aging()))
    assert (gone.deltas, gone.members, gone.sealed) == (b"", b"", b"")
    assert stays.sealed


def test_the_keyholder_reseals_nothing_to_another_key_than_its_own_for_that_day(houses: Houses, sealed: Sealed) -> None:
    request = _reseal(houses, sealed.aging())
    _send(houses, request)
    known = houses.town.keyholder.store.epoch("residents", request.epoch)
    assert known is not None
    path = houses.town.keyholder.epochs.files.path("residents", request.epoch)
    assert known.key == protocol.epoch_key_hash(hpke.private_from(path.read_bytes()).public)


def test_what_is_not_resealed(houses: Houses, sealed: Sealed) -> None:
    today, good = _today(houses), sealed.aging()
    swapped = good.members[20:40] + good.members[:20] + good.members[40:]
    refusals: list[tuple[str, Any]] = [
        ("holding", _reseal(houses, good, holding="patients")),
        ("epoch", _reseal(houses, good, later=0)),
        ("epoch", _reseal(houses, good, later=62)),
        # Past the day on which the records expire the key would keep them readable.
        ("epoch", _reseal(houses, Sealed(houses, houses.handles[:1], epoch=today + 10, expires=today + 20).aging())),
        ("expired", _reseal(houses, sealed.aging(expires=today))),
        ("epoch", _reseal(houses, sealed.aging(epoch=today))),
        ("epoch", _reseal(houses, sealed.aging(epoch=30_000))),
        ("batch", _reseal(houses, sealed.aging(expires=today + 91))),
        ("batch", _reseal(houses, sealed.aging(members=good.members[:-20]))),
        ("batch", _reseal(houses, sealed.aging(sealed=b"\1" + os.urandom(1168)))),
        ("malformed", _reseal(houses, sealed.aging(members=swapped))),
        ("malformed", _reseal(houses, sealed.aging(members=good.members[:20] * 2))),
        ("malformed", _reseal(houses, sealed.aging(members=good.members[:-1]))),
        ("malformed", _reseal(houses, sealed.aging(members=b""))),
        ("malformed", _reseal(houses, sealed.aging(deltas=bytes(32)))),
        ("malformed", _reseal(houses)),
        ("malformed", _reseal(houses, *[good] * 101)),
    ]
    for code, request in refusals:
        with houses.refused(code, written=False):
            houses.send(request)


def test_the_work_of_a_request_is_bounded(houses: Houses, sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_AGING_MEMBERS", 7)
    _send(houses, _reseal(houses, sealed.aging()))
    with houses.refused("malformed", written=False):
        houses.send(_reseal(houses, sealed.aging(), sealed.aging()))


def test_the_members_of_the_longest_request_fit_its_body() -> None:
    longest = protocol.MAX_AGING_MEMBERS * (20 + 32) * 4 // 3 + protocol.MAX_RESEALED * (1169 * 4 // 3 + 200)
    assert longest < protocol.MAX_BODY


# --- proofs ----------------------------------------------------------------------------------------------------------
def _held(houses: Houses, *given: Sealed, **members: Any) -> protocol.Held:
    whole: dict[str, Any] = {
        "holding": "residents",
        "batches": [one.closed.secret for one in given],
        "epochs": [one.closed.epoch for one in given],
        "expires": [one.closed.expires for one in given],
        "members": b"".join(one.closed.members for one in given),
    }
    return protocol.Held(**houses.town.room.common(), **whole | members)


def test_the_keyholder_proves_that_it_can_open_a_batch(houses: Houses, sealed: Sealed) -> None:
    other = Sealed(houses, houses.handles[5:6])
    answer = houses.send(_held(houses, sealed, other))
    assert isinstance(answer, protocol.HeldProofs)
    assert answer.proofs == slot.held(sealed.secret) + slot.held(other.secret)
    today = _today(houses)
    refusals: list[tuple[str, dict[str, Any]]] = [
        ("holding", {"holding": "patients"}),
        ("batch", {"members": bytes(32)}),
        ("epoch", {"epochs": [today]}),
        ("expired", {"expires": [today]}),
        ("malformed", {"epochs": []}),
        ("malformed", {"expires": [1, 2]}),
        ("malformed", {"members": bytes(31)}),
        ("malformed", {"batches": []}),
    ]
    for code, members in refusals:
        with houses.refused(code, written=False):
            houses.send(_held(houses, sealed, **members))


# --- certificates ----------------------------------------------------------------------------------------------------
def _certify(houses: Houses, *handles: bytes, **members: Any) -> protocol.Certificate:
    request = protocol.Certify(
        **houses.town.room.common(), **{"holding": "residents", "records": list(handles)} | members
    )
    answer = houses.send(request)
    assert isinstance(answer, protocol.Certified)
    keyholder = houses.town.keyholder
    said = protocol.certificate_message(answer.certificate.encode())
    keyholder.keys.message.public_key().verify(answer.signature, said)
    found = protocol.certificate.parse(answer.certificate.encode())
    at, _ = note.open_checkpoint(answer.checkpoint, [note.verifier(keyholder.keys.log.vkey)])
    assert at == checkpoint.Checkpoint(keyholder.keys.origin, found.size, found.root)
    return found


def test_a_certificate_says_what_an_erasure_waits_for(houses: Houses) -> None:
    request = asked.erase(houses, houses.handles[:2])
    houses.send(request)
    index = houses.town.keyholder.book.size - 1
    found = _certify(houses, *houses.handles[:2])
    (epoch,) = set(request.epochs)
    assert [(one.handle, one.entry, one.epochs) for one in found.records] == [
        (handle, index, [epoch]) for handle in houses.handles[:2]
    ]
    written = houses.entries()[index]
    assert isinstance(written, entry.ErasureEntry)
    assert sorted(one.mark for one in found.records) == written.marks
    # Final when the key is destroyed.
    houses.town.hands.wait((epoch - _today(houses)) * DAY)
    houses.town.tick()
    assert [one.epochs for one in _certify(houses, *houses.handles[:2]).records] == [[], []]


def test_a_key_whose_file_is_there_still_is_not_destroyed(houses: Houses) -> None:
    request = asked.erase(houses, houses.handles[:1])
    houses.send(request)
    (epoch,) = set(request.epochs)
    path = houses.town.keyholder.epochs.files.path("residents", epoch)
    whole = path.read_bytes()
    houses.town.hands.wait((epoch - _today(houses)) * DAY)
    houses.town.tick()
    path.write_bytes(whole)
    assert _certify(houses, houses.handles[0]).records[0].epochs == [epoch]
    houses.town.tick()
    assert _certify(houses, houses.handles[0]).records[0].epochs == []


def test_what_is_not_certified(houses: Houses) -> None:
    houses.send(asked.erase(houses, houses.handles[:1]))
    one = houses.handles[0]
    for code, handles, members in (
        ("record", [one, houses.handles[1]], {}),
        ("record", [one], {"holding": "calls"}),
        ("holding", [one], {"holding": "patients"}),
        ("malformed", [one, one], {}),
        ("malformed", [], {}),
    ):
        with houses.refused(code, written=False):
            _certify(houses, *handles, **members)


# --- versions --------------------------------------------------------------------------------------------------------
def test_what_is_no_newer_version(houses: Houses) -> None:
    handle = houses.handles[0]
    good = asked.supersede(houses, (handle, 2))
    for code, request in (
        ("malformed", change(good, versions=b"\0\0\0\1")),
        ("malformed", change(good, versions=b"\0\0\2")),
        ("malformed", change(good, handles=handle[:-1])),
        ("malformed", change(good, handles=b"", versions=b"")),
        ("malformed", asked.supersede(houses, *[(os.urandom(16), 2)] * (protocol.MAX_VERSIONS + 1))),
        ("holding", change(good, holding="patients")),
        ("malformed", asked.supersede(houses, (handle, 2), (handle, 3))),
        # A version that never comes would lock the record for good.
        ("version", asked.supersede(houses, (handle, 2**32 - 1))),
        ("version", asked.supersede(houses, (handle, 3))),
    ):
        with houses.refused(code, written=False):
            houses.send(request)
    assert isinstance(houses.send(good), protocol.Done)
    assert houses.town.keyholder.newest("residents", [handle, houses.handles[1]]) == {handle: 2}
    with houses.refused("version", written=False):
        houses.send(asked.supersede(houses, (handle, 4), (houses.handles[1], 2)))
    houses.send(asked.supersede(houses, (handle, 3), (houses.handles[1], 2)))
    assert houses.town.keyholder.newest("residents", [handle, houses.handles[1]]) == {handle: 3, houses.handles[1]: 2}
    assert houses.town.keyholder.newest("calls", [handle]) == {}
