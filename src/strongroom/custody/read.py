"""A read, step by step: gate, keyholder, receipt, open, mask (DESIGN section 4; SPEC.md sections 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from strongroom.catalog import fields as types
from strongroom.catalog.model import Holding
from strongroom.client.device import SignedAsk
from strongroom.custody import alone, opening
from strongroom.custody.admit import admitting
from strongroom.custody.opening import Fields
from strongroom.custody.receipt import verify_entry
from strongroom.custody.room import Room
from strongroom.custody.steps import Say, Steps
from strongroom.errors import InputError
from strongroom.gate import ask as asks
from strongroom.gate.decision import Grant
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.redact import mask
from strongroom.seal import person


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
    values: tuple[Fields, ...] = field(repr=False)
    index: int
    receipt: str


def find(room: Room, signed: SignedAsk) -> Found:
    """Is the person here? Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``ValueRejected``."""
    return alone.drive(room, finding(room, signed))


def disclose(room: Room, signed: SignedAsk) -> Disclosed:
    """Open the asked fields of the asked records, in their newest version or the one that is asked for.

    Raises ``Refused`` by gate or keyholder, ``InputError`` for a handle that is not here, ``LedgerError`` when the
    receipt is not good, ``SealError`` (``CommitmentError``) when a record was tampered with. Then nothing is returned.
    """
    return alone.drive(room, disclosing(room, signed))


def finding(room: Room, signed: SignedAsk) -> Steps[Found]:
    """``find`` as steps."""
    ask = signed.ask
    assert isinstance(ask, asks.FindAsk)
    admitted = yield from admitting(room, signed)
    assert signed.private.subject is not None
    number = room.holding(ask.holding)
    holding = admitted.charter.holdings[ask.holding]
    declared = next(f for n, f in holding.fields.items() if f.identifier != "none" and types.kind(n, f) == ask.kind)
    value = types.parse(declared, signed.private.subject.value)
    if value is None:
        raise InputError("the identifier to find is empty")
    nf = types.normal(declared, value)
    inner = person.inners(room.keys.holding(ask.holding), ask.kind, [nf])[0]
    given = yield Say(signed, protocol.Find, {"inner": inner})
    countersigned = len(signed.countersignatures)
    verify_entry(room, given.index, signed.text, admitted.line, entry.FindEntry, 1, countersigned=countersigned)
    return Found(tuple(room.store.handles_of_token(number, given.token)), given.index, given.receipt)


def disclosing(room: Room, signed: SignedAsk) -> Steps[Disclosed]:
    """``disclose`` as steps."""
    ask = signed.ask
    assert isinstance(ask, asks.DiscloseAsk)
    admitted = yield from admitting(room, signed)
    rows = opening.rows(room, ask.holding, ask.records, ask.version)
    pieces = opening.pieces(rows, admitted.grant.compartments)
    opened = yield from opening.opening(room, signed, admitted, entry.DisclosureEntry, pieces)
    declared = admitted.charter.holdings[ask.holding]
    values = tuple(shown(declared, admitted.grant, [opened.values[handle] for handle in ask.records]))
    return Disclosed(tuple(ask.records), values, opened.index, opened.receipt)


def shown(holding: Holding, grant: Grant, opened: Iterable[Fields]) -> list[Fields]:
    """Of each record only what was asked for, masked, though a compartment holds more. A field that was declared after the
    record was sealed is null."""
    found = [{name: fields.get(name) for name in grant.fields} for fields in opened]
    for name, how in grant.fields.items():
        # Each type may be shown as it is.
        if how != "clear":
            for fields in found:
                fields[name] = mask.apply(how, holding.fields[name], fields[name])
    return found
