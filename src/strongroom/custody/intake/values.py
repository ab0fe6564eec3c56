"""From the rows of a chunk to columns of values, checked against the holding (SPEC.md section 6.4).

A row is taken whole or not at all; for each field that is wrong the reason is noted, and never the value.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, NamedTuple

from strongroom.catalog import fields
from strongroom.catalog.columns import Column
from strongroom.catalog.mapping import FieldMap
from strongroom.catalog.model import Holding
from strongroom.custody.intake.feed import OPERATIONS
from strongroom.custody.intake.rows import MAX_ROW, Chunk
from strongroom.errors import ValueRejected
from strongroom.store.rows import RowError

_ENDS = ("\n", "\r")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source's rows are read: for every chunk of it the same. ``columns``: of CSV. ``key``: the field of an upsert,
    which no row may leave empty; otherwise empty. ``op``: of a change feed, the column of a row's operation."""

    holding: Holding
    map: FieldMap
    columns: tuple[str, ...]
    delimiter: str
    encoding: str
    key: str
    op: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """``columns``: every field of the holding, with its value for each row that was taken, in the rows' order.

    ``count`` rows were taken, ``bad`` ones were not, for ``errors``; blank lines are neither. ``deletes``: of a change
    feed, whether a row says that its record is gone; it has the key's value alone then.
    """

    columns: dict[str, list[str | None]] = field(repr=False)
    count: int
    bad: int
    errors: list[RowError]
    deletes: list[bool] = field(default_factory=list)


class _Raw(NamedTuple):
    """A chunk's rows before their values are looked at: one text a row for each field that a column fills; the number
    of each. ``broken``: how many rows could not be read, for ``errors``."""

    columns: Sequence[Sequence[str]]
    numbers: Sequence[int]
    deletes: list[bool]
    errors: list[RowError]
    broken: int


