"""The records of a file of CSV or JSON lines."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from strongroom.catalog.mapping import FieldMap
from strongroom.catalog.model import Holding
from strongroom.custody.intake import datafile, header, rows
from strongroom.custody.intake.datafile import DataFile
from strongroom.custody.intake.filemark import FileMark
from strongroom.custody.intake.header import Header
from strongroom.custody.intake.rows import Chunk
from strongroom.custody.intake.source import Format, Source
from strongroom.errors import InputError


@contextmanager
def records(source: Source, format: Format | None, holding: Holding) -> Iterator[TextRecords]:
    """Raises ``InputError``, ``CatalogError``."""
    assert isinstance(source.place, Path)
    data = datafile.read(source.place, cast("datafile.Format | None", format), source.encoding)
    wanted = header.wanted_columns(source.map) or set(holding.fields)
    head = header.read(data, wanted | {source.op} - {""}, source.delimiter)
    if source.op and source.op not in head.columns:
        raise InputError(f"{data.name}:1: the column of operations is not here")
    yield TextRecords(data, head, header.field_map(data, head, source.map, holding))


class TextRecords:
    """``Records`` of a file of text (source.py)."""

    def __init__(self, data: DataFile, head: Header, given: FieldMap) -> None:
        self._data, self._head = data, head
        self.title, self.format, self.encoding = data.name, data.format, data.encoding
        self.columns, self.delimiter, self.map = head.columns, head.delimiter, given
        self.mark: FileMark | None = data.mark
        self.digest, self.size, self.rows, self.order = data.mark.digest, data.mark.size, data.lines, ""

    def chunks(self) -> Generator[Chunk, None, None]:
        with self._data.open() as file:
            file.seek(self._head.end)
            first = 2 if self.format == "csv" else 1  # as a spreadsheet or an editor counts
            yield from rows.chunks(file, self.delimiter.encode(), first)
            self._data.mark.check(file)
