"""Whole imports from Parquet, SQLite and PostgreSQL into a room: the same people, whatever they came in."""

# ruff: noqa: S608 - the statements are the tests' own
from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from tests import postgres
from tests.custody.intake.test_importer import COLUMNS, bad_rows, errand, found, residents, versions, write_csv
from tests.custody.intake.test_workers import CHUNK, houses, stored, take
from tests.postgres import Server
from tests.world import World

from strongroom.custody.intake import importer, rows
from strongroom.custody.intake.importer import Report, Source
from strongroom.custody.intake.place import Address
from strongroom.errors import InputError

__all__ = ["houses"]

People = Sequence[Mapping[str, str]]
Put = Callable[[Path, People], Source]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put_csv(folder: Path, people: People) -> Source:
    return Source(write_csv(folder / "residents.csv", people))


def put_parquet(folder: Path, people: People) -> Source:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({name: [one[name] or None for one in people] for name in COLUMNS})
    pytest.importorskip("pyarrow.parquet").write_table(table, folder / "residents.parquet")
    return Source(folder / "residents.parquet")


def put_sqlite(folder: Path, people: People) -> Source:
    path = folder / "city.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        connection.execute(f"CREATE TABLE residents ({names})")
        values = [[one[name] or None for name in COLUMNS] for one in people]
        connection.executemany(f"INSERT INTO residents VALUES ({', '.join('?' * len(COLUMNS))})", values)
        connection.commit()
    return Source(path, table="residents")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.server() as found:
        yield found


@pytest.fixture
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[People], Source]:
    """Puts people into a source of the kind that the test is run with."""
    if request.param != "postgresql":
        kind: Put = {"csv": put_csv, "parquet": put_parquet, "sqlite": put_sqlite}[request.param]
        return lambda people: kind(tmp_path, people)
    psycopg = pytest.importorskip("psycopg")
    url = request.getfixturevalue("server").url("postgres")

    def put_postgresql(people: People) -> Source:
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        with psycopg.connect(url) as connection:
            connection.execute("DROP TABLE IF EXISTS residents")
            columns = ", ".join(f'"{name}" text' for name in COLUMNS)
            connection.execute(f"CREATE TABLE residents (number serial PRIMARY KEY, {columns})")
            with connection.cursor() as cursor, cursor.copy(f"COPY residents ({names}) FROM STDIN") as copy:
                for one in people:
                    copy.write_row([one[name] or None for name in COLUMNS])
        return Source(Address(url), table="residents")

    return put_postgresql


KINDS = ("csv", "parquet", "sqlite", "postgresql")
every = pytest.mark.parametrize("put", KINDS, indirect=True)
tables = pytest.mark.parametrize("put", KINDS[1:], indirect=True)


def import_(town: World, source: Source, upsert: str = "") -> Report:
    named = errand(town, purpose="announce" if upsert else "register")
    return importer.import_file(town.room, source, "residents", named, upsert=upsert, workers=1)


@every
def test_people_are_taken_found_and_read(town: World, put: Callable[[People], Source]) -> None:
    all_ = residents(40)
    all_[7]["born"] = "31.12.1999"
    all_[9]["phone"] = ""
    source = put(all_)
    checked = importer.check_file(town.room, source, "residents")
    report = import_(town, source)
    assert (checked.rows, checked.bad) == (report.rows, report.bad) == (40, 1)
    assert report.bad_rows is not None
    first = 2 if report.format == "csv" else 1
    assert bad_rows(report)[1:] == [[str(first + 7), "born", "want a date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD"]]
    for one in all_[::13]:
        (handle,) = found(town, one)
        assert town.disclose([handle], ["name", "sex"]).values[0] == {"name": one["name"], "sex": one["sex"]}
    again = import_(town, source)
    assert (again.already, again.stored, again.job) == (True, 39, report.job)
    assert versions(town) == (39, 39)


