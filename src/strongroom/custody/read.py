"""A read, step by step: gate, keyholder, receipt, open, mask (DESIGN section 4; SPEC.md sections 7 and 8).

The order is the promise: nothing is opened before the receipt is verified against the vault's own mirror.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from strongroom.canonical import encode
from strongroom.catalog import fields as types
from strongroom.catalog.types import primary
from strongroom.client.device import SignedAsk
from strongroom.custody.admit import admit, keep_private
from strongroom.custody.receipt import verify_entry
from strongroom.custody.room import Room
from strongroom.errors import CommitmentError, EntryError, FormatError, InputError, SealError
from strongroom.gate import ask as asks
from strongroom.gate.decision import Grant
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.redact import mask
from strongroom.seal import body, columns, hpke, person
from strongroom.seal.cleartext import open_compartment
from strongroom.store.rows import Stored


@dataclass(frozen=True)
class Found:
    """The records that have the identifier, by handle; none when nobody has. ``index`` is the find's own entry."""

    handles: tuple[bytes, ...]
    index: int
    receipt: str


@dataclass(frozen=True)
class Disclosed:
    """For each record asked for, in the ask's order, the fields asked for, masked. ``receipt`` is a C2SP tlog-proof."""

    handles: tuple[bytes, ...]
    values: tuple[dict[str, str | None], ...] = field(repr=False)
    index: int
    receipt: str


def find(room: Room, signed: SignedAsk) -> Found:
    """Is the person here? Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``ValueRejected``."""
    ask = signed.ask
    assert isinstance(ask, asks.FindAsk)
    line = admit(room, signed).line
    assert signed.private.subject is not None
    number = room.holding(ask.holding)
    holding = room.rules().charter.holdings[ask.holding]
    declared = next(f for n, f in holding.fields.items() if f.identifier != "none" and types.kind(n, f) == ask.kind)
    value = types.parse(declared, signed.private.subject.value)
    if value is None:
        raise InputError("the identifier to find is empty")
    nf = types.normal(declared, value)
    inner = person.inners(room.keys.holding(ask.holding), ask.kind, [nf])[0]
    keep_private(room, signed)
    seed = hpke.private_from(room.random(96))
    known = room.common()
    request = encode(
        protocol.Find(**known, ask=signed.text.decode(), signature=signed.signature, fresh=seed.public, inner=inner)
    )
    answer = protocol.sealed_answer.parse(room.client.send("/v1/find", request))
    given = protocol.token.parse(hpke.decrypt(seed, protocol.answer_info(room.keys.room, request), answer.sealed))
    index = room.settle(given.receipt, answer.entries, known["have"])
    verify_entry(room, index, signed.text, line, entry.FindEntry, 1)
    return Found(tuple(room.store.handles_of_token(number, given.token)), index, given.receipt)


def disclose(room: Room, signed: SignedAsk) -> Disclosed:
    """Open the asked fields of the asked records.

    Raises ``Refused`` by gate or keyholder, ``InputError`` for a handle that is not here, ``LedgerError`` when the
    receipt is not good, ``SealError`` (``CommitmentError``) when a record was tampered with. Then nothing is returned.
    """
    ask = signed.ask
    assert isinstance(ask, asks.DiscloseAsk)
    admitted = admit(room, signed)
    grant = admitted.grant
    rows = room.store.latest(room.holding(ask.holding), ask.records)
    if len(rows) != len(ask.records):
        raise InputError(f"{len(ask.records) - len(rows)} of the records named are not in {ask.holding}")
    slots = _slots(rows, grant)
    keep_private(room, signed)
    seed = hpke.private_from(room.random(96))
    known = room.common()
    request = encode(_request(known, signed, slots, seed.public))
    answer = protocol.sealed_answer.parse(room.client.send("/v1/disclose", request))
    given = protocol.shares.parse(hpke.decrypt(seed, protocol.answer_info(room.keys.room, request), answer.sealed))
    index = room.settle(given.receipt, answer.entries, known["have"])
    written = verify_entry(room, index, signed.text, admitted.line, entry.DisclosureEntry, len(ask.records))
    if written.compartments != sorted({slot.compartment for _, slot in slots}):
        raise EntryError(f"entry {index} names other compartments than were asked for")
    shares, whos = columns.split(given.shares, 32), columns.split(given.whos, 16)
    if not len(shares) == len(whos) == len(slots):
        raise FormatError("the keyholder's answer has not one share and one person for each slot")
    if len(written.tags) != len({(row.handle, who) for (row, _), who in zip(slots, whos, strict=True)}):
        raise EntryError(
            f"entry {index} has not one tag for each person of each record: somebody would not find this read"
        )
    opened = _open(room, ask, slots, shares)
    _verify_persons(room, ask.holding, opened, slots, whos)
    values = _shown(room, ask, grant, opened)
    return Disclosed(tuple(ask.records), tuple(values[handle] for handle in ask.records), index, given.receipt)


