"""The first row of a CSV file, or the members of the first JSON lines: which columns there are, and what parts them.

Where the header is missing, its place is taken by somebody's record: so no message here quotes a column's name.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection
from dataclasses import dataclass

from strongroom.catalog import mapping
from strongroom.catalog.mapping import FieldMap
from strongroom.catalog.model import Holding
from strongroom.custody.intake import rows
from strongroom.custody.intake.datafile import DataFile
from strongroom.errors import CatalogError, InputError

DELIMITERS = (",", ";", "\t", "|")
_LOOK = 1000


@dataclass(frozen=True, slots=True)
class Header:
    """``columns`` of a CSV file, trimmed, or of JSONL the members of the first rows. ``delimiter`` is empty for JSONL;
    ``end``: where the first row of data begins, in bytes."""

    columns: tuple[str, ...]
    delimiter: str
    end: int


def read(data: DataFile, wanted: Collection[str], delimiter: str = "") -> Header:
    """The header of ``data``; ``wanted`` are the column names that the import will look for. Raises ``InputError``."""
    if data.format == "jsonl":
        return Header(_members(data), "", data.start)
    if delimiter and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n '):
        raise InputError("the delimiter is not a single ASCII character other than a quote or a space")
    found = [_header(data, each, set(wanted)) for each in ([delimiter] if delimiter else DELIMITERS)]
    # What parts most of the names that are looked for is the delimiter; otherwise what parts most.
    _, header = max(found, key=lambda item: item[0])
    place = f"{data.name}:1"
    for at, name in enumerate(header.columns):
        if not name:
            raise InputError(f"{place}: column {at + 1} of the header has no name. Give every column one")
        if name in header.columns[:at]:
            first = header.columns.index(name) + 1
            raise InputError(f"{place}: columns {first} and {at + 1} of the header have one name. Rename one")
    return header


def field_map(data: DataFile, header: Header, given: FieldMap | None, holding: Holding) -> FieldMap:
    """Which column fills which field: the map given, or by name. Raises ``CatalogError``, ``InputError``."""
    found = given or mapping.by_name(header.columns, f"{data.name}:1", holding)
    wanted = wanted_columns(found)
    if wanted and not wanted.intersection(header.columns):
        where = "is its header missing" if data.format == "csv" else "is it another file's map"
        raise InputError(f"{data.name}:1: none of the columns that the map names is here; {where}?")
    if data.format == "csv":
        try:
            found.compile(header.columns)
        except CatalogError as error:
            # Its mend may name a column of the file that looks alike.
            raise CatalogError(error.place, error.problem, "Correct the map or the file's header") from None
    return found


def wanted_columns(given: FieldMap | None) -> set[str]:
    """The column names of a map."""
    return {column for part in given.parts.values() for column in part.columns} if given else set()


def _header(data: DataFile, delimiter: str, wanted: set[str]) -> tuple[tuple[int, int], Header]:
    with data.open() as file:
        splitter = rows.Splitter(file, delimiter.encode())
        record = next(iter(splitter), b"")
        end = splitter.at
    names: list[str] = []
    if isinstance(record, bytes):
        try:
            text = record.decode(data.encoding)
            names = next(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True), [])
        except (csv.Error, UnicodeDecodeError):
            names = []
    if not names:
        if data.format == "csv" and delimiter == DELIMITERS[0]:
            raise InputError(f"{data.name}:1: the header cannot be read; an empty line, or a quote that is not closed")
        return (-1, -1), Header((), delimiter, end)
    columns = tuple(name.lstrip("\ufeff").strip() for name in names)
    fit = sum(name in wanted or _as_field(name) in wanted for name in columns)
    return (fit, len(columns)), Header(columns, delimiter, end)


def _as_field(name: str) -> str:
    return name.lower().replace("_", "-")


def _members(data: DataFile) -> tuple[str, ...]:
    found: dict[str, None] = {}
    with data.open() as file:
        for number, record in enumerate(rows.Splitter(file, b"")):
            if number == _LOOK:
                break
            try:
                value = json.loads(record) if isinstance(record, bytes) else None
            except (ValueError, RecursionError):
                continue  # its row will say so
            if isinstance(value, dict):
                found.update(dict.fromkeys(value))
    return tuple(found)
