"""Sources that are tables, whole: Parquet files and SQLite databases as an import reads them; and what a command line names.

Their readers are in C and not instrumented. What is looked at is ours: that whatever is damaged ends in our error, with no
value in it, or in rows that a chunk can have.
"""

# ruff: noqa: S608 - the names are ours
from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from fuzz.scratch import file
from fuzz.seeds import example
from fuzz.target import Broken, Target, text_of
from strongroom.catalog import source as charters
from strongroom.catalog.model import Holding
from strongroom.custody.intake import parquet, place, source, sqlite
from strongroom.custody.intake.source import Format, Source
from strongroom.errors import CatalogError, InputError

VALUE = "Lovelace"


def targets() -> list[Target]:
    return [
        Target(
            name="intake.place",
            read=lambda data: place.parse(text_of(data)),
            errors=InputError,
            seeds=lambda: [
                b"people.csv",
                b"postgresql://clerk@[::1]:5432/city?host=/run&sslmode=require",
                b"a://b:c@d",
            ],
            of=(place.parse,),
        ),
        _table("parquet", _parquet, parquet.Parquet.lines),
        _table("sqlite", _sqlite, sqlite.Sqlite.lines),
    ]


def _table(format: Format, seeds: Callable[[], list[bytes]], reader: object) -> Target:
    return Target(
        name=f"intake.{format}",
        read=partial(_read, format),
        errors=(InputError, CatalogError),
        # Names of columns and tables are quoted: they are the schema's, not somebody's.
        silent=False,
        seeds=seeds,
        of=(reader,),
        weight=0.1,
    )


def _read(format: Format, data: bytes) -> None:
    chosen = Source(file(data, f"input.{format}"), format=format, table="people" if format == "sqlite" else "")
    try:
        with source.records(chosen, _holding()) as records:
            for chunk in records.chunks():
                if sum(map(len, chunk.records)) > records.size or len(chunk.records) > records.rows:
                    raise Broken(f"{format}: a chunk has more than there is")
    except (InputError, CatalogError) as error:
        if VALUE in str(error):
            raise Broken(f"{format}: the error quotes a value: {error}") from error
        raise


def _holding() -> Holding:
    return next(iter(charters.load(example("febrl/charter.yaml"), "charter.yaml").holdings.values()))


def _columns() -> dict[str, list[str | None]]:
    names = _holding().fields
    return {name: [f"{VALUE} {at}" if at else None for at in range(20)] for name in names}


def _parquet() -> list[bytes]:
    found = []
    for more in ({"compression": "none", "use_dictionary": False}, {"write_page_checksum": True, "row_group_size": 7}):
        out = io.BytesIO()
        pq.write_table(pa.table(_columns()), out, **more)
        found.append(out.getvalue())
    return found


def _sqlite() -> list[bytes]:
    columns = _columns()
    names = ", ".join(f'"{name}"' for name in columns)
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute("PRAGMA page_size = 512")
        made.execute(f"CREATE TABLE people ({names})")
        made.executemany(
            f"INSERT INTO people VALUES ({', '.join('?' * len(columns))})", zip(*columns.values(), strict=True)
        )
        made.commit()
        return [bytes(made.serialize())]
