"""The life of records after intake: newer versions, resealing, proofs that a batch can be opened, certificates (SPEC.md section 8.9).

Nothing is given here, and nothing is an entry: what the vault is told it could not open anything with.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from strongroom.canonical import Record, encode
from strongroom.errors import Refused
from strongroom.keyholder import office, protocol
from strongroom.keyholder.columns import check_batches
from strongroom.keyholder.epochs import SealedBatch, sealed_batches
from strongroom.keyholder.work import Finish, Work
from strongroom.ledger import checkpoint, entry, note
from strongroom.seal import batch, slot

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

_PLACE = 20


def supersede(keyholder: Keyholder, request: protocol.Supersede, work: Work, now: int) -> Finish:
    """Remember that records have newer versions, each one more than is known: whoever had the vault's key for a moment
    could otherwise say a version that never comes, and lock every record. Raises ``Refused`` (``holding``, ``malformed``,
    ``version``)."""
    _holding(keyholder, request.holding)
    count, rest = divmod(len(request.handles), 16)
    if rest or not 1 <= count <= protocol.MAX_VERSIONS or len(request.versions) != 4 * count:
        raise Refused("malformed", "the columns are not of one length")
    versions = slot.u32s(request.versions)
    if min(versions) < 2:
        raise Refused("malformed", "a version that is newer than another is 2 or more")
    handles, holding = slot.split(request.handles, 16), keyholder.holding_id(request.holding)
    if len(set(handles)) != count:
        raise Refused("malformed", "a record stands twice")
    known = keyholder.store.newest(holding, handles)
    if any(one > known.get(handle, 1) + 1 for handle, one in zip(handles, versions, strict=True)):
        raise Refused("version", "a version is more than one above the newest that is known; say those between first")
    keyholder.store.supersede(holding, zip(handles, versions, strict=True))
    return lambda: protocol.Done(done=True)


def reseal(keyholder: Keyholder, request: protocol.Reseal, work: Work, now: int) -> Finish:
    """Seal batches to a later epoch without the records that were erased. Raises ``Refused`` (``holding``, ``malformed``,
    ``expired``, ``epoch``, ``batch``)."""
    office.check_epoch(keyholder, request.holding, request.epoch, now, resealing=True)
    if sum(len(one.members) for one in request.batches) > _PLACE * protocol.MAX_AGING_MEMBERS:
        raise Refused(
            "malformed", f"a request has at most {protocol.MAX_AGING_MEMBERS} members in its batches together"
        )
    # All of them are opened before a key is made for them.
    opened = [_aging(keyholder, request, one, now) for one in request.batches]
    public = keyholder.epochs.public(request.holding, request.epoch)
    given = [
        _aged(keyholder, request, one, places, b, public)
        for one, (places, b) in zip(request.batches, opened, strict=True)
    ]
    holding_id = keyholder.holding_id(request.holding)
    said = protocol.reseal_message(keyholder.room, holding_id, request.epoch, work.body, given)
    signature = keyholder.keys.message.sign(said)
    return lambda: protocol.Resealed(batches=given, signature=signature)


def _aging(keyholder: Keyholder, request: protocol.Reseal, one: protocol.Aging, now: int) -> tuple[list[bytes], bytes]:
    """The members of a batch, and its secret."""
    places = _places(one)
    sealed = SealedBatch(one.epoch, one.expires, batch.members(places), one.sealed)
    b = _open(keyholder, request.holding, sealed, now)
    if request.epoch > one.expires:
        raise Refused("epoch", "the epoch is later than a batch's expiry")
    return places, b


def _aged(
    keyholder: Keyholder, request: protocol.Reseal, one: protocol.Aging, places: list[bytes], b: bytes, public: bytes
) -> protocol.Aged:
    holding = request.holding
    deltas = slot.split(one.deltas, 32) if one.deltas else [b""] * len(places)
    marks = keyholder.marks(holding, [place[:16] for place in places])
    erased = keyholder.store.erased(marks)
    kept = [(place, delta) for place, delta, mark in zip(places, deltas, marks, strict=True) if mark not in erased]
    if not kept:
        return protocol.Aged(deltas=b"", members=b"", sealed=b"")
    if len(kept) == len(places):
        bound = keyholder.epochs.bound(holding, request.epoch, one.expires, batch.members(places))
        return protocol.Aged(deltas=b"", members=b"", sealed=batch.seal_batch_secret(public, bound, b))
    # Another secret: with the old one, what was erased could be opened under the new key too.
    fresh = keyholder.random(32)
    places, deltas = [place for place, _ in kept], [delta for _, delta in kept]
    bound = keyholder.epochs.bound(holding, request.epoch, one.expires, batch.members(places))
    return protocol.Aged(
        deltas=b"".join(slot.rekey(b, fresh, places, deltas)),
        members=b"".join(places),
        sealed=batch.seal_batch_secret(public, bound, fresh),
    )


def _places(one: protocol.Aging) -> list[bytes]:
    count, rest = divmod(len(one.members), _PLACE)
    if rest or not 1 <= count <= batch.MAX_RECORDS or len(one.deltas) not in (0, 32 * count):
        raise Refused("malformed", "members are 1 to 10,000 of 20 bytes, deltas one each or none")
    places = slot.split(one.members, _PLACE)
    if any(a >= b for a, b in pairwise(places)):
        raise Refused("malformed", "members must be sorted and distinct")
    return places


def held(keyholder: Keyholder, request: protocol.Held, work: Work, now: int) -> Finish:
    """Prove that batches can be opened, to whoever sealed them. Raises ``Refused`` (``holding``, ``malformed``,
    ``expired``, ``epoch``, ``batch``)."""
    _holding(keyholder, request.holding)
    check_batches(request.batches, request.epochs, request.expires, request.members)
    sealed = sealed_batches(request.batches, request.epochs, request.expires, request.members)
    proofs = b"".join(slot.held(_open(keyholder, request.holding, one, now)) for one in sealed)
    return lambda: protocol.HeldProofs(proofs=proofs)


def certify(keyholder: Keyholder, request: protocol.Certify, work: Work, now: int) -> Finish:
    """The keyholder's signed word on erased records. Raises ``Refused`` (``holding``, ``record``)."""
    _holding(keyholder, request.holding)
    if len(set(request.records)) != len(request.records):
        raise Refused("malformed", "a record stands twice")
    marks = keyholder.marks(request.holding, request.records)
    erasures = keyholder.store.erased(marks)
    if len(erasures) != len(marks):
        raise Refused("record", "a record of the request was not erased")

    def finish() -> Record:
        destroyed = keyholder.epochs.destroyed(request.holding)
        records = []
        for handle, mark in zip(request.records, marks, strict=True):
            (data,) = keyholder.store.entries(erasures[mark], erasures[mark] + 1)
            item = entry.parse(data)
            assert isinstance(item, entry.ErasureEntry)
            left = [one for one in item.epochs if one not in destroyed]
            records.append(protocol.CertifiedRecord(entry=erasures[mark], epochs=left, handle=handle, mark=mark))
        signed = keyholder.book.note
        at = checkpoint.parse(note.parse_note(signed).text)
        text = encode(
            protocol.Certificate(
                holding=request.holding,
                records=records,
                room=keyholder.room,
                root=at.root,
                size=at.size,
                time=now,
                v=1,
            )
        )
        signature = keyholder.keys.message.sign(protocol.certificate_message(text))
        return protocol.Certified(certificate=text.decode(), checkpoint=signed, signature=signature)

    return finish


def _holding(keyholder: Keyholder, name: str) -> None:
    if name not in keyholder.charter.holdings:
        raise Refused("holding", "the charter in force has no such holding")


def _open(keyholder: Keyholder, holding: str, one: SealedBatch, now: int) -> bytes:
    """The secret of a batch that has not expired, under a key whose day has not come."""
    today = now // 86400
    if one.expires <= today:
        raise Refused("expired", "a batch has expired")
    if not keyholder.usable(holding, one.epoch, now):
        raise Refused("epoch", "there is no key for this holding and epoch, or its day has come")
    return keyholder.secret(holding, one)
