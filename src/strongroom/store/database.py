"""One SQLite file: how it is made, opened, asked and changed.

Several processes may use one file, each through objects of its own; an object belongs to the thread that made it. A
writer waits up to 30 s for another. What a transaction has committed survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from strongroom.errors import StoreError

__all__ = ["Database", "Values", "script", "statements"]

Values: TypeAlias = tuple[Any, ...]

_PRAGMAS = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten: no old token stays readable on a free page
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    # Random handles touch many pages; a longer log (128 MB) lets several batches share one write of a page.
    "PRAGMA wal_autocheckpoint = 16000",
)

_TIDIED = 32 << 20


class Database:
    """An open file. ``application`` and ``version`` tell whose schema it has; StoreError when not ours."""

    def __init__(self, path: Path, application: int, version: int, schema: str, *, create: bool = False) -> None:
        self._name = path
        self._together = self._torn = False
        if create:
            # Made by us, not by SQLite, so that no other user can read it even for a moment; WAL files follow it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        elif not path.is_file():
            raise StoreError(f"{path}: there is no store. Make a room with strongroom init, or give its directory")
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, cached_statements=256)
        except sqlite3.Error as error:
            raise self._failed(error) from None
        try:
            for pragma in _PRAGMAS:
                self.all(pragma)
            if create:
                self._make(application, version, schema)
            self._check(application, version)
        except StoreError:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on leaving it is on disk. Waits for another writer. StoreError when SQLite fails."""
        if self._together:
            try:
                yield
            except BaseException:
                self._torn = True
                raise
            return
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):  # what broke it may break this; closing the file does the same
                    self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """Every ``transaction`` within is part of one: nothing is on disk before this ends, and what fails within takes all of
        it along."""
        with self.transaction():
            self._together, self._torn = True, False
            try:
                yield
            finally:
                self._together = False
            if self._torn:
                raise StoreError(f"{self._name}: a part of what belongs together failed, so nothing of it was stored")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Every query within sees the same state; writers go on meanwhile. Nothing may be written within."""
        self.run("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def run(self, sql: str, values: Values = ()) -> int:
        """Execute one statement; the number of rows it changed."""
        try:
            return self._db.execute(sql, values).rowcount
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def run_many(self, sql: str, rows: Iterable[Values]) -> int:
        """Execute one statement for each row; the number of rows changed."""
        try:
            return self._db.executemany(sql, rows).rowcount
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def all(self, sql: str, values: Values = ()) -> list[Values]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def one(self, sql: str, values: Values = ()) -> Values | None:
        try:
            found: Values | None = self._db.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise self._failed(error) from None
        return found

    def number(self, sql: str, values: Values = ()) -> int:
        """The single number that the query gives."""
        found = self.one(sql, values)
        if found is None:
            raise StoreError(f"{self._name}: a count is missing. Run strongroom fsck")
        return int(found[0])

    def empty_log(self) -> None:
        """Bring the write-ahead log into the file and cut it: until then it has what was deleted since.

        Where somebody reads for longer than 30 s it stays, until the last process closes the file.
        """
        self.all("PRAGMA wal_checkpoint(TRUNCATE)")

    def tidy(self) -> bool:
        """Write all tables anew, each in the order of its key: in a page rows lie in the order in which they came. Whether it was
        done: a file of over 32 MB would take seconds of every import, and its rows are spread over so many pages that few of
        a day's lie in one.
        """
        if self.number("PRAGMA page_count") * self.number("PRAGMA page_size") > _TIDIED:
            return False
        try:
            self.run("VACUUM")
        except StoreError:
            return False  # no room on the disk, or somebody writes: all is as it was, for the next time
        self.empty_log()
        return True

    def damage(self) -> list[str]:
        """What SQLite itself finds wrong with the file; empty when it is whole. Reads all of it."""
        found = [f"{self._name}: {line}" for (line,) in self.all("PRAGMA integrity_check") if line != "ok"]
        for table, *_ in self.all("PRAGMA foreign_key_check"):
            found.append(f"{self._name}: a row of {table} refers to one that is not there")
        return found

    def _make(self, application: int, version: int, schema: str) -> None:
        with self.transaction():
            # Another process may have made it meanwhile, or an earlier try may have died before its commit.
            if self.number("PRAGMA user_version") or self.number("SELECT count(*) FROM sqlite_schema"):
                return
            for statement in _split(schema):
                self.run(statement)
            self.run(f"PRAGMA application_id = {application}")
            self.run(f"PRAGMA user_version = {version}")

    def _check(self, application: int, version: int) -> None:
        found = self.number("PRAGMA user_version")
        if self.number("PRAGMA application_id") != application:
            raise StoreError(f"{self._name}: not a store of this kind. Give the room's own directory")
        if found != version:
            raise StoreError(
                f"{self._name}: schema version {found}; this program has {version}. "
                "Use the release that wrote it, or migrate a copy with the newer one"
            )

    def _failed(self, error: sqlite3.Error) -> StoreError:
        # SQLite names tables and columns in its messages, never values.
        mend = {
            sqlite3.SQLITE_FULL: ". Free space on its disk; nothing was half-done",
            # Where not even its log's index fits on the disk, too.
            sqlite3.SQLITE_IOERR: ". Free space on its disk, or see in the system's log why that fails; nothing was half-done",
            sqlite3.SQLITE_CANTOPEN: ". Make its folder writable, with room on its disk",
            sqlite3.SQLITE_BUSY: ". Another process held it for 30 s; try again",
            sqlite3.SQLITE_CORRUPT: ". Restore a backup; the ledger tells what is missing",
            sqlite3.SQLITE_NOTADB: ". Give the room's own directory",
            sqlite3.SQLITE_READONLY: ". Make its disk writable, and run as the user who owns it",
        }
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return StoreError(f"{self._name}: {error}{mend.get(code, '')}")


def statements(name: str) -> dict[str, str]:
    """The statements of one ``.sql`` file beside this module, by the name in the comment above each."""
    found = {}
    for block in script(name).split("-- name: ")[1:]:
        title, _, sql = block.partition("\n")
        found[title.strip()] = sql.strip().removesuffix(";")
    return found


def script(name: str) -> str:
    """The text of one ``.sql`` file beside this module."""
    return resources.files("strongroom.store").joinpath(name).read_text("utf-8")


def _split(script: str) -> Iterator[str]:
    # executescript() would commit the open transaction first, so the schema goes in statement by statement.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
