"""Whether an entry of the ledger is the one that an ask calls for (SPEC.md section 8.2): before anything that came with it is used."""

from __future__ import annotations

from strongroom.catalog.model import OTHER, RosterLine
from strongroom.custody.room import Room
from strongroom.errors import EntryError
from strongroom.gate import ask as asks
from strongroom.gate.written import Written, verify
from strongroom.ledger import entry


def verify_entry(
    room: Room, index: int, text: bytes, line: RosterLine, kind: type[Written], count: int, countersigned: int = 0
) -> Written:
    """The entry, which must be of ``kind`` and about the ask ``text`` of the reader of ``line``, for ``count``, under as
    many countersignatures. Raises ``EntryError``.
    """
    written = verify(index, room.mirror.parsed(index), text, asks.parse(text), kind, countersigned)
    if (written.count, written.role) != (count, line.role):
        raise EntryError(f"entry {index} is not about this ask")
    if written.unit not in (line.unit, OTHER):
        raise EntryError(f"entry {index} names another unit than the reader's")
    return written


def verify_refusal(room: Room, index: int, text: bytes) -> None:
    """The entry says that the ask ``text`` was refused. Raises ``EntryError``."""
    written = room.mirror.parsed(index)
    if not isinstance(written, entry.RefusalEntry) or written.commitment != asks.ask_hash(text):
        raise EntryError(f"entry {index} does not say that this ask was refused")
