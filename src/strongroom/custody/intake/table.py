"""A table of a database or of a Parquet file, as records: its rows become lines of CSV, which are then read like a file's.

It is gone through twice. The first pass gives the content's hash, by which the import is found again, and finds early
what would otherwise be found in the middle: a damaged page, a value that cannot be read. The second gives the chunks, and
each is compared with what the first had come to there: what is not the same content is not taken.

Only columns that the map names are read.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from types import SimpleNamespace
from typing import Literal, Protocol, TypeAlias

from strongroom.catalog import mapping
from strongroom.catalog.mapping import FieldMap
from strongroom.catalog.model import Holding
from strongroom.catalog.yamltree import did_you_mean
from strongroom.custody.intake import rows
from strongroom.custody.intake.filemark import FileMark
from strongroom.custody.intake.rows import MAX_ROW, TOO_LONG, Broken, Chunk
from strongroom.custody.intake.source import Format
from strongroom.errors import CatalogError, InputError

LINES, BLOCK = 1000, 1 << 20  # at a time: so many lines, or characters

Kind: TypeAlias = Literal["plain", "float", "timestamp", "zoned", "other"]
"""What matters about a column's type. ``plain``: its values have one text each. ``timestamp`` is without a zone and
``zoned`` with one. ``other``: its values have no text, being lists, objects or what else."""


@dataclass(frozen=True, slots=True)
class Column:
    """``type``: as its source calls it."""

    name: str
    kind: Kind
    type: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that is read. ``day``: it feeds a date, so that a timestamp at midnight is given as its day alone.
    ``exact``: it feeds an identifier, for which no floating-point number will do."""

    column: Column
    day: bool
    exact: bool


class Table(Protocol):
    """A table, opened. ``title`` stands in messages; ``order`` says by what its rows are ordered; ``file`` is for Parquet."""

    title: str
    format: Format
    columns: list[Column]

    def order(self, wanted: Sequence[Wanted]) -> str: ...

    def lines(self, wanted: Sequence[Wanted]) -> Generator[list[bytes], None, None]:
        """The rows from first to last, a list of lines at a time, with these columns in this order and one empty one more
        where it is one alone. The same each time. Raises ``InputError``."""
        ...


def records(
    table: Table, given: FieldMap | None, holding: Holding, mark: FileMark | None = None, op: str = ""
) -> TableRecords:
    """The records of ``table``, gone through once; ``op``: a column to be read besides. Raises ``InputError``,
    ``CatalogError``."""
    names = [column.name.lstrip("\ufeff").strip() for column in table.columns]
    found = given or mapping.by_name(names, table.title, holding)
    return TableRecords(table, found, choose(table, names, found, holding, op), mark)


def choose(table: Table, names: Sequence[str], found: FieldMap, holding: Holding, op: str = "") -> list[Wanted]:
    """The columns that ``found`` wants, in the table's order. Raises ``InputError``, ``CatalogError``."""
    days: set[str] = set()
    exact: set[str] = set()
    used: set[str] = set()
    for field, part in found.parts.items():
        declared = holding.fields[field]
        for name in part.columns:
            if names.count(name) != 1:
                problem = f"{field} wants the column {name}, which {table.title} has {names.count(name)} times"
                raise CatalogError(part.place, problem, did_you_mean(name, [one for one in names if one != name]))
            column = table.columns[names.index(name)]
            if column.kind == "other":
                raise InputError(f"{table.title}: {field} wants the column {name}, which is {column.type}. {_AS_TEXT}")
            if declared.identifier != "none":
                exact.add(name)
                if column.kind == "float":
                    raise inexact(table.title, name, column.type, field)
            if declared.type == "date":
                days.add(name)
                if column.kind == "zoned":
                    raise InputError(
                        f"{table.title}: {field} is a date, and the column {name} is {column.type}: which day it is depends "
                        "on the zone. Make it a date where it comes from"
                    )
            used.add(name)
    if not used:
        raise InputError(f"{table.title}: the map names no column of it")
    if op:
        if names.count(op) != 1 or table.columns[names.index(op)].kind != "plain":
            raise InputError(f"{table.title}: the column of operations is not here, or is not text")
        used.add(op)
    return [
        Wanted(column, name in days, name in exact)
        for name, column in zip(names, table.columns, strict=True)
        if name in used
    ]


