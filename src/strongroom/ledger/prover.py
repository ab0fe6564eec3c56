"""Roots and proofs out of tiles (RFC 6962 sections 2.1.1 and 2.1.2; C2SP tlog-tiles).

Every hash here is of a *perfect* subtree (2^height entries, aligned), which never changes once the ledger has grown past
it. So what is asked for decides the size, tiles may hold more than that, and hashes found once are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from strongroom.errors import ProofError, TileError
from strongroom.ledger.tree import EMPTY_ROOT, HASH, node_hash

ReadTile = Callable[[int, int], bytes]
"""(level, n) -> all hashes known of that tile, concatenated: 8,192 bytes, a prefix of whole hashes, or b""."""


class Prover:
    """Answers from ``read``; remembers ``tiles`` tiles with all their inner nodes (33 KB each).

    A hash once read is taken as final: show it committed tiles only, and drop it after a rollback.
    """

    def __init__(self, read: ReadTile, tiles: int = 256) -> None:
        self._read, self._limit = read, tiles
        self._rows: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()
        self._edge_size, self._edges = 0, dict[int, bytes]()

    def node(self, height: int, index: int) -> bytes:
        """Hash of the perfect subtree over entries index * 2^height to (index + 1) * 2^height. Raises TileError."""
        level, inner = divmod(height, 8)
        n, place = index >> (8 - inner), index & ((256 >> inner) - 1)
        rows = self._rows.get((level, n))
        if rows is None:
            rows = self._rows[level, n] = [[] for _ in range(8)]
            if len(self._rows) > self._limit:
                self._rows.popitem(last=False)
        else:
            self._rows.move_to_end((level, n))
        if place >= len(rows[inner]):
            self._grow(level, n, rows)
            if place >= len(rows[inner]):
                raise TileError(f"tile {level}/{n}: needs {(place + 1) << inner} hashes, has {len(rows[0])}")
        return rows[inner][place]

    def _grow(self, level: int, n: int, rows: list[list[bytes]]) -> None:
        data, below = self._read(level, n), rows[0]
        if len(data) % HASH or len(data) > 256 * HASH:
            raise TileError(f"tile {level}/{n}: {len(data)} bytes are not 0 to 256 hashes")
        below.extend(data[at : at + HASH] for at in range(len(below) * HASH, len(data), HASH))
        for row in rows[1:]:
            fresh = slice(2 * len(row), len(below) & ~1)
            pairs = iter(below[fresh])
            row.extend([sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)])
            below = row

    def root(self, size: int) -> bytes:
        """Root of the first ``size`` entries. Raises TileError when tiles are missing."""
        return self._edge(0, size) if size else EMPTY_ROOT

    def _edge(self, start: int, size: int) -> bytes:
        """Hash over entries start to size, where start is where RFC 6962 splits off the right edge of that size."""
        if size != self._edge_size:
            self._edge_size, self._edges = size, {}
        found = self._edges.get(start)
        if found is None:
            # The largest power of two below, or equal to, what remains.
            height = (size - start).bit_length() - 1
            found = self.node(height, start >> height)
            rest = start + (1 << height)
            if rest < size:
                found = node_hash(found, self._edge(rest, size))
            self._edges[start] = found
        return found

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proof, leaf's sibling first, that entry ``index`` is in the first ``size``. Raises ProofError, TileError."""
        if not 0 <= index < size:
            raise ProofError(f"inclusion: index {index} is outside a tree of {size}")
        return self._path(index, 0, size)

    def _path(self, index: int, height: int, size: int) -> list[bytes]:
        """Siblings, from ``height`` up, of the perfect subtree that ``index`` names there."""
        proof = []
        while index or 1 << height < size:
            sibling = index ^ 1
            if sibling < index or (sibling + 1) << height <= size:
                proof.append(self.node(height, sibling))
            elif sibling << height < size:
                proof.append(self._edge(sibling << height, size))
            # Otherwise the subtree has no sibling here and rises unhashed.
            index, height = index >> 1, height + 1
        return proof

    def consistency(self, size1: int, size2: int) -> list[bytes]:
        """Proof that the first ``size1`` entries begin the first ``size2``; empty from 0. Raises as ``inclusion``."""
        if not 0 <= size1 <= size2:
            raise ProofError(f"consistency: sizes {size1} and {size2} are out of order")
        if size1 in (0, size2):
            return []
        # The last perfect subtree of the smaller tree, then its path in the larger one (RFC 6962 section 2.1.2).
        height = (size1 & -size1).bit_length() - 1
        last = (size1 >> height) - 1
        first = [] if last == 0 else [self.node(height, last)]
        return first + self._path(last, height, size2)
