"""The right edge of a growing tree: enough to append and to know the root, without reading tiles (RFC 6962)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from strongroom.ledger.prover import Prover, ReadTile
from strongroom.ledger.tree import EMPTY_ROOT


class Edge:
    """One hash for each set bit of ``size``: the perfect subtrees from left to right, largest first.

    ``append`` costs two hashes on average, ``root`` one for each set bit.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size, self._hashes = size, list(hashes)
        if len(self._hashes) != size.bit_count():
            raise ValueError("want one hash for each set bit of size")

    @classmethod
    def read(cls, read: ReadTile, size: int) -> Edge:
        """The edge of the first ``size`` entries. Raises TileError."""
        prover, hashes, start = Prover(read), [], 0
        for height in range(size.bit_length() - 1, -1, -1):
            if size >> height & 1:
                hashes.append(prover.node(height, start >> height))
                start += 1 << height
        return cls(size, hashes)

    def append(self, leaf: bytes) -> None:
        """Add one 32-byte leaf hash."""
        size, hashes = self.size, self._hashes
        self.size = size + 1
        while size & 1:
            leaf = sha256(b"\1" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            self.append(leaf)

    def copy(self) -> Edge:
        """For trying an append that may be rolled back."""
        return Edge(self.size, self._hashes)

    def root(self) -> bytes:
        if not self._hashes:
            return EMPTY_ROOT
        found = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            found = sha256(b"\1" + left + found).digest()
        return found
