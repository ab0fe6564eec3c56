"""The vault's SQLite store: the contract, and what only a file can get wrong."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.store.contract import EPOCH, JOB, Contract, batches, draw, put, record

from strongroom.errors import StoreError
from strongroom.store import database, removal, vault
from strongroom.store.rows import RowError
from strongroom.store.vault import VaultStore


class TestSqlite(Contract):
    def open(self, place: Path) -> VaultStore:
        return VaultStore(place / "vault.db", create=True)


def make(path: Path) -> Path:
    with VaultStore(path, create=True) as store:
        store.add_holding(draw("residents"), "residents")
        put(store, *(record(str(i), tokens=str(i % 10)) for i in range(100)))
    return path


def test_the_days_of_batches_are_told_by_an_index_alone(tmp_path: Path) -> None:
    """A batch is a kilobyte and more, and what has to be read of it is two numbers."""
    make(tmp_path / "vault.db")
    with sqlite3.connect(tmp_path / "vault.db") as db:
        plan = db.execute("EXPLAIN QUERY PLAN " + vault._SQL["batch_lives"], (1,)).fetchall()
    db.close()
    assert [line for *_, line in plan] == ["SEARCH batches USING COVERING INDEX batches_by_epoch (holding=?)"]


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    path, mask = tmp_path / "vault.db", os.umask(0)
    try:
        with VaultStore(path, create=True) as store:
            store.add_holding(draw("residents"), "residents")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert modes == {"vault.db": 0o600, "vault.db-wal": 0o600, "vault.db-shm": 0o600}


def test_what_is_no_store_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="strongroom init"):
        VaultStore(tmp_path / "vault.db")
    assert not (tmp_path / "vault.db").exists()
    (tmp_path / "text.db").write_text("not a database" * 1000)
    with pytest.raises(StoreError, match="room's own directory"):
        VaultStore(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE t (a)").connection.close()
    for create in (False, True):
        with pytest.raises(StoreError, match="not a store of this kind"):
            VaultStore(tmp_path / "other.db", create=create)
    with pytest.raises(StoreError):
        VaultStore(tmp_path, create=False)


def test_another_schema_version_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = make(tmp_path / "vault.db")
    raw(path, "PRAGMA user_version = 1")
    with pytest.raises(StoreError, match="schema version 1; this program has 2"):
        VaultStore(path)


def test_an_unfinished_creation_is_finished(tmp_path: Path) -> None:
    (tmp_path / "vault.db").touch(0o600)
    with pytest.raises(StoreError):
        VaultStore(tmp_path / "vault.db")
    VaultStore(tmp_path / "vault.db", create=True).close()
    VaultStore(tmp_path / "vault.db").close()


def raw(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("DELETE FROM tokens WHERE token = (SELECT min(token) FROM tokens)", "missing from the index"),
        ("INSERT INTO tokens VALUES (0, 1, zeroblob(16), zeroblob(16))", "index has 101 tokens"),
        ("DELETE FROM records WHERE handle = (SELECT min(handle) FROM records)", "more or fewer than handles"),
        ("DELETE FROM handles WHERE handle = (SELECT min(handle) FROM handles)", "has 99, 99"),
        ("UPDATE holdings SET records = 90", "counts 90 records"),
        ("UPDATE records SET tokens = CAST(tokens || tokens AS BLOB)", "not in order"),
        ("DELETE FROM batches", "refers to one that is not there"),
        ("UPDATE batches SET members = zeroblob(32)", "not the ones it was sealed for"),
        ("INSERT INTO batches VALUES (zeroblob(16), 1, 9, 9, zeroblob(32), x'')", "has no records, and can be dropped"),
        ("INSERT INTO deltas VALUES (zeroblob(16), zeroblob(16), 1, zeroblob(32))", "1 belong to no record"),
        ("INSERT INTO unsettled VALUES (1, zeroblob(16), 2)", "1 versions are of no record"),
        ("INSERT INTO handles VALUES (0, 1, zeroblob(16), 2, x'')", "nothing is left are still named"),
        ("INSERT INTO handles SELECT 0, 1, min(handle), 2, x'' FROM handles", "where its records have 99"),
        ("INSERT INTO entries VALUES (0, 'a'), (2, 'b')", "an entry is missing"),
    ],
)
def test_fsck_finds(tmp_path: Path, damage: str, found: str) -> None:
    path = make(tmp_path / "vault.db")
    with VaultStore(path) as store:
        assert store.problems() == []
    raw(path, damage.replace("'a'", "x'61'").replace("'b'", "x'62'"))
    with VaultStore(path) as store:
        assert any(found in line for line in store.problems()), store.problems()


def test_a_torn_page_is_found(tmp_path: Path) -> None:
    path = make(tmp_path / "vault.db")
    data = bytearray(path.read_bytes())
    assert len(data) > 4 * 8192
    data[3 * 8192 : 5 * 8192] = bytes(2 * 8192)
    path.write_bytes(data)
    try:
        with VaultStore(path) as store:
            assert store.problems()
    except StoreError:
        pass


def test_what_a_new_version_replaced_is_overwritten(tmp_path: Path) -> None:
    path = make(tmp_path / "vault.db")
    gone = draw("only token here")
    with VaultStore(path) as store:
        put(store, record("b", batch="b")._replace(tokens=gone))
        raw(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        before = path.read_bytes().count(gone)
        put(store, record("b", 2, "two"))
    # In the row of version 1 it stays; from the index it is gone.
    assert (before, path.read_bytes().count(gone)) == (2, 1)


def test_what_was_purged_or_erased_is_overwritten(tmp_path: Path) -> None:
    path = make(tmp_path / "vault.db")
    log = path.with_name("vault.db-wal")
    expired, erased = (
        record(name, batch=name)._replace(tokens=draw(f"token of {name}"), body=draw(f"body of {name}", 50))
        for name in ("expired", "erased")
    )
    with VaultStore(path) as store:
        put(store, expired, epoch=9, expires=9)
        put(store, erased)
        store.purge(1, 9, 100)
        store.put_resealed(erased.batch, EPOCH + 1, removal.hash_of([]), b"", [])
        store.empty_log()
        left = path.read_bytes() + log.read_bytes()
        assert store.problems() == []
    for row in (expired, erased):
        assert not [part for part in (row.handle, row.batch, row.tokens, row.body) if part in left]


def test_what_a_finished_import_kept_of_its_chunks_is_overwritten(tmp_path: Path) -> None:
    path = make(tmp_path / "vault.db")
    log = path.with_name("vault.db-wal")
    reason = draw("a reason that stands nowhere else").hex().encode()
    with VaultStore(path) as store:
        store.jobs.start(JOB, 1, "")
        store.put_chunk(1, [], job=JOB, chunk=0, errors=[RowError(7, "id", reason.decode())])
        assert reason in path.read_bytes() + log.read_bytes()
        store.jobs.finish(JOB)
        assert reason not in path.read_bytes() + log.read_bytes()


def test_nothing_says_in_what_order_records_came(tmp_path: Path) -> None:
    db = sqlite3.connect(make(tmp_path / "vault.db"))
    tables = dict(db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
    # Not of "private": in what order asks came, the ledger says, and its entries name them.
    for table in ("records", "handles", "tokens", "batches", "deltas", "unsettled", "job_chunks"):
        assert "WITHOUT ROWID" in tables[table]
        columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        assert not columns & {"time", "created", "number", "id", "seq"}
    db.close()


def importer(path: Path, worker: int, chunks: int) -> None:
    with VaultStore(path) as store:
        for chunk in range(worker * chunks, (worker + 1) * chunks):
            rows = [record(f"{chunk} {i}", batch=f"batch {chunk}", tokens="xy") for i in range(200)]
            store.put_chunk(1, rows, batches(rows), job=JOB, chunk=chunk)


def prepared(tmp_path: Path) -> Path:
    path = make(tmp_path / "vault.db")
    with VaultStore(path) as store:
        store.jobs.start(JOB, 1, "")
    return path


def test_two_processes_write_in_turn(tmp_path: Path) -> None:
    path = prepared(tmp_path)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=importer, args=(path, n, 10)) for n in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    with VaultStore(path) as store:
        assert store.jobs.chunks(JOB) == set(range(20))
        assert store.holdings()[0].records == 4_100
        assert store.problems() == []


@pytest.mark.parametrize(
    "moving", ["", "levels._LIMITS, levels._WORTH = {2: 600, 1: 2000}, 1; levels._GATHERED = {2: 0, 1: 0}; "]
)
def test_killed_anywhere_it_is_whole(tmp_path: Path, moving: str) -> None:
    path = prepared(tmp_path)
    program = (
        "import sys; from pathlib import Path; from tests.store.test_sqlite import importer; "
        f"from strongroom.store import levels; {moving}"
        "importer(Path(sys.argv[1]), int(sys.argv[2]), 1000)"
    )
    for n in range(4):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        child = subprocess.Popen([sys.executable, "-c", program, str(path), str(n)], env=environment)
        deadline = time.monotonic() + 30
        with VaultStore(path) as store:
            while not any(chunk >= n * 1000 for chunk in store.jobs.chunks(JOB)) and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(0.003 * n)
            child.send_signal(signal.SIGKILL)
            child.wait()
            done = store.jobs.chunks(JOB)
            assert any(chunk >= n * 1000 for chunk in done), "it was killed before it had begun"
            assert store.holdings()[0].records == 100 + 200 * len(done)
            assert store.problems() == []
    with closing(sqlite3.connect(path)) as db:
        found = {level for (level,) in db.execute("SELECT level FROM handles")}
    assert (len(found) > 1) == bool(moving)


def tender(path: Path, turn: int) -> None:
    """Store, withdraw, reseal and purge, on and on."""
    with VaultStore(path) as store:
        for at in range(1_000_000):
            name, day = f"{turn} {at}", 100 + at
            put(store, *(record(f"{name} {i}", batch=name, tokens="xy") for i in range(20)), epoch=day, expires=day + 6)
            put(store, *(record(f"{name} {i}", 2, f"{name} later", "yz") for i in range(5)), epoch=day, expires=day + 3)
            store.settle(1, store.unsettled(1, 3))
            store.withdraw(1, [draw(f"{name} {i}") for i in range(3, 8)])
            for row in store.aging(1, day, day):
                kept = [(handle, version, draw("delta", 32)) for handle, version, _ in store.members(row.batch)[1:]]
                if at % 2:
                    store.put_resealed(row.batch, row.expires, removal.hash_of(kept), b"anew", kept)
                else:
                    store.put_resealed(row.batch, row.expires, row.members, b"anew", None)
            store.purge(1, day, 30)


def test_killed_while_it_removes_it_is_whole(tmp_path: Path) -> None:
    path = make(tmp_path / "vault.db")
    program = "import sys; from pathlib import Path; from tests.store.test_sqlite import tender; tender(Path(sys.argv[1]), int(sys.argv[2]))"
    for n in range(6):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        child = subprocess.Popen([sys.executable, "-c", program, str(path), str(n)], env=environment)
        first, deadline = draw(f"{n} 8 0"), time.monotonic() + 60
        with VaultStore(path) as store:
            while not store.latest_versions(1, [first]) and time.monotonic() < deadline and child.poll() is None:
                time.sleep(0.005)
            time.sleep(0.011 * n)
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
            assert store.problems() == []


def test_a_tidy_file_has_forgotten_in_which_order_single_records_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vault.db"
    rows = [record(f"one of a day {at}", batch=f"batch {at}") for at in range(60)]

    def as_they_came() -> bool:
        data = path.read_bytes()
        places = [data.find(row.handle) for row in rows]
        return places in (sorted(places), sorted(places, reverse=True))

    with VaultStore(path, create=True) as store:
        store.add_holding(draw("residents"), "residents")
        for row in rows:
            put(store, row)
        store.empty_log()
        assert as_they_came()
        with monkeypatch.context() as patch:
            patch.setattr(database, "_TIDIED", 1000)
            assert not store.tidy()
        assert as_they_came()
        assert store.tidy()
        assert not as_they_came()
        assert not [row for row in rows if row.handle in path.with_name("vault.db-wal").read_bytes()]
        assert store.problems() == []
        assert store.holdings()[0].records == 60


def test_a_file_that_somebody_writes_is_tidied_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "vault.db")
    with VaultStore(path) as store, sqlite3.connect(path, isolation_level=None) as other:
        store._db.run("PRAGMA busy_timeout = 1")
        other.execute("BEGIN IMMEDIATE")
        assert not store.tidy()
        other.execute("COMMIT")
        assert store.tidy()
