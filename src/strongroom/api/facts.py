"""What anybody who may use the vault may know of the room: rules, ledger, receipts, what is due."""

from __future__ import annotations

from typing import Annotated

import msgspec

from strongroom.api.base import Answer, Count, Day, Entry, Hash, Name, Receipt, Seconds


class Room(Answer):
    """``id``: 32 hex digits. ``genesis``: hash of the first charter, ``log``, ``ml_dsa`` and ``vault``: verifier keys of the
    ledger's and the vault's signatures on checkpoints (C2SP signed-note). What a client pins it has from elsewhere."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    name: str
    charter: Hash
    genesis: Hash
    log: str
    ml_dsa: str
    vault: str
    size: Count
    time: Seconds


class Charter(Answer):
    """A charter: ``document`` is its canonical JSON (SPEC.md section 6), whose hash is ``hash``; ``entry``: the one that
    brought it."""

    version: Count
    hash: Hash
    entry: Entry
    effective: Seconds
    document: str


class Charters(Answer):
    """A page of all charters from the first on, in force or not. ``next``: the cursor of the next page."""

    charters: list[Charter]
    next: str | None = None


class ReceiptOf(Answer):
    """``text``: the entry's bytes, canonical JSON."""

    entry: Entry
    text: str
    receipt: Receipt


class LedgerEntry(Answer):
    """A line of the ledger. ``text``: the entry's bytes, canonical JSON."""

    entry: Entry
    text: str


class Budget(Answer):
    """A rate that bounds the asker. ``scope``: whose it is (``reader``, ``unit``, ``purpose``, ``holding`` or ``room``); ``rate``: as the charter
    has it; ``left``: records that it has left now, whole ones."""

    scope: str
    rate: str
    left: Count


class Budgets(Answer):
    """What is left to the reader for the purpose, by the ledger's ``time``. ``purpose`` and ``holding`` as asked."""

    purpose: Name
    holding: Name
    time: Seconds
    budgets: list[Budget]


class Holding(Answer):
    """``retention`` and ``rotation`` in days, 0 where it is open-ended. ``batches``: state -> how many. ``destruction``: the
    first day on which a key is destroyed that still has batches to be resealed; ``backups``: the day from which a copy of
    the vault taken today lacks living records; ``held_until``: a legal hold stands."""

    name: Name
    retention: Count
    rotation: Count
    records: Count
    versions: Count
    batches: dict[str, Count] = msgspec.field(default_factory=dict)
    destruction: Day | None = None
    backups: Day | None = None
    held_until: Seconds | None = None
    urgent: bool = False


class Retention(Answer):
    holdings: list[Holding]


class Certificate(Answer):
    """Proof that records are erased (SPEC.md section 8.9), to be kept as a file: ``strongroom certificate verify`` reads it."""

    certificate: str
    final: bool