_AS_TEXT = (
    "A field takes one value: leave it out of the map, or give it as text or a number, in a view of the table say"
)


def inexact(title: str, column: str, type: str, field: str = "") -> InputError:
    """The refusal of floating-point numbers where somebody is to be found by them."""
    what = f"the identifier {field} wants the column {column}" if field else f"an identifier wants the column {column}"
    return InputError(
        f"{title}: {what}, which has floating-point numbers ({type}): digits of a long number may be lost already. "
        "Make it text or whole numbers where it comes from"
    )


class Lines:
    """Writes rows of values as lines of CSV: None is no value, a number is as Python writes it."""

    def __init__(self) -> None:
        self._written: list[str] = []
        # With another line end than this, csv leaves a carriage return without quotes.
        self._writer = csv.writer(SimpleNamespace(write=self._written.append), lineterminator="\r\n")

    def of(self, table: Iterable[Sequence[object]]) -> Iterator[list[bytes]]:
        """The lines, a list of them at a time: few where they are long."""
        size, written, write = 0, self._written, self._writer.writerow
        for row in table:
            write(row)
            size += len(written[-1])
            if size > BLOCK or len(written) == LINES:
                yield self._taken()
                size = 0
        yield self._taken()

    def _taken(self) -> list[bytes]:
        found = [line.encode("utf-8", "surrogatepass") for line in self._written]
        self._written.clear()
        return found


class TableRecords:
    """``Records`` of a table (source.py)."""

    delimiter, encoding = ",", "utf-8"

    def __init__(self, table: Table, given: FieldMap, wanted: Sequence[Wanted], mark: FileMark | None) -> None:
        self._table, self._wanted = table, wanted
        self.title, self.format, self.map, self.mark = table.title, table.format, given, mark
        columns = [one.column.name.lstrip("\ufeff").strip() for one in wanted]
        # A line of one empty value would be a blank line, and those do not count.
        self.columns = tuple(columns if len(columns) > 1 else [*columns, ""])
        self.order = table.order(wanted)
        self.size = self.rows = 0
        self._passed = [b""]
        for chunk, digest in self._chunks():
            self._passed.append(digest)
            self.size, self.rows = chunk.end, self.rows + len(chunk.records)
        self.digest = mark.digest if mark else self._passed[-1] or hashlib.sha256().digest()

    def unused(self) -> dict[str, str]:
        used = {one.column.name for one in self._wanted}
        return {column.name: column.name for column in self._table.columns if column.name not in used}

    def chunks(self) -> Generator[Chunk, None, None]:
        for found, digest in zip_longest(self._chunks(), self._passed[1:]):
            if found is None or found[1] != digest:
                raise InputError(
                    f"{self.title}: what it holds has changed while it was read, or is never the same twice. What was taken "
                    "in until here stays. Import a copy of it that nobody changes"
                )
            yield found[0]

    def _chunks(self) -> Iterator[tuple[Chunk, bytes]]:
        """Each chunk, and the SHA-256 of all rows until its end."""
        cut = _Cut(self._table, self._wanted)
        for chunk in rows.gather(cut, 1):
            yield chunk, cut.digest()


class _Cut:
    """A table's lines as cut rows."""

    def __init__(self, table: Table, wanted: Sequence[Wanted]) -> None:
        self._table, self._wanted, self._hash, self.at = table, wanted, hashlib.sha256(), 0

    def digest(self) -> bytes:
        return self._hash.digest()

    def __iter__(self) -> Iterator[bytes | Broken]:
        for lines in self._table.lines(self._wanted):
            for line in lines:
                self._hash.update(line)
                self.at += len(line)
                yield line if len(line) <= MAX_ROW else Broken(TOO_LONG)
