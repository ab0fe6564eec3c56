"""One chunk of an import: checked, indexed, sealed and stored in one transaction (SPEC.md sections 2 to 4).

The order is the promise: entry and receipt first, then the batch's sealed secret, then the records with the mark that
the chunk is done. Killed anywhere, the chunk is not there at all, and is taken again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from strongroom.catalog import fields
from strongroom.catalog.model import Field, Holding
from strongroom.catalog.types import primary
from strongroom.custody.intake import epochs, identifiers
from strongroom.custody.intake.identifiers import Columns, Identifiers
from strongroom.custody.intake.rows import Chunk
from strongroom.custody.intake.values import Layout, Parser, Values
from strongroom.custody.intake.window import Window, index
from strongroom.custody.room import Room
from strongroom.errors import StoreError
from strongroom.seal import ids, person
from strongroom.seal.batch import Batch, Column, seal_records
from strongroom.seal.columns import split
from strongroom.seal.plaintext import encode_fields
from strongroom.store.rows import RecordRow, RowError, join_tokens

T = TypeVar("T")

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Errands:
    """What every chunk of one import shares. ``job`` is empty when rows are only checked."""

    holding: str
    layout: Layout
    job: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk's outcome. ``entry``: the index of its entry in the ledger, None where nothing was indexed. ``errors``
    and ``odd`` (field, what is odd: how many values) are given back only when rows are only checked."""

    number: int
    taken: int
    bad: int
    end: int
    entry: int | None
    errors: list[RowError]
    odd: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Records:
    """Records about to be sealed: for each its handle, version, person and tokens."""

    handles: list[bytes]
    versions: list[int]
    whos: list[bytes] = field(repr=False)
    tokens: list[bytes] = field(repr=False)


class Taker:
    """Takes chunks of one import into an open room."""

    def __init__(self, room: Room, errands: Errands) -> None:
        self._room, self._errands = room, errands
        self._keys = room.keys.holding(errands.holding)
        self._number = room.holding(errands.holding) if errands.job else 0  # to name a holding is to write it down
        self._publics: dict[int, bytes] = {}
        self._parser = Parser(errands.layout)
        self._holding = errands.layout.holding
        self._primary = primary(self._holding)
        self._compartments = sorted(
            (declared.number, declared.floor, _names(self._holding.fields, name))
            for name, declared in self._holding.compartments.items()
        )
        self._widths = {
            name: fields.width(declared) for name, declared in self._holding.fields.items() if declared.type == "enum"
        }

    def take(self, chunk: Chunk, window: Window | None) -> Done:
        """Take the good rows of ``chunk`` in; without a job's name only check them. ``window`` is for identifiers.

        Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``StoreError``: then nothing of it was stored.
        """
        values = self._parser.parse(chunk)
        if not self._errands.job:
            odd = _odd(self._holding, values)
            return Done(chunk.number, values.count, values.bad, chunk.end, None, values.errors, odd)
        number, job = self._number, self._errands.job
        if not values.count:
            self._room.store.put_chunk(number, [], job=job, chunk=chunk.number, errors=values.errors)
            return Done(chunk.number, 0, values.bad, chunk.end, None, [])
        found = identifiers.derive(self._keys, self._holding, values, self._room.random)
        indexed = None
        if found.kinds:
            assert window is not None
            indexed = index(self._room, window, found.asked())
        tokens = indexed.tokens if indexed else {}
        for attempt in range(_TRIES):
            records = self._records(values, found, tokens)
            try:
                self._room.store.put_chunk(
                    number, self._seal(values, records), job=job, chunk=chunk.number, errors=values.errors
                )
                break
            except StoreError:
                # Somebody may have written a version of a record that this chunk has the next one of: look again.
                if not self._overtaken(records) or attempt == _TRIES - 1:
                    raise
        return Done(chunk.number, values.count, values.bad, chunk.end, indexed.index if indexed else None, [])

    def _records(self, values: Values, found: Identifiers, given: Columns) -> _Records:
        key = self._errands.layout.key
        handles, versions = split(self._room.random(16 * values.count), 16), [1] * values.count
        if key:
            self._match(found.tokens_of(key, given), handles, versions)
        mine = found.own[self._primary] if self._primary else [b""] * values.count
        whos = [
            person.who_of_inner(inner) if inner else person.who_of_handle(self._keys, handle)
            for inner, handle in zip(mine, handles, strict=True)
        ]
        tokens = found.tokens(given)
        joined = [join_tokens(set(row)) for row in zip(*tokens.values(), strict=True)]
        return _Records(handles, versions, whos, joined if tokens else [b""] * values.count)

    def _match(self, tokens: Sequence[bytes], handles: list[bytes], versions: list[int]) -> None:
        """Give rows whose token names one record that record's handle and next version; rows of one token follow each
        other. A token of several records names none of them: the row becomes one more, and nothing says so, since an
        importer could otherwise try out who is here."""
        known = self._room.store.handles_of_tokens(self._number, set(tokens))
        named = {token: found[0] for token, found in known.items() if len(found) == 1}
        latest = self._room.store.latest_versions(self._number, named.values())
        for at, token in enumerate(tokens):
            if token in known and token not in named:
                continue
            handle = named.setdefault(token, handles[at])
            handles[at] = handle
            versions[at] = latest[handle] = latest.get(handle, 0) + 1

    def _overtaken(self, records: _Records) -> bool:
        first: dict[bytes, int] = {}
        for handle, version in zip(records.handles, records.versions, strict=True):
            first.setdefault(handle, version)
        latest = self._room.store.latest_versions(self._number, first)
        return any(latest.get(handle, 0) != version - 1 for handle, version in first.items())

    def _seal(self, values: Values, records: _Records) -> list[RecordRow]:
        texts = [(number, floor, self._texts(names, values)) for number, floor, names in self._compartments]
        batch = self._batch()
        rows = []
        for turn in _turns(records.handles):
            columns = [
                Column(number, floor, _pick(column, turn), _pick(records.whos, turn)) for number, floor, column in texts
            ]
            handles, versions = _pick(records.handles, turn), _pick(records.versions, turn)
            tokens = dict(zip(handles, _pick(records.tokens, turn), strict=True))
            for handle, version, body in seal_records(batch, self._keys, handles, versions, columns, self._room.random):
                rows.append(RecordRow(handle, version, batch.id, tokens[handle], body))
        batch.close()
        return rows

    def _batch(self) -> Batch:
        """A new batch, its sealed secret stored."""
        room, holding = self._room, self._errands.holding
        epoch = epochs.current(room, holding)
        if epoch not in self._publics:
            self._publics[epoch] = epochs.public_key(room, holding, epoch)
        keyholder = ids.keyholder_id(room.rules().charter.keyholder.message)
        batch = Batch.open(self._keys.room, keyholder, self._keys.holding, epoch, self._publics[epoch], room.random)
        room.store.put_batch(batch.id, self._number, epoch, batch.sealed)
        return batch

    def _texts(self, names: Sequence[str], values: Values) -> list[bytes]:
        """The plaintexts of one compartment, one a row."""
        widths = {name: self._widths[name] for name in names if name in self._widths}
        return [
            encode_fields(dict(zip(names, row, strict=True)), widths)
            for row in zip(*(values.columns[name] for name in names), strict=True)
        ]


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


def _odd(holding: Holding, values: Values) -> Counter[tuple[str, str]]:
    """What is accepted and yet looks wrong: an identity number of a region that there is not, say."""
    return Counter(
        (name, what)
        for name, declared in holding.fields.items()
        for value in values.columns[name]
        if value is not None
        for what in fields.warnings(declared, value)
    )
