"""Sealing versions of records into one batch, ready to be stored (SPEC.md sections 3.1 to 3.6).

Whatever makes versions goes through here: imports, corrections, migrations.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from strongroom.catalog import fields
from strongroom.catalog.model import Field, Holding
from strongroom.custody import erasures
from strongroom.custody.intake import epochs
from strongroom.custody.room import Room
from strongroom.seal import ids
from strongroom.seal.batch import Batch, Column, Row, seal_records
from strongroom.seal.plaintext import encode_many
from strongroom.store.rows import BatchRow, RecordRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Records:
    """Versions about to be sealed, one place in each column: at most ``batch.MAX_RECORDS``. ``whos``: person of a
    compartment (identifier field, or empty) -> 16 bytes a record. ``tokens``: as ``store.rows.join_tokens`` joins them; what
    seals does not look at them. ``values``: every declared field."""

    handles: Sequence[bytes]
    versions: Sequence[int]
    whos: Mapping[str, Sequence[bytes]] = field(repr=False)
    tokens: Sequence[bytes] = field(repr=False)
    values: Mapping[str, Sequence[str | None]] = field(repr=False)


class SealedRecords(NamedTuple):
    """What goes into the store in one transaction."""

    rows: list[RecordRow]
    batch: BatchRow


class Sealer:
    """Seals records of one holding as ``declared``."""

    def __init__(self, room: Room, holding: str, declared: Holding) -> None:
        self._room, self._holding = room, holding
        self._keys, self._number = room.keys.holding(holding), room.holding(holding)
        self._publics: dict[int, bytes] = {}
        self._compartments = sorted(
            (one.number, one.floor, one.person, _names(declared.fields, name))
            for name, one in declared.compartments.items()
        )
        self._widths = {name: fields.width(one) for name, one in declared.fields.items() if one.type == "enum"}

    def seal(self, records: Records, expires: int | None = None) -> SealedRecords:
        """Seal for today's epoch, to expire on ``expires`` (days), or as what is taken in today does. The batch's secret is
        forgotten when this returns.

        Raises ``SealError``, ``KeyholderUnavailable``, ``Refused``.
        """
        if any(version > 1 for version in records.versions):
            # One that was erased meanwhile has no next version: then the store takes none of these.
            erasures.reconcile(self._room, self._holding)
        batch, public = self.open(expires)
        sealed = self.fill(batch, records)
        closed = self.close(batch, public)
        return SealedRecords(found_by(sealed, closed.batch, records.handles, records.versions, records.tokens), closed)

    def open(self, expires: int | None = None) -> tuple[Batch, bytes]:
        """A new batch, and the public key it is to be closed to."""
        room = self._room
        epoch, expires = epochs.current(room, self._holding, expires)
        if epoch not in self._publics:
            self._publics[epoch] = epochs.public_key(room, self._holding, epoch)
        keyholder = ids.keyholder_id(room.rules().charter.keyholder.message)
        batch = Batch.open(self._keys.room, keyholder, self._keys.holding, epoch, expires, room.random)
        return batch, self._publics[epoch]

    def fill(self, batch: Batch, records: Records) -> list[Row]:
        """Seal records into ``batch``: of what they are found by nothing is needed for that."""
        texts = [self._texts(names, records.values) for _, _, _, names in self._compartments]
        rows: list[Row] = []
        for turn in _turns(records.handles):
            columns = [
                Column(number, floor, _pick(column, turn), _pick(records.whos[person], turn))
                for (number, floor, person, _), column in zip(self._compartments, texts, strict=True)
            ]
            handles, versions = _pick(records.handles, turn), _pick(records.versions, turn)
            rows += seal_records(batch, self._keys, handles, versions, columns, self._room.random)
        return rows

    def close(self, batch: Batch, public: bytes) -> BatchRow:
        """Seal the batch's secret and forget it."""
        sealed = batch.close(public)
        return BatchRow(sealed.id, self._number, sealed.epoch, sealed.expires, sealed.members, sealed.secret)

    def _texts(self, names: Sequence[str], values: Mapping[str, Sequence[str | None]]) -> list[bytes]:
        """The plaintexts of one compartment, one a record."""
        widths = {name: self._widths[name] for name in names if name in self._widths}
        return encode_many({name: values[name] for name in names}, widths)


def found_by(
    rows: Sequence[Row], batch: bytes, handles: Sequence[bytes], versions: Sequence[int], tokens: Sequence[bytes]
) -> list[RecordRow]:
    """Sealed ``rows`` of a batch with what each is found by; ``tokens``, one for each of ``handles`` and ``versions``, as
    ``store.rows.join_tokens`` joins them."""
    found = dict(zip(zip(handles, versions, strict=True), tokens, strict=True))
    return [RecordRow(handle, version, batch, found[handle, version], body) for handle, version, body in rows]


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector: thousands of rows are made and none of them in a circle, and what it would look through
    again and again takes a tenth of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _names(declared: dict[str, Field], compartment: str) -> tuple[str, ...]:
    return tuple(sorted(name for name, one in declared.items() if one.compartment == compartment))


def _turns(handles: Sequence[bytes]) -> list[Sequence[int]]:
    """Rows in turns, no handle twice in one: several versions of a record are sealed one after the other."""
    if len(set(handles)) == len(handles):
        return [range(len(handles))]
    seen: dict[bytes, int] = defaultdict(int)
    turns: list[list[int]] = []
    for at, handle in enumerate(handles):
        turn = seen[handle]
        seen[handle] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(at)
    return list(turns)


def _pick(column: Sequence[T], turn: Sequence[int]) -> list[T]:
    return list(column) if len(turn) == len(column) else [column[at] for at in turn]
