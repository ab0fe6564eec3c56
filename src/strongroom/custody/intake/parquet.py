"""A Parquet file as a table, read with pyarrow a few thousand rows at a time.

What stands in a column becomes the text that it would be in CSV: a date ``1990-03-07``, a time with no more digits than it
needs, true and false, bytes in base64.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from strongroom.catalog.model import Holding
from strongroom.custody.intake import table
from strongroom.custody.intake.filemark import FileMark, opened_file, sha256
from strongroom.custody.intake.source import Format, Source
from strongroom.custody.intake.table import Column, Kind, Lines, TableRecords, Wanted
from strongroom.errors import InputError

_ROWS = 2048
_BYTES = 16 << 20  # of what is read at a time, about

Values = list[str | int | None]

_FRACTION = re.compile(r"(?:\.|(\.\d*[1-9]))0+(?!\d)")  # zeros that tell nothing


@contextmanager
def records(source: Source, format: Format | None, holding: Holding) -> Iterator[TableRecords]:
    """Raises ``InputError``, ``CatalogError``."""
    assert isinstance(source.place, Path)
    with opened_file(source.place) as file:
        mark = FileMark.of(source.place, file, b"")
        mark = replace(mark, digest=sha256(file))
        yield table.records(Parquet(file, mark), source.map, holding, mark, source.op)


class Parquet:
    """An open file of one table (table.py). Raises ``InputError`` when it is none."""

    format: Format = "parquet"

    def __init__(self, file: BinaryIO, mark: FileMark) -> None:
        self._file, self._mark, self.title = file, mark, mark.path.name
        if not mark.size:
            raise InputError(f"{self.title} is empty")
        self._open = self._opened()
        self.columns = [Column(one.name, _kind(one.type), str(one.type)) for one in self._open.schema_arrow]

    def order(self, wanted: Sequence[Wanted]) -> str:
        return "as they stand in the file"

    def lines(self, wanted: Sequence[Wanted]) -> Generator[list[bytes], None, None]:
        writer, alone = Lines(), len(wanted) == 1
        names = [one.column.name for one in wanted]
        try:
            for batch in self._opened().iter_batches(self._rows(), columns=names, use_threads=False):
                columns = [_texts(batch.column(one.column.name), one) for one in wanted]
                if alone:
                    columns.append([None] * batch.num_rows)
                yield from writer.of(zip(*columns, strict=True))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._damaged(error) from None
        self._mark.check(self._file)

    def _opened(self) -> Any:
        self._file.seek(0)
        try:
            return pq.ParquetFile(self._file, buffer_size=1 << 20, pre_buffer=False, page_checksum_verification=True)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._damaged(error) from None

    def _rows(self) -> int:
        """How many rows to read at a time: fewer where they are long."""
        about = self._open.metadata
        # Not of the columns that are wanted: to ask a damaged file for one of them ends the process (Arrow 26).
        size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        return max(64, min(_ROWS, _BYTES * int(about.num_rows) // max(int(size), 1)))

    def _damaged(self, error: Exception) -> InputError:
        # Arrow's own words may quote a value.
        what = "is encrypted, or compressed in a way" if isinstance(error, pa.ArrowNotImplementedError) else ""
        if what:
            return InputError(f"{self.title} {what} that is not read here. Write it anew without")
        return InputError(f"{self.title} cannot be read as Parquet: it is damaged, cut off, or encrypted")


def _kind(type: Any) -> Kind:
    if isinstance(type, pa.BaseExtensionType):
        return "plain" if type.extension_name == "arrow.uuid" else "other"
    if pa.types.is_dictionary(type):
        return _kind(type.value_type)
    if pa.types.is_timestamp(type):
        return "timestamp" if type.tz is None else "zoned"
    if pa.types.is_floating(type):
        return "float"
    return "plain" if any(fits(type) for fits in _PLAIN) else "other"


_TEXTS: tuple[Callable[[Any], bool], ...] = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BINARIES: tuple[Callable[[Any], bool], ...] = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)
_PLAIN: tuple[Callable[[Any], bool], ...] = (
    *_TEXTS,
    *_BINARIES,
    pa.types.is_integer,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_null,
)


def _texts(column: Any, wanted: Wanted) -> Values:
    """The values of a column, as text where Python would write another one."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    type = column.type
    if isinstance(type, pa.BaseExtensionType):
        return [None if one is None else str(one) for one in column.to_pylist()]
    if any(fits(type) for fits in _TEXTS):
        return _strings(column)
    if any(fits(type) for fits in _BINARIES):
        return [None if one is None else b64encode(one).decode() for one in column.to_pylist()]
    if pa.types.is_decimal(type):
        return [None if one is None else f"{one:f}" for one in column.to_pylist()]
    if pa.types.is_integer(type) or pa.types.is_null(type):
        found: Values = column.to_pylist()
        return found
    found = pc.cast(column, pa.string()).to_pylist()
    if pa.types.is_temporal(type):
        return [None if one is None else _moment(str(one), day=wanted.day) for one in found]
    return found


def _strings(column: Any) -> Values:
    try:
        found: Values = column.to_pylist()
    except UnicodeDecodeError:
        # Something wrote other bytes than UTF-8 there: U+FFFD in their place, which no field takes.
        raw = pc.cast(column, pa.large_binary()).to_pylist()
        return [None if one is None else one.decode("utf-8", "replace") for one in raw]
    return found


def _moment(text: str, *, day: bool) -> str:
    if text.startswith("<"):
        return "\ufffd"  # Arrow says that the year is none: no field takes it
    text = _FRACTION.sub(r"\1", text)
    return text.removesuffix(" 00:00:00") if day else text
