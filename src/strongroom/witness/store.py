"""A witness's SQLite: statements only, no rules. Several processes may share it; each object is its thread's own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from strongroom.ledger.tree import EMPTY_ROOT
from strongroom.store.database import Database

APPLICATION = 0x53525769
VERSION = 1


@dataclass(frozen=True, slots=True)
class Head:
    """The last checkpoint cosigned of a log, at ``time`` (POSIX seconds), as a note with the log's signatures and the witness's."""

    size: int
    root: bytes
    time: int
    note: str


NEW = Head(0, EMPTY_ROOT, 0, "")
"""Of a log of which nothing has been cosigned."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Two notes that the log has signed, of one size and two roots, seen at ``time``."""

    time: int
    one: str
    other: str


class Store:
    """Raises ``StoreError``, here and below, when the file is missing, another's, or fails."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        schema = resources.files("strongroom.witness").joinpath("schema.sql").read_text("utf-8")
        self._db = Database(path, APPLICATION, VERSION, schema, create=create)

    def close(self) -> None:
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """One writer at a time; on disk when it is left."""
        return self._db.transaction()

    def origins(self) -> list[str]:
        return [row[0] for row in self._db.all("SELECT DISTINCT origin FROM logs ORDER BY origin")]

    def vkeys(self, origin: str) -> list[str]:
        return [row[0] for row in self._db.all("SELECT vkey FROM logs WHERE origin = ? ORDER BY vkey", (origin,))]

    def add(self, logs: Sequence[tuple[str, str]]) -> int:
        """(origin, vkey) of logs from now on known. How many were not."""
        return self._db.run_many("INSERT OR IGNORE INTO logs VALUES (?, ?)", logs)

    def head(self, origin: str) -> Head:
        found = self._db.one("SELECT size, root, time, note FROM heads WHERE origin = ?", (origin,))
        return NEW if found is None else Head(*found)

    def put(self, origin: str, head: Head) -> None:
        self._db.run(
            "INSERT INTO heads VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " size = excluded.size, root = excluded.root, time = excluded.time, note = excluded.note",
            (origin, head.size, head.root, head.time, head.note),
        )

    def fork(self, origin: str) -> Fork | None:
        found = self._db.one("SELECT time, one, other FROM forks WHERE origin = ?", (origin,))
        return None if found is None else Fork(*found)

    def keep(self, origin: str, fork: Fork) -> None:
        self._db.run("INSERT OR IGNORE INTO forks VALUES (?, ?, ?, ?)", (origin, fork.time, fork.one, fork.other))
