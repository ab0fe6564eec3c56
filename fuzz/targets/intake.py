"""Files to be imported: cut into rows, their header, their values (SPEC.md section 6.4; RFC 4180; jsonlines.org).

The first byte of an input chooses how the rest, a file, is read.
"""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from functools import cache
from itertools import pairwise

from fuzz.quoting import quoted
from fuzz.scratch import file, folder
from fuzz.seeds import example, kept
from fuzz.target import Broken, Target, text_of
from strongroom.canonical import encode
from strongroom.catalog import mapping
from strongroom.catalog import source as catalogs
from strongroom.catalog.model import Holding
from strongroom.custody.intake import datafile, filemark, header, place, rows, source, sqlite
from strongroom.custody.intake.values import Layout, Parser
from strongroom.custody.outfile import Outfile
from strongroom.errors import CatalogError, InputError
from strongroom.store.rows import RowError

DELIMITERS = (b",", b";", b"\t", b"|", b"")
FORMATS: tuple[source.Format, ...] = ("csv", "jsonl")


def targets() -> list[Target]:
    return [
        Target(
            name="intake.rows",
            read=_rows,
            seeds=lambda: [bytes([way]) + seed for way in range(len(DELIMITERS)) for seed in kept("intake")],
            of=(rows.Splitter.__iter__, rows.chunks),
            weight=0.1,
        ),
        Target(
            name="intake.file",
            read=_file,
            errors=(InputError, CatalogError),
            seeds=lambda: [bytes([way]) + seed for way in (0, 1, 0x80, 0x81, 2, 3) for seed in kept("intake")],
            of=(datafile.read, header.read, header.field_map, Parser.parse, filemark.FileMark.open),
            weight=0.02,
        ),
        Target(
            name="intake.sqlite",
            # Always with the map, which names the columns that there are.
            read=lambda data: _taken(0x80, "sqlite", data, table="people"),
            errors=(InputError, CatalogError),
            seeds=_tables,
            # It names the columns that there are.
            silent=False,
            of=(source.records, sqlite.records),
            weight=0.05,
        ),
        Target(
            name="intake.place",
            read=lambda data: place.parse(text_of(data)),
            errors=InputError,
            seeds=lambda: [
                b"people.csv",
                b"postgresql://ana@db.example:5432/city?sslmode=require",
                b"postgres:///city",
            ],
            of=(place.parse,),
        ),
        Target(
            name="export.receipts",
            read=_receipts,
            errors=InputError,
            seeds=lambda: [
                encode(_HEAD) + b"\n",
                encode(_HEAD) + b'\n{"entry":1,"receipt":"x","records":1,"text":"{}"}\n',
            ],
            of=(Outfile.entries,),
            weight=0.1,
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
    way, content = data[0] if data else 0, data[1:]
    encoding = datafile.ENCODINGS[way // len(FORMATS) % len(datafile.ENCODINGS)]
    _taken(way, FORMATS[way % len(FORMATS)], content, "" if encoding == "utf-8" else encoding)


def _taken(way: int, format_: source.Format, content: bytes, encoding: str = "", table: str = "") -> None:
    """As an import reads a file, but that nothing is sealed."""
    holding, use = _mapped() if way & 0x80 else (_by_name(), None)
    given = source.Source(file(content, f"input.{format_}"), use, format_, encoding, "", table)
    with source.records(given, holding) as found:
        layout = Layout(holding, found.map, found.columns, found.delimiter, found.encoding, "")
        parser = Parser(layout)
        for chunk in found.chunks():
            values = parser.parse(chunk)
            _tell_nothing(values.errors, content)
            if any(len(column) != values.count for column in values.columns.values()):
                raise Broken("values: columns of different length")
            if values.count + values.bad > len(chunk.records):
                raise Broken("values: more rows than there are")


@cache
def _tables() -> tuple[bytes, ...]:
    """Two persons of FEBRL's kind in an SQLite database, the second one's values of every type there is."""
    path = folder() / "seed.sqlite"
    path.unlink(missing_ok=True)
    names = [name.decode() for name in kept("intake")[0].partition(b"\n")[0].split(b",")]
    good = {"rec_id": "rec-1-org", "given_name": "ada", "soc_sec_id": "1234567", "date_of_birth": "1990-03-07"}
    odd = {"rec_id": 7, "given_name": b"\0\xff", "soc_sec_id": 12, "surname": 1.5, "postcode": "欧阳"}
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE people ({', '.join(names)})")
        for row in (good, odd):
            values = [row.get(name) for name in names]
            database.execute(f"INSERT INTO people VALUES ({', '.join('?' * len(names))})", values)  # noqa: S608 - our own
        database.commit()
    return (path.read_bytes(),)


@cache
def _by_name() -> Holding:
    return next(iter(catalogs.load(example("city/charter.yaml"), "charter.yaml").holdings.values()))


@cache
def _mapped() -> tuple[Holding, mapping.FieldMap]:
    holding = next(iter(catalogs.load(example("febrl/charter.yaml"), "charter.yaml").holdings.values()))
    return holding, mapping.load(example("febrl/map.yaml"), "map.yaml", holding)


_HEAD = {"count": 5, "export": "00" * 16, "fields": ["name"], "form": "jsonl", "holding": "residents", "purpose": "x"}


def _receipts(data: bytes) -> None:
    """The file beside an export, by which it goes on."""
    file(b"", "export.jsonl")
    file(data, "export.jsonl.receipts")
    with closing(Outfile(folder() / "export.jsonl", "jsonl", ["name"], _HEAD)) as out:
        bytes.fromhex(out.head["export"])
        out.entries()


def _tell_nothing(errors: list[RowError], content: bytes) -> None:
    for reason in sorted({error.reason for error in errors}):
        if found := quoted(reason, content):
            raise Broken(f"rows: the reason quotes {found!r}: {reason}")
