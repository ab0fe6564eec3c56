"""The vault's copy of the ledger: every entry and tile, and the last checkpoint it verified (SPEC.md section 5).

It stores what it is given; the caller has verified it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from strongroom.errors import StoreError, TileError
from strongroom.store.database import Database, statements

__all__ = ["Mirror"]

_SQL = statements("vault.sql")
_CHECKPOINT = "checkpoint"


class Mirror:
    """The mirror inside a vault's store; had from ``VaultStore.mirror``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def size(self) -> int:
        """How many entries are here."""
        return self._db.number(_SQL["size"])

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Entries ``start`` to ``stop``-1. StoreError when one of them is not here."""
        found: list[bytes] = [entry for (entry,) in self._db.all(_SQL["entries"], (start, stop))]
        if len(found) != stop - start:
            raise StoreError(f"mirror: does not hold entries {start} to {stop}")
        return found

    def charters(self, after: int) -> list[int]:
        """Indexes of the charter entries past ``after``, ascending."""
        return [index for (index,) in self._db.all(_SQL["charters"], (after,))]

    def lives(self, start: int, stop: int) -> list[tuple[int, bytes]]:
        """Index and bytes of the entries about keys and holds, and of notices, from ``start`` to ``stop``-1: found without
        reading the ledger."""
        return [(index, entry) for index, entry in self._db.all(_SQL["lives"], (start, stop))]

    def erasures(self, start: int, stop: int) -> list[tuple[int, bytes]]:
        """The same of erasures."""
        return [(index, entry) for index, entry in self._db.all(_SQL["erasures"], (start, stop))]

    def read_tile(self, level: int, n: int) -> bytes:
        """The hashes of tile (level, n), as many as there are. TileError when there is none: a ``ledger.ReadTile``."""
        found = self._db.one(_SQL["tile"], (level, n))
        if found is None:
            raise TileError(f"tile {level}/{n}: not in the mirror")
        data: bytes = found[0]
        return data

    def append(
        self, size: int, entries: Sequence[bytes], tiles: Mapping[tuple[int, int], bytes], checkpoint: bytes
    ) -> None:
        """Add entries from index ``size`` on, replace tiles, remember the checkpoint's text; all or nothing.

        StoreError when the mirror no longer has ``size`` entries: another process was first. Read again and retry.
        """
        with self._db.transaction():
            if self.size() != size:
                raise StoreError(f"mirror: no longer at size {size}")
            self._db.run_many(_SQL["put_entry"], enumerate(entries, size))
            self._db.run_many(_SQL["put_tile"], ((level, n, data) for (level, n), data in tiles.items()))
            self._db.run(_SQL["put_meta"], (_CHECKPOINT, checkpoint))

    def checkpoint(self) -> bytes:
        """The text given with the last ``append``; empty before the first."""
        found = self._db.one(_SQL["meta"], (_CHECKPOINT,))
        return bytes(found[0]) if found else b""
