"""Taking records out under an export ask that a reader's device has signed, a batch at a time (SPEC.md sections 7.2, 8.5, 10.1).

What one batch needs stands in the ask and the batch: whoever goes on with it needs no memory of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from strongroom.client.device import SignedAsk
from strongroom.custody import export, opening, read
from strongroom.custody.admit import admit, keep_private
from strongroom.custody.opening import Fields
from strongroom.custody.room import Room
from strongroom.errors import InputError, Refused
from strongroom.gate import ask as asks
from strongroom.ledger import entry


@dataclass(frozen=True)
class Plan:
    """Handles in the batches they are given in, and how many records are left out since their day has come."""

    parts: list[list[bytes]]
    left_out: int


@dataclass(frozen=True)
class Given:
    """A batch: for each handle its fields, masked, under one entry."""

    handles: tuple[bytes, ...]
    values: tuple[Fields, ...] = field(repr=False)
    index: int
    receipt: str


def plan(room: Room, signed: SignedAsk, records: Sequence[bytes] | None) -> Plan:
    """What the ask would take out of ``records``, or of all there are; nothing is opened yet.

    Raises ``Refused``, ``InputError`` where a record is not here, there is none, or more are named than the ask is for.
    """
    ask = _of_export(signed)
    admit(room, signed)
    keep_private(room, signed)
    if records is not None and len(set(records)) > ask.count:
        raise InputError(f"{len(set(records))} records are named, and the ask is for {ask.count}")
    targets, expired, missing = export.targets(room, ask.holding, ask.purpose, records, ask.count)
    if missing:
        raise InputError(f"not in {ask.holding}: {missing} of the records named")
    if not targets:
        raise InputError(f"{ask.holding} has no record to export; {expired} have expired")
    return Plan(list(export.parts(room, ask.holding, ask.fields, targets[: ask.count])), expired)


def give(room: Room, signed: SignedAsk, part: Sequence[bytes]) -> Given:
    """One batch of a plan. Raises ``Refused``, ``InputError``, ``KeyholderUnavailable``, ``LedgerError``, ``SealError``."""
    ask = _of_export(signed)
    admitted = admit(room, signed)
    pieces = opening.pieces(opening.rows(room, ask.holding, part), admitted.grant.compartments)
    opened = opening.opened(room, signed, admitted, entry.ExportEntry, pieces)
    declared = room.rules().charter.holdings[ask.holding]
    values = tuple(read.shown(declared, admitted.grant, [opened.values[handle] for handle in part]))
    return Given(tuple(part), values, opened.index, opened.receipt)


def _of_export(signed: SignedAsk) -> asks.ExportAsk:
    if not isinstance(signed.ask, asks.ExportAsk):
        raise Refused("ask", "an export wants an ask of that action")
    return signed.ask
