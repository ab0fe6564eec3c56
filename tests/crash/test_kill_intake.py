"""Kill -9 in the middle of every kind of import: each row is there once, and no source is destroyed before it is."""

from __future__ import annotations

import csv
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from tests import postgres
from tests.crash import follower
from tests.crash.conftest import PEOPLE
from tests.crash.siege import Siege
from tests.world import World

from strongroom.store.vault import VaultStore
from strongroom.synth.people import people

pytestmark = [pytest.mark.kill, pytest.mark.timeout(3600)]

COLUMNS = ["id-number", "name", "born", "sex", "phone", "email"]
ROWS, CHUNK = 240, 5
ASK = ["--as", "rui", "--purpose", "register", "--case", "c-1", "--reason", "taking in the register"]


def rows(seed: int) -> list[dict[str, str]]:
    return [{name: one[name] for name in COLUMNS} for one in people(ROWS, 1000 + seed)]


def write_csv(path: Path, all_: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(all_[0]))
        writer.writeheader()
        writer.writerows(all_)
    return path


def stored(siege: Siege) -> int:
    with closing(VaultStore(siege.room / "vault" / "vault.db")) as store:
        found = next(row for row in store.holdings() if row.name == "residents")
        assert found.records == found.versions
        return found.records - PEOPLE


def each_once(siege: Siege, turns: int) -> None:
    """Every row of every turn, found by its number, says what it said."""
    assert stored(siege) == turns * ROWS
    with siege.world() as town:
        for turn in range(turns):
            for one in rows(turn)[:: ROWS // 4]:
                (handle,) = town.find("resident-id", one["id-number"]).handles
                assert town.disclose([handle]).values[0]["name"] == one["name"]


def test_imports(besieged: Callable[..., Siege]) -> None:
    siege = besieged("import", page=CHUNK * 2)

    def begin(turn: int) -> list[str]:
        file = write_csv(siege.folder / f"rows-{turn}.csv", rows(turn))
        return ["import", str(file), "--workers", str(1 + turn % 2), *ASK]

    turns = siege.storm(begin)
    siege.rest()
    each_once(siege, turns)


def test_imports_that_destroy_their_source(besieged: Callable[..., Siege]) -> None:
    siege = besieged("import and destroy", page=CHUNK)
    file, whole = siege.folder / "rows.csv", b""
    turns = 0

    def begin(turn: int) -> list[str]:
        nonlocal whole, turns
        whole, turns = write_csv(file, rows(turn)).read_bytes(), turn + 1
        return ["import", str(file), "--workers", "1", "--destroy-source", *ASK]

    def safe() -> None:
        assert (file.exists() and file.read_bytes() == whole) or stored(siege) == turns * ROWS

    def finished(_: int, code: int) -> None:
        assert stored(siege) == turns * ROWS, siege.said()
        # Left, where it was not read back whole, or was being overwritten; and it is said. Or a run was killed at its last steps, and
        # the next one finds an empty file or none.
        assert code == 1 or not file.exists()
        said = siege.said()
        assert code == 0 or f"{file} is left as it is" in said or "rows.csv: " in said or "rows.csv is empty" in said
        file.unlink(missing_ok=True)

    siege.storm(begin, finished, meanwhile=safe, good=(0, 1))
    siege.rest()
    each_once(siege, turns)


Fill: TypeAlias = Callable[[Path, list[dict[str, str]]], list[str]]
"""Puts rows into a source, and names it."""


@contextmanager
def tables() -> Iterator[list[Fill]]:
    writers: list[Fill] = [_sqlite]
    if pytest.importorskip("pyarrow"):
        writers.append(_parquet)
    if postgres._programs() is None:
        yield writers
        return
    with postgres.server() as server:

        def fill(_: Path, all_: list[dict[str, str]]) -> list[str]:
            psycopg = pytest.importorskip("psycopg")
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute("DROP TABLE IF EXISTS people")
                declared = ", ".join(f'"{name}" text' for name in COLUMNS)
                connection.execute(f"CREATE TABLE people (number serial PRIMARY KEY, {declared})")
                names, marks = ", ".join(f'"{name}"' for name in COLUMNS), ", ".join(["%s"] * len(COLUMNS))
                with connection.cursor() as cursor:
                    insert = f"INSERT INTO people ({names}) VALUES ({marks})"  # noqa: S608 - names of our own
                    cursor.executemany(insert, [list(one.values()) for one in all_])
            return [server.url("postgres"), "--table", "people"]

        yield [fill, *writers]


def _sqlite(path: Path, all_: list[dict[str, str]]) -> list[str]:
    path = path.with_suffix(".db")
    with closing(sqlite3.connect(path)) as connection, connection:
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        connection.execute(f"CREATE TABLE people ({names})")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)", [list(one.values()) for one in all_])
    return [str(path), "--table", "people"]


def _parquet(path: Path, all_: list[dict[str, str]]) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = path.with_suffix(".parquet")
    pq.write_table(pa.Table.from_pylist(all_), path, row_group_size=50)
    return [str(path)]


def test_imports_of_tables(besieged: Callable[..., Siege]) -> None:
    siege = besieged("tables", page=CHUNK)
    with tables() as writers:

        def begin(turn: int) -> list[str]:
            # Of each kind one at the least, which is killed as often as it comes.
            named = writers[turn % len(writers)](siege.folder / f"rows-{turn}", rows(turn))
            return ["import", *named, "--workers", "1", *ASK]

        turns = siege.storm(begin)
        while turns < len(writers):
            siege.run(*begin(turns))
            turns += 1
    siege.rest()
    each_once(siege, turns)


def test_feeds(besieged: Callable[..., Siege]) -> None:
    """What it says in the end is so, row by row, however often it was cut and gone on with."""
    siege = besieged("feed", page=CHUNK)
    register = list(people(20, 900))  # none of whom is in the room before
    said: dict[int, str] = {}

    def begin(turn: int) -> list[str]:
        feed = _changes(siege.folder / f"feed-{turn}.csv", register, said, siege.chooser)
        return [follower.__file__, str(siege.room), str(feed)]

    siege.storm(begin)
    siege.rest()
    with siege.world() as town:
        for at, one in enumerate(register):
            assert _names(town, one["id-number"]) == ([said[at]] if at in said else [])
        assert town.room.store.unsettled(town.room.holding("residents"), 9) == []


def _names(town: World, number: str) -> list[str | None]:
    handles = town.find("resident-id", number).handles
    return [values["name"] for values in town.disclose(handles).values] if handles else []


def _changes(path: Path, register: list[dict[str, str]], said: dict[int, str], chooser: random.Random) -> Path:
    """60 changes of the register, a third of them deletions; ``said`` is what holds after them."""
    lines = []
    for at in range(60):
        who = chooser.randrange(len(register))
        line = {"op": "u", **{name: register[who][name] for name in COLUMNS}}
        if chooser.random() < 0.33:
            line["op"] = "d"
            said.pop(who, None)
        else:
            line["name"] = said[who] = f"Name {path.stem} {at}"
        lines.append(line)
    return write_csv(path, lines)
