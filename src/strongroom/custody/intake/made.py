"""A chunk on its way into the store: its rows named, sealed, made ready, done (``intake.chunk`` takes it there)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from strongroom.custody.intake.identifiers import Bound, Columns
from strongroom.custody.intake.sealing import Records, SealedRecords, found_by
from strongroom.custody.intake.values import Layout
from strongroom.seal.batch import Row
from strongroom.store.rows import BatchRow, RowError


@dataclass(frozen=True, slots=True)
class Errands:
    """What every chunk of one import shares. ``job`` is empty when rows are only checked. ``verify``: what was stored is
    read back before it is forgotten how."""

    holding: str
    layout: Layout
    job: bytes
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk's outcome. ``entries``: indexes of its entries in the ledger, none where nothing was indexed. ``errors``
    and ``odd`` (field, what is odd: how many values) are given back only when rows are only checked."""

    number: int
    taken: int
    bad: int
    end: int
    entries: tuple[int, ...] = ()
    errors: list[RowError] = field(default_factory=list)
    odd: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is noted when a chunk, or a step of one, is stored: its number, the bad rows that belong to it, and how many
    rows were taken that are no record (deletions)."""

    number: int
    errors: list[RowError]
    besides: int = 0


@dataclass(slots=True)
class Named:
    """Records that have handles, with what the keyholder gave for their identifiers."""

    handles: list[bytes]
    versions: list[int]
    bound: Bound = field(repr=False)
    tokens: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Records that were sealed, and are found by nothing yet. Where they are to be read back also what they were made of, and the
    batch's ``secret``, which is forgotten elsewhere."""

    handles: list[bytes]
    versions: list[int]
    rows: list[Row] = field(repr=False)
    batch: BatchRow
    records: Records | None = field(repr=False)
    secret: bytes = field(repr=False)

    def found_by(self, tokens: Sequence[bytes]) -> Made:
        """With the tokens of each, as ``store.rows.join_tokens`` joins them."""
        rows = found_by(self.rows, self.batch.batch, self.handles, self.versions, tokens)
        return Made(SealedRecords(rows, self.batch), self.records, self.secret)


@dataclass(frozen=True, slots=True)
class Made:
    """The same with their tokens, to be stored."""

    sealed: SealedRecords = field(repr=False)
    records: Records | None = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """A chunk of new records of which the keyholder has not heard; ``sent`` is to be indexed. ``sealed``: None where no row is good."""

    done: Done
    mark: Mark
    sealed: Sealed | None
    sent: Columns = field(repr=False)
