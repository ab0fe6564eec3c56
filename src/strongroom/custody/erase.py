"""Erasure: no share again from now on, and unreadable for good on a day that is known (SPEC.md sections 3.7, 5.4, 8.9)."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.canonical import encode
from strongroom.client.device import SignedAsk
from strongroom.custody import certificate, opening
from strongroom.custody.admit import Admitted, admit, keep_private
from strongroom.custody.opening import Piece
from strongroom.custody.receipt import verify_entry
from strongroom.custody.room import Room
from strongroom.custody.steps import of_ask
from strongroom.errors import EntryError, Refused
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.ledger import entry

_DAY = 86400


@dataclass(frozen=True)
class Erased:
    """``final``: the day (since 1970-01-01 UTC) on which the last key is destroyed that could have opened the records,
    if no hold stands; today where there is none."""

    handles: tuple[bytes, ...]
    final: int
    index: int
    receipt: str


def erase(room: Room, signed: SignedAsk) -> Erased:
    """Have the keyholder give no share of the records again, every person concerned told, and let nothing find them here.
    Their rows go when their batches are resealed next.

    Raises ``Refused`` (``erased`` where one of them was before; where all were, the vault has noted it now), ``InputError`` for a handle
    that is not here, ``LedgerError`` when the receipt is not good.
    """
    ask = signed.ask
    assert isinstance(ask, asks.EraseAsk)
    admitted = admit(room, signed)
    number = room.holding(ask.holding)
    pieces = opening.pieces(opening.rows(room, ask.holding, ask.records), admitted.grant.compartments)
    keep_private(room, signed)
    known = room.common()
    request = encode(protocol.Erase(**known, **of_ask(signed), **opening.slots(pieces)))
    try:
        answer = protocol.written.parse(room.client.send("/v1/erase", request))
    except Refused as refusal:
        if refusal.code == "erased" and _all_erased(room, ask):
            # An earlier try ended between the keyholder's answer and our taking note of it.
            room.store.withdraw(number, ask.records)
        raise
    index = room.settle(answer.receipt, answer.entries, known["have"])
    written = _verified(room, index, signed, admitted, pieces)
    room.store.withdraw(number, ask.records)
    return Erased(tuple(ask.records), max([*written.epochs, room.now() // _DAY]), index, answer.receipt)


def _all_erased(room: Room, ask: asks.EraseAsk) -> bool:
    """By the keyholder's signed word, held against the ledger: a refusal alone says that one of them is, and proves nothing."""
    try:
        certificate.word(room, ask.holding, ask.records)
    except Refused:
        return False
    return True


def _verified(room: Room, index: int, signed: SignedAsk, admitted: Admitted, pieces: list[Piece]) -> entry.ErasureEntry:
    records = {row.handle for row, _ in pieces}
    written = verify_entry(
        room, index, signed.text, admitted.line, entry.ErasureEntry, len(records), len(signed.countersignatures)
    )
    # Whom the slots are about is not answered, since nothing is opened: that nobody was left out is the keyholder's word.
    if not len(records) <= len(written.tags) <= len(pieces):
        raise EntryError(f"entry {index} has not a tag for each record: somebody would not find this erasure")
    if missing := {row.epoch for row, _ in pieces} - set(written.epochs):
        raise EntryError(f"entry {index} leaves out {len(missing)} of the keys that the records are sealed to")
    return written