@tables
def test_an_upsert_takes_what_changed(town: World, put: Callable[[People], Source]) -> None:
    all_ = residents(6)
    import_(town, put(all_))
    report = import_(town, put([{**one, "name": f"New {at}"} for at, one in enumerate(all_)]), "id-number")
    assert (report.stored, versions(town)) == (6, (6, 12))
    (handle,) = found(town, all_[5])
    assert town.disclose([handle], ["name"]).values[0] == {"name": "New 5"}


@tables
def test_an_empty_table_is_taken_and_is_nothing(town: World, put: Callable[[People], Source]) -> None:
    report = import_(town, put([]))
    assert (report.rows, report.stored, report.bad, report.already) == (0, 0, 0, False)


@tables
def test_an_import_goes_on_with_the_chunks_that_are_left(
    town: World, put: Callable[[People], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 10)
    source = put(residents(45))

    def stop(progress: importer.Progress) -> None:
        if progress.rows == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer.import_file(town.room, source, "residents", errand(town), workers=1, progress=stop)
    assert versions(town) == (20, 20)
    report = import_(town, source)
    assert (report.resumed, report.stored, versions(town)) == (True, 45, (45, 45))


@tables
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_killed_it_goes_on(houses: Path, put: Callable[[People], Source]) -> None:
    source = put(residents(12 * CHUNK))
    named = source.place.url if isinstance(source.place, Address) else str(source.place)
    script = f"""
if __name__ == "__main__":
    from pathlib import Path
    from strongroom.custody.intake import place
    from strongroom.custody.intake.importer import Source
    from tests.custody.intake import test_workers
    source = Source(place.parse({named!r}), table={source.table!r})
    test_workers.take(Path({str(houses)!r}), source, lambda _: print("a chunk", flush=True))
"""
    (houses / "importer.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])}
    started = subprocess.Popen(
        [sys.executable, houses / "importer.py"], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert started.stdout is not None
    with started.stdout:
        assert started.stdout.readline() == "a chunk\n"
        started.send_signal(signal.SIGKILL)
        assert started.wait(30) == -signal.SIGKILL
    assert 0 < stored(houses) < 12 * CHUNK
    report = take(houses, source)
    assert (report.resumed, report.stored, stored(houses)) == (True, 12 * CHUNK, 12 * CHUNK)


def test_a_server_that_goes_away_leaves_what_was_taken(
    town: World, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    psycopg = pytest.importorskip("psycopg")
    monkeypatch.setattr(rows, "MAX_ROWS", 100)
    all_ = residents(400)
    url = server.url("postgres")
    # Rows so long that not all of them are on their way already when the server goes.
    with psycopg.connect(url, autocommit=True) as connection:
        columns = ", ".join(f'"{name}" text' for name in COLUMNS)
        connection.execute("DROP TABLE IF EXISTS long")
        connection.execute(f"CREATE TABLE long (number serial PRIMARY KEY, {columns}, more text)")
        marks = ", ".join(["%s"] * len(COLUMNS))
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        with connection.cursor() as cursor:
            insert = f"INSERT INTO long ({names}, more) VALUES ({marks}, repeat('x', 30000))"
            cursor.executemany(insert, [[one[name] for name in COLUMNS] for one in all_])
    text = "\n".join(f"{name}: {name}" for name in COLUMNS if name != "email") + "\nemail: [email, more]\n"
    from strongroom.catalog import mapping

    declared = town.room.rules().charter.holdings["residents"]
    source = Source(Address(url), mapping.load(text, "map.yaml", declared), table="long")
    stopped = False

    def stop(_: importer.Progress) -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            server.restart()

    with pytest.raises(InputError, match=r"public.long: .*Start the same import again: it goes on where it stopped"):
        importer.import_file(town.room, source, "residents", errand(town), workers=1, progress=stop)
    report = import_(town, source)
    assert (report.resumed, report.rows, report.bad) == (True, 400, 400)
