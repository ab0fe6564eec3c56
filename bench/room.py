"""A room for measuring: founded, with a reader and a registrar, and filled from a CSV by two processes."""

from __future__ import annotations

import csv
import os
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Ran, run, seconds
from strongroom.catalog import source
from strongroom.cli import development
from strongroom.client import device
from strongroom.custody import ceremony
from strongroom.custody.room import Room
from strongroom.synth.people import people

FIELDS = ["id-number", "name", "born", "sex", "phone", "email", "address"]
_COLUMNS = ", ".join(f'"{name}" TEXT' for name in FIELDS)


def make(root: Path) -> None:
    """Found the room of ``charter.yaml`` and let in its two readers."""
    text = Path(__file__).with_name("charter.yaml").read_text()
    ceremony.found(root, source.load(text, "charter.yaml"), os.urandom, lambda _: None)
    steward = ceremony.load_steward(root / "steward" / "steward.key")
    with development.keyholder(root):
        room = Room(root / "vault")
        for name, role in (("reader", "reader"), ("registrar", "registrar")):
            made = device.create(root / "people" / f"{name}.device", name, os.urandom)
            ceremony.enrol_reader(room, steward, made.public, role, "bench")
        room.close()


def rows(path: Path, count: int) -> None:
    """A CSV of ``count`` synthetic residents."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(people(count, 1))


@dataclass(frozen=True)
class Filled:
    """Records a second; of a record, microseconds of processor (without the keyholder's) and bytes of the vault's disk."""

    rate: float
    processor: float
    bytes: float
    ran: Ran


def fill(root: Path, path: Path, count: int) -> Filled:
    """Import by two processes."""
    asked = ["--as", "registrar", "--purpose", "fill", "--case", "b-1", "--reason", "filling the room to measure it"]
    with development.keyholder(root):
        ran = run([sys.executable, "-m", "strongroom.cli.main", "import", str(path), "--room", str(root), *asked])
    with closing(Room(root / "vault")) as room:
        stored = room.store.holdings()[0].records
    if stored != count:
        raise SystemExit(f"only {stored:,} of {count:,} rows were stored")
    held = sum(file.stat().st_size for file in (root / "vault").iterdir())
    return Filled(count / ran.seconds, ran.processor / count * 1e6, held / count, ran)


def plain(target: Path, path: Path, count: int) -> float:
    """Rows a second of the plain import of the same rows into SQLite, with the same two indexes."""
    return count / seconds(lambda: _plain(target, path))


def _plain(target: Path, path: Path) -> None:
    target.unlink(missing_ok=True)
    database = sqlite3.connect(target, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"CREATE TABLE residents ({_COLUMNS})")
    database.execute('CREATE INDEX by_id ON residents ("id-number")')
    database.execute('CREATE INDEX by_phone ON residents ("phone")')
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        database.execute("BEGIN")
        database.executemany("INSERT INTO residents VALUES (?, ?, ?, ?, ?, ?, ?)", reader)
        database.execute("COMMIT")
    database.close()
