"""The same records imported out of each kind of source, one after the other, each into a room of its own: ``python -m bench.sources``."""

from __future__ import annotations

import argparse
import csv
import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pyarrow.csv
import pyarrow.parquet
from tests import postgres

from bench import room
from bench.measure import run
from strongroom.cli import development

ASKED = ["--as", "registrar", "--purpose", "fill", "--case", "b-1", "--reason", "filling the room to measure it"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sources", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="records to import (default: %(default)s)")
    parser.add_argument(
        "--directory", type=Path, default=Path("build/bench-sources"), help="on the disk to be measured"
    )
    args = parser.parse_args()
    shutil.rmtree(args.directory, ignore_errors=True)
    args.directory.mkdir(parents=True)
    path, founded = args.directory / "residents.csv", args.directory / "founded"
    room.rows(path, args.rows)
    room.make(founded)
    with postgres.server() as server:
        made: list[tuple[str, list[str]]] = [
            ("CSV", [str(path)]),
            ("Parquet", _parquet(path)),
            ("SQLite, by rowid", _sqlite(path)),
            ("PostgreSQL, by primary key", [*_postgresql(path, server.url("postgres")), "--table", "residents"]),
            ("PostgreSQL, a view without a key", [server.url("postgres"), "--table", "keyless"]),
            ("CSV, read back, then destroyed", [str(path), "--destroy-source"]),
        ]
        for name, source in made:
            _fill(args.directory / "room", founded, name, source, args.rows)
    shutil.rmtree(args.directory)


def _fill(root: Path, founded: Path, name: str, source: list[str], count: int) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(founded, root)
    with development.keyholder(root):
        command = [sys.executable, "-m", "strongroom.cli.main", "import", *source, "--room", str(root), *ASKED]
        ran = run(command)
    print(
        f"{name:<36} {count / ran.seconds:,.0f} records/s, {ran.processor / count * 1e6:.0f} µs of processor each, "
        f"memory {ran.half:,.0f} MB, {ran.peak:,.0f} MB",
        flush=True,
    )


def _parquet(path: Path) -> list[str]:
    to = path.with_suffix(".parquet")
    # All of it text: Arrow takes a column of telephone numbers, some of them missing, for one of floating point.
    types = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(room.FIELDS, pyarrow.string()), strings_can_be_null=True
    )
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(path, convert_options=types), to)
    return [str(to)]


def _sqlite(path: Path) -> list[str]:
    to = path.with_suffix(".db")
    columns = ", ".join(f'"{name}" TEXT' for name in room.FIELDS)
    with closing(sqlite3.connect(to)) as base, path.open(encoding="utf-8", newline="") as file:
        base.execute(f"CREATE TABLE residents ({columns})")
        reader = csv.reader(file)
        next(reader)
        base.executemany(f"INSERT INTO residents VALUES ({', '.join('?' * len(room.FIELDS))})", reader)  # noqa: S608 - names of ours
        base.commit()
    return [str(to), "--table", "residents"]


def _postgresql(path: Path, url: str) -> list[str]:
    columns, names = (", ".join(f'"{name}"{type}' for name in room.FIELDS) for type in (" text", ""))
    with psycopg.connect(url, autocommit=True) as base, base.cursor() as cursor:
        cursor.execute(f"CREATE TABLE residents (number bigserial PRIMARY KEY, {columns})")
        with cursor.copy(f"COPY residents ({names}) FROM STDIN (FORMAT csv, HEADER)") as copy, path.open("rb") as file:
            for block in iter(partial(file.read, 1 << 20), b""):
                copy.write(block)
        cursor.execute("CREATE VIEW keyless AS SELECT * FROM residents")
    return [url]


if __name__ == "__main__":
    main()
