"""What was answered to requests that named themselves, for a day: so that one sent again is not done again (SPEC.md section 10.2).
Everything happens within ``transaction``, in which many requests go to the disk together.

A file of its own beside the vault's: it is worth no backup, and its writers need not wait for those of records. An answer
here holds no personal data: handles, entries and receipts alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strongroom.store.database import Database

__all__ = ["Answers"]

_APPLICATION = 0x53524161  # "SRAa"
_VERSION = 1
_SCHEMA = """
CREATE TABLE answers (
    name BLOB PRIMARY KEY,
    request BLOB NOT NULL,
    time INTEGER NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_time ON answers (time);
"""


class Answers:
    """The open file, made where there is none. It belongs to the thread that opened it."""

    def __init__(self, path: Path) -> None:
        self._db = Database(path, _APPLICATION, _VERSION, _SCHEMA, create=not path.exists())

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done within is on disk on leaving, or nothing of it."""
        with self._db.transaction():
            yield

    def begin(self, name: bytes, request: bytes, now: int) -> tuple[bytes, int, bytes] | None:
        """Note that the request of this ``name`` (32 bytes) is under way; ``request``: 32 bytes by which the same one is known
        again. Where it was noted before: what its request was, the status, and the answer; 0 and nothing while there is none."""
        found = self._db.one("SELECT request, status, body FROM answers WHERE name = ?1", (name,))
        if found is None:
            self._db.run(
                "INSERT INTO answers (name, request, time, status, body) VALUES (?1, ?2, ?3, 0, x'')",
                (name, request, now),
            )
            return None
        return bytes(found[0]), int(found[1]), bytes(found[2])

    def end(self, name: bytes, status: int, body: bytes) -> None:
        """The answer."""
        self._db.run("UPDATE answers SET status = ?2, body = ?3 WHERE name = ?1", (name, status, body))

    def drop(self, name: bytes) -> None:
        """Nothing was done: the same request may come again."""
        self._db.run("DELETE FROM answers WHERE name = ?1", (name,))

    def forget(self, before: int) -> None:
        """Drop what is older than ``before`` (POSIX seconds)."""
        self._db.run("DELETE FROM answers WHERE time < ?1", (before,))
