"""Whether an entry of the ledger is the one that an ask calls for (SPEC.md section 8.2): what vault and asker alike hold it against."""

from __future__ import annotations

from typing import TypeVar

from strongroom.errors import EntryError
from strongroom.gate import ask as asks
from strongroom.ledger import entry

__all__ = ["EARLY_SECONDS", "LATE_SECONDS", "Written", "verify"]

EARLY_SECONDS, LATE_SECONDS = 30, 120
"""Around an ask's own time: when the keyholder takes it."""

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


def verify(index: int, written: entry.Entry, text: bytes, ask: asks.Ask, kind: type[Written], seconds: int) -> Written:
    """Entry ``index``, which must be of ``kind`` and about ``ask``, whose bytes are ``text``, under the countersignatures of ``seconds``
    readers, within the time in which the ask was good. How many records it is for is the caller's to say. Raises ``EntryError``.

    Its ``commitment`` is the ask's hash: it binds reader, records, fields, nonce, case and reason.
    """
    if not isinstance(written, kind):
        raise EntryError(f"entry {index} is not of the kind that was asked for")
    said = (written.commitment, written.charter, written.holding, written.purpose)
    if said != (asks.ask_hash(text), ask.charter, ask.holding, ask.purpose):
        raise EntryError(f"entry {index} is not about this ask")
    if len(written.countersigners) != seconds:
        raise EntryError(f"entry {index} does not say how many countersigned")
    latest = ask.until if isinstance(ask, asks.Windowed) else ask.time + LATE_SECONDS
    if not ask.time - EARLY_SECONDS <= written.time <= latest:
        raise EntryError(f"entry {index} is dated outside the time in which the ask was good")
    return written
