"""The records of a file of CSV or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from strongroom.catalog.mapping import FieldMap
from strongroom.catalog.model import Holding
from strongroom.custody.intake import datafile, header, rows
from strongroom.custody.intake.datafile import DataFile
from strongroom.custody.intake.filemark import FileMark
from strongroom.custody.intake.header import Header
from strongroom.custody.intake.rows import Broken, Chunk, Splitter
from strongroom.custody.intake.source import Format, Source
from strongroom.errors import InputError

_MANY = 1000


@contextmanager
def records(source: Source, format: Format | None, holding: Holding) -> Iterator[TextRecords]:
    """Raises ``InputError``, ``CatalogError``."""
    assert isinstance(source.place, Path)
    data = datafile.read(source.place, cast("datafile.Format | None", format), source.encoding)
    wanted = header.wanted_columns(source.map) or set(holding.fields)
    head = header.read(data, wanted | {source.op} - {""}, source.delimiter)
    if source.op and source.op not in head.columns:
        raise InputError(f"{data.name}:1: the column of operations is not here")
    yield TextRecords(data, head, header.field_map(data, head, source.map, holding), source.op)


class TextRecords:
    """``Records`` of a file of text (source.py)."""

    def __init__(self, data: DataFile, head: Header, given: FieldMap, op: str = "") -> None:
        self._data, self._head = data, head
        self._used = header.wanted_columns(given) | {op}
        self.title, self.format, self.encoding = data.name, data.format, data.encoding
        self.columns, self.delimiter, self.map = head.columns, head.delimiter, given
        self.mark: FileMark | None = data.mark
        self.digest, self.size, self.rows, self.order = data.mark.digest, data.mark.size, data.lines, ""

    def unused(self) -> dict[str, str]:
        # Its name is not said: where a header is missing, somebody's record is in its place.
        if self.format == "csv":
            numbered = enumerate(self.columns, 1)
            return {name: f"column {at}" for at, name in numbered if name not in self._used}
        found: dict[str, str] = {}
        with self._data.open() as file:
            for number, line in enumerate(Splitter(file, b""), 1):
                for name in _members(line):
                    if name not in self._used:
                        found.setdefault(name, f"a member of line {number:,}")
                if len(found) > _MANY:
                    break
        return found

    def chunks(self) -> Generator[Chunk, None, None]:
        with self._data.open() as file:
            file.seek(self._head.end)
            first = 2 if self.format == "csv" else 1  # as a spreadsheet or an editor counts
            yield from rows.chunks(file, self.delimiter.encode(), first)
            self._data.mark.check(file)


def _members(line: bytes | Broken) -> Iterable[str]:
    try:
        found = json.loads(line) if isinstance(line, bytes) else None
    except (ValueError, RecursionError):
        found = None  # its row is a bad one, or blank
    return found if isinstance(found, dict) else ()
