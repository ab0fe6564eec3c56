"""What budgets have left, within one transaction of the keyholder's store (SPEC.md section 8.5).

Asks that come together draw on the same few buckets, a reader's or the room's. So each is read once, changed in memory and written at the
end of the transaction: without that it would not be durable, and nothing would be given.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from strongroom.gate.budget import State

_PUT = "INSERT INTO budgets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET level = excluded.level, time = excluded.time"


class Buckets:
    """``flush`` belongs before the transaction's commit, ``forget`` after its end, however it ended."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        # Of the transaction, and of the one ask at hand, which may yet be undone.
        self._changed: dict[str, State] = {}
        self._aside: dict[str, State] = {}

    def get(self, key: str) -> State | None:
        found = self._aside.get(key) or self._changed.get(key)
        if found is None:
            row = self._db.execute("SELECT level, time FROM budgets WHERE key = ?", (key,)).fetchone()
            found = None if row is None else (int(row[0]), int(row[1]))
        return found

    def put(self, states: Mapping[str, State]) -> None:
        self._aside.update(states)

    def keep(self) -> None:
        """What was put can be undone no more."""
        if self._aside:
            self._changed |= self._aside
            self._aside = {}

    def undo(self) -> None:
        """Back to what was kept last."""
        self._aside = {}

    def flush(self) -> None:
        self.keep()
        if self._changed:
            self._db.executemany(_PUT, [(key, level, time) for key, (level, time) in self._changed.items()])
            self._changed = {}

    def forget(self) -> None:
        """Believe only the store again."""
        self._changed, self._aside = {}, {}
