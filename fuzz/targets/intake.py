"""Files to be imported: cut into rows, their header, their values (SPEC.md section 6.4; RFC 4180; jsonlines.org).

The first byte of an input chooses how the rest, a file, is read.
"""

from __future__ import annotations

import io
from functools import cache
from itertools import pairwise

from fuzz.quoting import quoted
from fuzz.scratch import file
from fuzz.seeds import example, kept
from fuzz.target import Broken, Target
from strongroom.catalog import mapping, source
from strongroom.catalog.model import Holding
from strongroom.custody.intake import datafile, header, rows
from strongroom.custody.intake.values import Layout, Parser
from strongroom.errors import CatalogError, InputError
from strongroom.store.rows import RowError

DELIMITERS = (b",", b";", b"\t", b"|", b"")
FORMATS: tuple[datafile.Format, ...] = ("csv", "jsonl")


def targets() -> list[Target]:
    return [
        Target(
            name="intake.rows",
            read=_rows,
            seeds=lambda: [bytes([way]) + seed for way in range(len(DELIMITERS)) for seed in kept("intake")],
            of=(rows.Splitter.__iter__, rows.chunks),
            weight=0.3,
        ),
        Target(
            name="intake.file",
            read=_file,
            errors=(InputError, CatalogError),
            seeds=lambda: [bytes([way]) + seed for way in (0, 1, 0x80, 0x81, 2, 3) for seed in kept("intake")],
            of=(datafile.read, header.read, header.field_map, Parser.parse),
            weight=0.02,
        ),
    ]


def _rows(data: bytes) -> None:
    delimiter, content = DELIMITERS[data[0] % len(DELIMITERS)] if data else b"", data[1:]
    found = list(rows.chunks(io.BytesIO(content), delimiter, 1))
    records = [record for chunk in found for record in chunk.records]
    bad = [error for chunk in found for error in chunk.bad]
    _tell_nothing(bad, content)
    if (found[-1].end if found else 0) != len(content):
        raise Broken("rows: the file is not read to its end")
    if any(chunk.first + len(chunk.records) != after.first for chunk, after in pairwise(found)):
        raise Broken("rows: chunks do not count on")
    if not bad and b"".join(records) != content:
        raise Broken("rows: joined again they are not the file")
    if {error.row for error in bad} != {row for row, record in enumerate(records, 1) if not record}:
        raise Broken("rows: a row is neither there nor told of")


def _file(data: bytes) -> None:
    """As an import reads a file, but that nothing is sealed."""
    way, content = data[0] if data else 0, data[1:]
    format_ = FORMATS[way % len(FORMATS)]
    encoding = datafile.ENCODINGS[way // len(FORMATS) % len(datafile.ENCODINGS)]
    found = datafile.read(file(content, "input.csv"), format_, "" if encoding == "utf-8" else encoding)
    holding, use = _mapped() if way & 0x80 else (_by_name(), None)
    top = header.read(found, header.wanted_columns(use) or set(holding.fields))
    layout = Layout(holding, header.field_map(found, top, use, holding), top.columns, top.delimiter, found.encoding, "")
    parser = Parser(layout)
    with found.open() as opened:
        opened.seek(top.end)
        for chunk in rows.chunks(opened, top.delimiter.encode(), 1):
            values = parser.parse(chunk)
            _tell_nothing(values.errors, content)
            if any(len(column) != values.count for column in values.columns.values()):
                raise Broken("values: columns of different length")
            if values.count + values.bad > len(chunk.records):
                raise Broken("values: more rows than there are")


@cache
def _by_name() -> Holding:
    return next(iter(source.load(example("city/charter.yaml"), "charter.yaml").holdings.values()))


@cache
def _mapped() -> tuple[Holding, mapping.FieldMap]:
    holding = next(iter(source.load(example("febrl/charter.yaml"), "charter.yaml").holdings.values()))
    return holding, mapping.load(example("febrl/map.yaml"), "map.yaml", holding)


def _tell_nothing(errors: list[RowError], content: bytes) -> None:
    for error in errors:
        if found := quoted(error.reason, content):
            raise Broken(f"rows: the reason quotes {found!r}: {error.reason}")
