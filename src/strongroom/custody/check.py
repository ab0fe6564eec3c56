"""A question about a value, answered without the value (SPEC.md section 7.5)."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.client.device import SignedAsk
from strongroom.custody import alone, opening
from strongroom.custody.admit import admitting
from strongroom.custody.room import Room
from strongroom.custody.steps import Steps
from strongroom.gate import ask as asks
from strongroom.ledger import entry
from strongroom.redact import predicate

_DAY = 86400


@dataclass(frozen=True)
class Checked:
    """For each record asked about, in the ask's order, whether the test holds; None where there is no value to tell it by."""

    handles: tuple[bytes, ...]
    answers: tuple[bool | None, ...]
    index: int
    receipt: str


def check(room: Room, signed: SignedAsk) -> Checked:
    """Whether the test of the ask holds of the field in each record. What was opened for it stays in here.

    Raises ``Refused``, ``InputError`` for a handle that is not here, ``ValueRejected`` for a value that the field could
    not have: then nothing was asked; ``LedgerError`` and ``SealError`` as ``opening.opened``.
    """
    return alone.drive(room, checking(room, signed))


def checking(room: Room, signed: SignedAsk) -> Steps[Checked]:
    """``check`` as steps."""
    ask = signed.ask
    assert isinstance(ask, asks.CheckAsk)
    admitted = yield from admitting(room, signed)
    declared = admitted.charter.holdings[ask.holding].fields[ask.field]
    asked = signed.private.subject.value if signed.private.subject else None
    predicate.question(ask.test, declared, asked)
    pieces = opening.pieces(opening.rows(room, ask.holding, ask.records), admitted.grant.compartments)
    today = room.now() // _DAY
    opened = yield from opening.opening(room, signed, admitted, entry.CheckEntry, pieces)
    answers = tuple(
        predicate.answer(ask.test, declared, opened.values[handle].get(ask.field), asked, today)
        for handle in ask.records
    )
    return Checked(tuple(ask.records), answers, opened.index, opened.receipt)