def _slots(rows: Sequence[Stored], grant: Grant) -> list[tuple[Stored, body.Slot]]:
    found = []
    for row in sorted(rows, key=lambda item: item.handle):
        slots = [slot for slot in body.parse(row.body) if slot.compartment in grant.compartments]
        if len(slots) != len(grant.compartments):
            raise SealError("a record lacks a compartment that the catalog declares; run strongroom fsck")
        found += [(row, slot) for slot in slots]
    return found


def _request(
    known: dict[str, Any], signed: SignedAsk, slots: Sequence[tuple[Stored, body.Slot]], fresh: bytes
) -> protocol.Disclose:
    places: dict[bytes, int] = {}
    batches: list[bytes] = []
    epochs: list[int] = []
    batch: list[int] = []
    for row, _ in slots:
        if row.batch not in places:
            places[row.batch] = len(batches)
            batches.append(row.sealed)
            epochs.append(row.epoch)
        batch.append(places[row.batch])
    return protocol.Disclose(
        **known,
        ask=signed.text.decode(),
        signature=signed.signature,
        fresh=fresh,
        batches=batches,
        epochs=epochs,
        handles=b"".join(row.handle for row, _ in slots),
        versions=columns.put_u32s([row.version for row, _ in slots]),
        compartments=columns.put_u16s([slot.compartment for _, slot in slots]),
        masked=b"".join(slot.masked for _, slot in slots),
        batch=columns.put_u16s(batch),
    )


def _open(
    room: Room, ask: asks.DiscloseAsk, slots: Sequence[tuple[Stored, body.Slot]], shares: Sequence[bytes]
) -> dict[bytes, dict[str, str | None]]:
    """Handle -> all fields of its opened compartments, which do not leave this file but through ``_shown``."""
    keys, declared = room.keys.holding(ask.holding), room.rules().charter.holdings[ask.holding].fields
    enums = frozenset(name for name, item in declared.items() if item.type == "enum")
    found: dict[bytes, dict[str, str | None]] = {handle: {} for handle in ask.records}
    for (row, slot), share in zip(slots, shares, strict=True):
        try:
            opened = open_compartment(keys, share, row.handle, row.version, slot.compartment, slot.blob, enums)
        except CommitmentError:
            raise CommitmentError(
                f"record {row.handle.hex()} does not open with the share of its person: it was tampered with. The read is in the ledger"
            ) from None
        found[row.handle] |= opened
    return found


def _verify_persons(
    room: Room,
    holding: str,
    opened: dict[bytes, dict[str, str | None]],
    slots: Sequence[tuple[Stored, body.Slot]],
    whos: Sequence[bytes],
) -> None:
    """Where the primary identifier was opened, the read must have been tagged on the chain of that very person: whoever had
    the vault at intake may have sealed a record under somebody else's. Raises ``SealError``."""
    keys, declared = room.keys.holding(holding), room.rules().charter.holdings[holding]
    named = primary(declared)
    expected: dict[bytes, bytes] = {}
    for handle, fields in opened.items():
        if named is None or (named in fields and fields[named] is None):
            expected[handle] = person.who_of_handle(keys, handle)
        elif named in fields:
            field = declared.fields[named]
            nf = types.normal(field, fields[named] or "")
            expected[handle] = person.inners(keys, types.kind(named, field), [nf])[0][:16]
    for (row, _), who in zip(slots, whos, strict=True):
        if row.handle in expected and not hmac.compare_digest(expected[row.handle], who):
            raise SealError(
                f"record {row.handle.hex()} is sealed under another person than its identifier names, who will not find this "
                "read. It was so taken in; take it in anew"
            )


def _shown(
    room: Room, ask: asks.DiscloseAsk, grant: Grant, opened: dict[bytes, dict[str, str | None]]
) -> dict[bytes, dict[str, str | None]]:
    """Only what was asked for, masked, though a compartment holds more."""
    declared = room.rules().charter.holdings[ask.holding].fields
    return {
        handle: {
            name: mask.apply(masking, declared[name], fields[name])
            for name, masking in grant.fields.items()
            if name in fields
        }
        for handle, fields in opened.items()
    }
