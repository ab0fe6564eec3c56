"""The tree built anew from entries, held against the tiles that were kept beside them. Memory stays flat."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.errors import TileError
from strongroom.ledger import tile, tree
from strongroom.ledger.tile import ReadTile


class Rebuild:
    """Takes all leaves in order. ``problems`` names each tile that is missing or is not that of the entries."""

    def __init__(self, stored: ReadTile) -> None:
        self._stored, self._edge, self._size = stored, dict[tuple[int, int], bytes](), 0
        self.problems: list[str] = []

    def add(self, entries: Sequence[bytes]) -> None:
        """The next entries."""
        self._edge |= tile.append(self._read, self._size, tree.leaf_hashes(entries))
        self._size += len(entries)
        # A full tile is done with: its root stands in the tile above.
        for at in [at for at, content in self._edge.items() if len(content) == tile.BYTES]:
            self._compare(at, self._edge.pop(at))

    def root(self) -> bytes:
        """The root of all entries, after the last of them."""
        for at, content in self._edge.items():
            self._compare(at, content)
        return tile.root(self._read, self._size)

    def _read(self, level: int, n: int) -> bytes:
        return self._edge.get((level, n), b"")

    def _compare(self, at: tuple[int, int], content: bytes) -> None:
        level, n = at
        try:
            kept = self._stored(level, n)
        except TileError:
            kept = b""
        # A tile may have grown meanwhile; what was in it stays.
        if kept[: len(content)] != content:
            wrong = "is missing" if not kept else "is not that of the entries below it"
            self.problems.append(f"tile {level}/{n} {wrong}")
