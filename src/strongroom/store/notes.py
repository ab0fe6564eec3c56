"""What the vault remembers under a name, beside its tables: how far it has looked, what it has asked for (SPEC.md section 9.1)."""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.store.database import Database, statements

__all__ = ["Notes"]

_SQL = statements("vault.sql")


class Notes:
    """The notes inside a vault's store; had from ``VaultStore.notes``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, name: str) -> bytes:
        """Empty where there is none."""
        found = self._db.one(_SQL["meta"], (name,))
        return bytes(found[0]) if found else b""

    def put(self, name: str, value: bytes) -> None:
        """On disk when this returns."""
        with self._db.transaction():
            self._db.run(_SQL["put_meta"], (name, value))

    def swap(self, name: str, before: bytes, after: bytes, drop: Iterable[str] = ()) -> bool:
        """Put ``after`` in the place of ``before`` and drop other notes, all at once; False, and nothing, where another process was first."""
        with self._db.transaction():
            if self.get(name) != before:
                return False
            self._db.run(_SQL["put_meta"], (name, after))
            self._db.run_many(_SQL["drop_meta"], ((one,) for one in drop))
        return True
