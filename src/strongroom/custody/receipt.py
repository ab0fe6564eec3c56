"""Whether an entry of the ledger is the one that an ask calls for (SPEC.md section 8.2): before anything that came with it is used."""

from __future__ import annotations

from typing import TypeVar

from strongroom.catalog.model import OTHER, RosterLine
from strongroom.custody.room import Room
from strongroom.errors import EntryError
from strongroom.gate import ask as asks
from strongroom.keyholder.checks import EARLY_SECONDS, LATE_SECONDS
from strongroom.ledger import entry

Written = TypeVar(
    "Written",
    entry.FindEntry,
    entry.DisclosureEntry,
    entry.CheckEntry,
    entry.CorrectionEntry,
    entry.ExportEntry,
    entry.IntakeEntry,
    entry.ErasureEntry,
)


def verify_entry(
    room: Room, index: int, text: bytes, line: RosterLine, kind: type[Written], count: int, countersigned: int = 0
) -> Written:
    """The entry, which must be of ``kind`` and about the ask ``text`` of the reader of ``line``, for ``count``, under as
    many countersignatures.

    Its ``commitment`` is the ask's hash: it binds records, fields, nonce, case and reason. Raises ``EntryError``.
    """
    written, ask = room.mirror.parsed(index), asks.parse(text)
    if not isinstance(written, kind):
        raise EntryError(f"entry {index} is not a {kind.__name__}")
    said = (written.commitment, written.charter, written.holding, written.purpose, written.count, written.role)
    if said != (asks.ask_hash(text), ask.charter, ask.holding, ask.purpose, count, line.role):
        raise EntryError(f"entry {index} is not about this ask")
    if len(written.countersigners) != countersigned:
        raise EntryError(f"entry {index} does not say how many countersigned")
    if written.unit not in (line.unit, OTHER):
        raise EntryError(f"entry {index} names another unit than the reader's")
    latest = ask.until if isinstance(ask, asks.Windowed) else ask.time + LATE_SECONDS
    if not ask.time - EARLY_SECONDS <= written.time <= latest:
        raise EntryError(f"entry {index} is dated outside the time in which the ask was good")
    return written


def verify_refusal(room: Room, index: int, text: bytes) -> None:
    """The entry says that the ask ``text`` was refused. Raises ``EntryError``."""
    written = room.mirror.parsed(index)
    if not isinstance(written, entry.RefusalEntry) or written.commitment != asks.ask_hash(text):
        raise EntryError(f"entry {index} does not say that this ask was refused")