class Parser:
    """Reads chunks of one layout; each field's rules are compiled once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._plan = layout.map.compile(layout.columns) if layout.delimiter else None
        self._names = tuple(layout.map.parts)
        self._columns = [Column(layout.holding.fields[name]) for name in self._names]
        self._key, self._op = layout.key, layout.op
        self._op_at = layout.columns.index(layout.op) if layout.op and layout.delimiter else 0
        needs = {name: one.needs for name, one in layout.holding.fields.items() if one.needs}
        self._linked = sorted({*needs, *(needed for one in needs.values() for needed in one)})
        if layout.delimiter:
            # The module's limit is the process's; a row, and so a field, has at most this anyway.
            csv.field_size_limit(2 * MAX_ROW)

    def parse(self, chunk: Chunk) -> Values:
        raw = self._together(chunk) or self._one_by_one(chunk)
        errors, numbers, deletes = raw.errors, raw.numbers, raw.deletes
        columns: dict[str, list[str | None]] = {name: [None] * len(numbers) for name in self._layout.holding.fields}
        wrong = [False] * len(numbers)
        for name, column, texts in zip(self._names, self._columns, raw.columns, strict=False):
            taken = _taken(deletes) if deletes and name != self._key else range(len(numbers))
            found = column.parse(texts if len(taken) == len(texts) else [texts[at] for at in taken])
            for at, reason in found.wrong:
                errors.append(RowError(numbers[taken[at]], name, reason))
                wrong[taken[at]] = True
            columns[name] = _spread(found.values, taken, len(numbers))
        if self._linked:
            self._check_needs(columns, deletes, numbers, wrong, errors)
        if self._key:
            for at, value in enumerate(columns[self._key]):
                if value is None and not wrong[at]:
                    errors.append(RowError(numbers[at], self._key, "is missing, and rows are matched by it"))
                    wrong[at] = True
        if any(wrong):
            good = [not each for each in wrong]
            columns = {name: list(compress(values, good)) for name, values in columns.items()}
            deletes = list(compress(deletes, good))
        bad = raw.broken + sum(wrong)
        return Values(columns, len(numbers) - sum(wrong), bad, sorted(errors), deletes)

    def _together(self, chunk: Chunk) -> _Raw | None:
        """The rows of CSV that are all whole, as wide as the header and not blank, as most chunks' are: read in one go."""
        if self._plan is None or self._op or chunk.bad:
            return None
        texts = self._texts(chunk.records)
        try:
            rows = list(self._reader(texts))
        except csv.Error:
            return None
        # As many rows as lines: so none reads on into the next.
        if len(rows) != len(texts) or not all(map(any, rows)):
            return None
        columns = self._plan.columns(rows)
        if columns is None or (len(rows[0]) == 1 and not all(map(str.strip, columns[0]))):
            return None
        return _Raw(columns, range(chunk.first, chunk.first + len(rows)), [], [], 0)

    def _one_by_one(self, chunk: Chunk) -> _Raw:
        errors = list(chunk.bad)
        numbers: list[int] = []
        raws: list[Sequence[str]] = []
        deletes: list[bool] = []
        broken = {error.row for error in errors}
        for number, raw in enumerate(self._rows(chunk.records), chunk.first):
            if self._op and isinstance(raw, list):
                delete = OPERATIONS.get(raw.pop(0).strip().lower())
                if delete is None:
                    raw = "has no operation that is known: upsert or delete, or create, update, insert, read"  # noqa: PLW2901
                else:
                    deletes.append(delete)
            if isinstance(raw, str):
                errors.append(RowError(number, "", raw))
                broken.add(number)
            elif raw is not None:
                numbers.append(number)
                raws.append(raw)
        return _Raw(list(zip(*raws, strict=True)), numbers, deletes, errors, len(broken))

    def _check_needs(
        self,
        columns: dict[str, list[str | None]],
        deletes: Sequence[bool],
        numbers: Sequence[int],
        wrong: list[bool],
        errors: list[RowError],
    ) -> None:
        """What a value needs beside it. A row that is wrong anyway has been named already."""
        for at, row in enumerate(zip(*(columns[name] for name in self._linked), strict=True)):
            if not wrong[at] and not (deletes and deletes[at]):
                # Twice missing, for two values that need it, it is named once.
                lacks = dict(fields.missing(self._layout.holding, dict(zip(self._linked, row, strict=True))))
                wrong[at] = bool(lacks)
                errors += (RowError(numbers[at], name, reason) for name, reason in lacks.items())

    def _rows(self, records: Iterable[bytes]) -> Iterator[Sequence[str] | str | None]:
        """For each record one text a field, the reason why there is none, or None for a blank line."""
        texts = self._texts(records)
        return self._csv(texts) if self._plan else (self._json(text) for text in texts)

    def _texts(self, records: Iterable[bytes]) -> list[str]:
        # A character that the file's end cut off becomes U+FFFD, which no field takes.
        encoding = self._layout.encoding
        return [record.decode(encoding, "replace") for record in records]

    def _csv(self, texts: Sequence[str]) -> Iterator[Sequence[str] | str | None]:
        plan = self._plan
        assert plan is not None
        reader, before = self._reader(texts), 0
        for done, text in enumerate(texts, 1):
            try:
                row = next(reader)
            except (csv.Error, StopIteration):
                row = None
            if row is None or reader.line_num != done - before:
                yield "is not CSV: its quotes do not fit"
                if reader.line_num != done - before:
                    # It read on into the next row, which has done nothing wrong.
                    reader, before = self._reader(texts[done:]), done
            elif not row or (len(row) == 1 and not row[0].strip()):
                yield None
            elif not any(row):
                yield "is empty"
            else:
                try:
                    texts = plan.apply(row)
                    yield [row[self._op_at], *texts] if self._op else texts
                except ValueRejected as reason:
                    yield f"{reason}{'' if text[-1:] in _ENDS else '; the file ends in it'}"

    def _reader(self, texts: Iterable[str]) -> Any:
        return csv.reader(texts, delimiter=self._layout.delimiter, strict=True, skipinitialspace=True)

    def _json(self, text: str) -> Sequence[str] | str | None:
        text = text.strip().removeprefix("\ufeff")
        if not text:
            return None
        try:
            row = _json(text)
        except ValueRejected as reason:
            return str(reason)
        except (ValueError, RecursionError):
            return "is not JSON: each line wants one object"
        if not any(row.values()):
            return "is empty"
        texts = list(self._layout.map.apply(row).values())
        return [row.get(self._op, ""), *texts] if self._op else texts


def _taken(deletes: Sequence[bool]) -> list[int]:
    return [at for at, delete in enumerate(deletes) if not delete]


def _spread(values: list[str | None], taken: Sequence[int], count: int) -> list[str | None]:
    """``values`` at the places ``taken``, and nothing elsewhere."""
    if len(values) == count:
        return values
    found: list[str | None] = [None] * count
    for at, value in zip(taken, values, strict=True):
        found[at] = value
    return found


def _json(text: str) -> dict[str, str]:
    # Numbers stay as they are written: 007, 1.50 and 12345678901234567890 are not for a float to keep.
    row = json.loads(text, object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_constant)
    if not isinstance(row, dict):
        raise ValueRejected("is not a JSON object")
    return {name: _scalar(value) for name, value in row.items()}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueRejected("has a member twice")
    return found


def _constant(_: str) -> str:
    raise ValueRejected("has a number that is none")


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    raise ValueRejected("has a member that is an object or a list; only text, numbers, true, false and null are taken")
