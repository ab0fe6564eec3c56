"""The keyholder's SQLite: statements only, no rules. One process writes it (SPEC.md section 8)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from strongroom.catalog.rate import PERIODS
from strongroom.errors import StoreError, of_system
from strongroom.gate.budget import State
from strongroom.keyholder.buckets import Buckets

T = TypeVar("T")

SCHEMA_VERSION = 2
_AT_ONCE = 500
_FEW = 4
_UNREAD = object()


_OF_THE_DISK = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)


def _mend(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _OF_THE_DISK:
        return "Make the disk writable, with room on it, and see in the system's log whether it fails"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "Another program held it for 30 s; end that one"
    return "Restore the keyholder's book from its newest copy"


class EpochRow(NamedTuple):
    """``key``: hash of the public half. ``expired``: index of the entry that says it is destroyed, -1 while it is not."""

    holding: str
    epoch: int
    key: bytes
    expired: int

    @property
    def destroyed(self) -> bool:
        return self.expired >= 0


class Store:
    """Not for several threads. Raises ``StoreError`` when the file is of another version."""

    def __init__(self, path: Path) -> None:
        fresh, self._path = not path.exists(), path
        if fresh:
            path.touch(mode=0o600)
        try:
            self.db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._open(path, fresh)
        except sqlite3.Error as error:
            raise self.failed(error) from None
        self._buckets = Buckets()
        self._read: dict[Hashable, Any] = {}

    def _open(self, path: Path, fresh: bool) -> None:
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("PRAGMA secure_delete=ON")
        found = self.db.execute("PRAGMA user_version").fetchone()[0]
        if found == 0 and not fresh:
            # An emptied file must not begin a second ledger under the same keys.
            raise StoreError(f"{path}: is empty. Restore the keyholder's book from its newest copy")
        if found == 0:
            schema = files("strongroom.keyholder").joinpath("schema.sql").read_text()
            self.db.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version={SCHEMA_VERSION};\nCOMMIT;")
        elif found != SCHEMA_VERSION:
            raise StoreError(
                f"{path}: schema {found}, this program knows {SCHEMA_VERSION}. Use the program that wrote it"
            )

    def close(self) -> None:
        self.db.close()

    def failed(self, error: sqlite3.Error | OSError) -> StoreError:
        """What is wrong with the file, or with one beside it, in words for the operator."""
        if isinstance(error, OSError):
            return StoreError(of_system(error))
        return StoreError(f"{self._path}: {error}. {_mend(error)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; durable when it returns (one fsync)."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._flush_budgets()
            self.db.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors; left open, no other transaction could begin.
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        finally:
            self._read.clear()
            self._buckets.forget()

    def set_aside(self) -> None:
        """A mark in the transaction, to which ``undo_aside`` goes back; ``end_aside`` ends it, undone or not."""
        self._buckets.keep()
        self.db.execute("SAVEPOINT aside")

    def undo_aside(self) -> None:
        self._read.clear()
        self._buckets.undo()
        self.db.execute("ROLLBACK TO aside")

    def end_aside(self) -> None:
        self._buckets.keep()
        self.db.execute("RELEASE aside")

    def _once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What ``read`` finds. Within a transaction nobody else writes: there it holds until its end, or until a method here changes
        anything of the kind. For what every ask looks at, and hardly any changes."""
        found: T = self._read.get(key, _UNREAD)
        if found is _UNREAD:
            found = read()
            if self.db.in_transaction:
                self._read[key] = found
        return found

    # --- state -------------------------------------------------------------------------------------------------
    def state(self, key: str) -> bytes | None:
        return self._once(("state", key), lambda: self._state(key))

    def _state(self, key: str) -> bytes | None:
        row = self.db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def drop_state(self, key: str) -> None:
        self._read.clear()
        self.db.execute("DELETE FROM state WHERE key = ?", (key,))

    def set_state(self, key: str, value: bytes) -> None:
        self._read.clear()
        self.db.execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (key, value)
        )

    # --- ledger ------------------------------------------------------------------------------------------------
    def size(self) -> int:
        row = self.db.execute("SELECT max(idx) FROM entries").fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def entries(self, start: int, stop: int) -> list[bytes]:
        rows = self.db.execute("SELECT entry FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", (start, stop))
        return [bytes(row[0]) for row in rows]

    def add_entries(self, start: int, entries: Sequence[bytes]) -> None:
        self.db.executemany("INSERT INTO entries VALUES (?, ?)", enumerate(entries, start))

    def tile(self, level: int, n: int) -> bytes:
        row = self.db.execute("SELECT data FROM tiles WHERE level = ? AND n = ?", (level, n)).fetchone()
        return b"" if row is None else bytes(row[0])

    def put_tiles(self, tiles: dict[tuple[int, int], bytes]) -> None:
        self.db.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
            ((level, n, data) for (level, n), data in tiles.items()),
        )

    # --- charters ----------------------------------------------------------------------------------------------
    def charters(self) -> list[tuple[int, int, bytes, bytes]]:
        """(entry index, effective time, document, roster) in order of version."""
        rows = self.db.execute("SELECT idx, effective, document, roster FROM charters ORDER BY version")
        return [(int(i), int(e), bytes(d), bytes(r)) for i, e, d, r in rows]

    def add_charter(self, version: int, index: int, effective: int, document: bytes, roster: bytes) -> None:
        self.db.execute("INSERT INTO charters VALUES (?, ?, ?, ?, ?)", (version, index, effective, document, roster))

    # --- tags --------------------------------------------------------------------------------------------------
    def next_numbers(self, holding: bytes, whos: Sequence[bytes], generation: int) -> list[tuple[bytes, int]]:
        """(who, next number of the chain) of each, and another for who stands here again; in any order."""
        if len(whos) < _FEW:
            query = "INSERT INTO chains VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING who, count"
            few = [self.db.execute(query, (holding, who, generation)).fetchone() for who in whos]
            return [(bytes(who), int(count)) for who, count in few]
        # One statement for all of them: half of what one for each costs.
        rows = self.db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < length(?2) / 16)"
            " INSERT INTO chains SELECT ?1, substr(?2, 16 * i + 1, 16), ?3, 1 FROM n WHERE length(?2)"
            " ON CONFLICT DO UPDATE SET count = count + 1 RETURNING who, count",
            (holding, b"".join(whos), generation),
        )
        return [(bytes(who), int(count)) for who, count in rows.fetchall()]

    def chain_counts(self, holding: bytes, who: bytes) -> list[tuple[int, int]]:
        rows = self.db.execute(
            "SELECT generation, count FROM chains WHERE holding = ? AND who = ? ORDER BY generation", (holding, who)
        )
        return [(int(g), int(c)) for g, c in rows]

    def chains(self) -> Iterator[tuple[bytes, bytes, int, int]]:
        for holding, who, generation, count in self.db.execute("SELECT holding, who, generation, count FROM chains"):
            yield bytes(holding), bytes(who), int(generation), int(count)

    def lose(self, tags: Sequence[bytes]) -> None:
        """Remember tags whose chains are not known."""
        self.db.executemany("INSERT OR IGNORE INTO lost VALUES (?)", ((one,) for one in tags))

    def lost(self, tag: bytes) -> bool:
        return self.db.execute("SELECT 1 FROM lost WHERE tag = ?", (tag,)).fetchone() is not None

    # --- budgets -----------------------------------------------------------------------------------------------
    def budget(self, key: str) -> State | None:
        found = self._buckets.get(key)
        if found is None:
            row = self.db.execute("SELECT level, time FROM budgets WHERE key = ?", (key,)).fetchone()
            found = None if row is None else (int(row[0]), int(row[1]))
        return found

    def set_budgets(self, states: Mapping[str, State]) -> None:
        """Within a transaction, at whose end they are written."""
        self._buckets.put(states)

    def _flush_budgets(self) -> None:
        states = self._buckets.take()
        if states:
            self.db.executemany(
                "INSERT INTO budgets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET level = excluded.level, time = excluded.time",
                [(key, level, time) for key, (level, time) in states.items()],
            )

    def forget_budgets(self, now: int) -> None:
        """Those that are full again: a bucket that was never touched is full, too."""
        self._flush_budgets()
        for period, seconds in PERIODS.items():
            self.db.execute("DELETE FROM budgets WHERE time <= ? AND key LIKE ?", (now - seconds, f"%/{period}"))

    # --- asks --------------------------------------------------------------------------------------------------
    def ask(self, hash_: bytes, until: int) -> tuple[bytes, int, int, int] | None:
        """(request hash, entry index, answered at, remaining) of an ask used before, which is remembered ``until`` then."""
        if self._once("lost_asks", lambda: self._has("SELECT EXISTS (SELECT 1 FROM lost_asks)")):
            row = self.db.execute("SELECT idx FROM lost_asks WHERE hash = ?", (hash_,)).fetchone()
            if row is not None:
                return b"", int(row[0]), 0, -1
        query = "SELECT request, idx, time, remaining FROM asks WHERE until = ? AND hash = ?"
        row = self.db.execute(query, (until, hash_)).fetchone()
        return None if row is None else (bytes(row[0]), int(row[1]), int(row[2]), int(row[3]))

    def use_ask(self, hash_: bytes, request: bytes, index: int, time: int, until: int, remaining: int) -> None:
        """``until`` is one for each ask: by another it would not be found."""
        self.db.execute(
            "INSERT INTO asks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " request = excluded.request, idx = excluded.idx, time = excluded.time, remaining = excluded.remaining",
            (until, hash_, request, index, time, remaining),
        )

    def lose_ask(self, hash_: bytes, index: int, until: int) -> None:
        """Remember an ask of which only its entry is known as used, until no check of its age lets it pass."""
        self._read.clear()
        self.db.execute(
            "INSERT INTO lost_asks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET idx = excluded.idx, until = max(until, excluded.until)",
            (hash_, index, until),
        )

    def begin_anew(self) -> None:
        """Forget what a recovery cannot know the state of: budgets and codes."""
        self._buckets.forget()
        self.db.execute("DELETE FROM budgets")
        self.db.execute("DELETE FROM codes")

    def forget(self, before: int) -> None:
        """Asks and codes that can be used no more at that time."""
        self._read.clear()
        self.db.execute("DELETE FROM asks WHERE until < ?", (before,))
        self.db.execute("DELETE FROM lost_asks WHERE until < ?", (before,))
        self.db.execute("DELETE FROM codes WHERE expires < ?", (before,))

    # --- what forbids ------------------------------------------------------------------------------------------
    def erased(self, marks: Sequence[bytes]) -> dict[bytes, int]:
        """Mark -> index of its erasure, of those that have one."""
        return self._among("SELECT mark, idx FROM tombstones WHERE mark IN ({})", marks)

    def has_erased(self) -> bool:
        """Whether there are any."""
        return self._once("tombstones", lambda: self._has("SELECT EXISTS (SELECT 1 FROM tombstones)"))

    def _has(self, query: str) -> bool:
        return bool(self.db.execute(query).fetchone()[0])

    def erase(self, marks: Sequence[bytes], index: int) -> None:
        self._read.clear()
        self.db.executemany("INSERT OR IGNORE INTO tombstones VALUES (?, ?)", ((mark, index) for mark in marks))

    def newest(self, holding: bytes, handles: Sequence[bytes]) -> dict[bytes, int]:
        """Handle -> newest version, of those that have a later one than the first."""
        # Most rooms have few corrections, many have none.
        if not self._once("versions", lambda: self._has("SELECT EXISTS (SELECT 1 FROM versions)")):
            return {}
        return self._among(
            "SELECT handle, version FROM versions WHERE holding = ? AND handle IN ({})", handles, holding
        )

    def _among(self, query: str, keys: Sequence[bytes], *before: bytes) -> dict[bytes, int]:
        # One statement for many: a read of 100 records looks up 200 of these.
        found: dict[bytes, int] = {}
        for at in range(0, len(keys), _AT_ONCE):
            part = keys[at : at + _AT_ONCE]
            rows = self.db.execute(query.format(",".join("?" * len(part))), (*before, *part))
            found |= {bytes(key): int(number) for key, number in rows}
        return found

    def supersede(self, holding: bytes, newest: Iterable[tuple[bytes, int]]) -> None:
        self._read.clear()
        self.db.executemany(
            "INSERT INTO versions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = max(version, excluded.version)",
            ((holding, handle, version) for handle, version in newest),
        )

    def freezes(self) -> list[str]:
        return self._once("freezes", self._freezes)

    def _freezes(self) -> list[str]:
        return [row[0] for row in self.db.execute("SELECT scope FROM freezes ORDER BY scope")]

    def freeze(self, scope: str) -> None:
        self._read.clear()
        self.db.execute("INSERT OR IGNORE INTO freezes VALUES (?)", (scope,))

    def thaw(self, scope: str) -> None:
        self._read.clear()
        self.db.execute("DELETE FROM freezes WHERE scope = ?", (scope,))

    def use_nonce(self, nonce: bytes, time: int) -> bool:
        """False when it was used before."""
        self.db.execute("DELETE FROM operations WHERE time < ?", (time - 600,))
        return self.db.execute("INSERT OR IGNORE INTO operations VALUES (?, ?)", (nonce, time)).rowcount == 1

    # --- epochs and holds ----------------------------------------------------------------------------------------
    def epochs(self) -> list[EpochRow]:
        """In order of holding and epoch."""
        rows = self.db.execute("SELECT holding, epoch, key, expired FROM epochs ORDER BY holding, epoch")
        return [EpochRow(holding, int(epoch), bytes(key), int(expired)) for holding, epoch, key, expired in rows]

    def epoch(self, holding: str, epoch: int) -> EpochRow | None:
        return self._once(("epoch", holding, epoch), lambda: self._epoch(holding, epoch))

    def _epoch(self, holding: str, epoch: int) -> EpochRow | None:
        query = "SELECT key, expired FROM epochs WHERE holding = ? AND epoch = ?"
        row = self.db.execute(query, (holding, epoch)).fetchone()
        return None if row is None else EpochRow(holding, epoch, bytes(row[0]), int(row[1]))

    def add_epoch(self, holding: str, epoch: int, key: bytes) -> None:
        self._read.clear()
        self.db.execute("INSERT OR IGNORE INTO epochs VALUES (?, ?, ?, -1)", (holding, epoch, key))

    def expire(self, holding: str, epoch: int, key: bytes, index: int) -> None:
        self._read.clear()
        self.db.execute(
            "INSERT INTO epochs VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET key = excluded.key, expired = excluded.expired",
            (holding, epoch, key, index),
        )

    def hold(self, holding: str, authority: str, until: int) -> None:
        self.db.execute(
            "INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
            (holding, authority, until),
        )

    def holds(self, now: int) -> list[tuple[str, str, int]]:
        """(holding, authority, until) of those that stand at ``now``."""
        rows = self.db.execute("SELECT holding, authority, until FROM holds WHERE until > ?", (now,))
        return [(holding, authority, int(until)) for holding, authority, until in rows]

    # --- subjects ----------------------------------------------------------------------------------------------
    def add_code(self, hash_: bytes, holding: str, kind: str, who: bytes, expires: int) -> bool:
        """False when it was given before, used or not."""
        query = "INSERT OR IGNORE INTO codes VALUES (?, ?, ?, ?, ?, 0)"
        return self.db.execute(query, (hash_, holding, kind, who, expires)).rowcount == 1

    def take_code(self, hash_: bytes, now: int) -> tuple[str, str, bytes] | None:
        """The code's holding, kind and who, once, if it has not expired. It is kept as used until then."""
        query = "UPDATE codes SET used = 1 WHERE hash = ? AND used = 0 AND expires >= ? RETURNING holding, kind, who"
        row = self.db.execute(query, (hash_, now)).fetchone()
        return None if row is None else (row[0], row[1], bytes(row[2]))

    def add_subject(self, device: bytes, holding: str, kind: str, who: bytes) -> None:
        self.db.execute("INSERT OR IGNORE INTO subjects VALUES (?, ?, ?, ?)", (device, holding, kind, who))

    def subject(self, device: bytes) -> list[tuple[str, str, bytes]]:
        rows = self.db.execute(
            "SELECT holding, kind, who FROM subjects WHERE device = ? ORDER BY holding, kind", (device,)
        )
        return [(h, k, bytes(w)) for h, k, w in rows]
