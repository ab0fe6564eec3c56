"""That one ledger continues another, shown by receipts and entries alone (SPEC.md sections 5.1, 5.3; RFC 6962 section 2.1).

A receipt is of a checkpoint that nobody has published yet, so there are no tiles to prove it by. But the proof that a ledger's last entry is in
a later one holds all hashes of the proof that the later one continues it, and the edge of the earlier: so one receipt, of any age of
ledger, leads to the newest checkpoint; and from an edge a few entries more lead to any checkpoint near by.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from strongroom.client.flow import Flow
from strongroom.errors import ProofError, TileError
from strongroom.ledger import proof, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.edge import Edge
from strongroom.ledger.note import Verifier
from strongroom.ledger.proof import Proof

NEAR = 256
"""Entries that are rather fetched than leapt over."""
_KEPT = 16
_MOST_LEAPS = 8


class Growth:
    """``told``: index -> the entry and a receipt of today; ``entries``: (first, count) -> so many entries. Both as the vault shows them:
    nothing counts that does not lead to two checkpoints that the log has signed."""

    def __init__(
        self,
        log: Verifier,
        told: Callable[[int], Flow[tuple[bytes, str]]],
        entries: Callable[[int, int], Flow[list[bytes]]],
    ) -> None:
        self._log, self._told, self._entries = log, told, entries
        self._edges, self._lock = OrderedDict[Checkpoint, Edge](), threading.Lock()
        self.texts: dict[int, bytes] = {}
        """Entries that were fetched last, by index: one of them may be the very one that is asked about."""

    def verify(self, small: Checkpoint, large: Checkpoint) -> Flow[None]:
        """``large`` holds all of ``small`` and only adds to it. Raises ``ProofError``, and ``TileError`` for what cannot be had."""
        if small.origin != large.origin:
            raise ProofError(f"{large.origin}: not the ledger {small.origin}")
        for _ in range(_MOST_LEAPS):
            if large.size - small.size <= NEAR:
                yield from self._walk(small, large)
                return
            newest = yield from self._leap(small)
            # What is left to show is that these two are of one ledger: they are near each other, unless it grows very fast.
            small, large = (large, newest) if large.size <= newest.size else (newest, large)
        raise TileError("the ledger grows faster than it can be followed")

    def _walk(self, small: Checkpoint, large: Checkpoint) -> Flow[None]:
        if small.size == large.size:
            tree.verify_consistency(small.size, large.size, small.root, large.root, [])
            return
        edge = self._edges.get(small)
        if edge is None:
            edge = yield from self._edge(small)
        found: list[bytes] = yield from self._entries(small.size, large.size - small.size)
        if len(found) != large.size - small.size:
            raise TileError(f"the vault does not show all entries from {small.size} on")
        grown = edge.copy()
        grown.extend(map(tree.leaf_hash, found))
        if grown.root() != large.root:
            raise ProofError(f"the entries up to {large.size} do not lead to its root")
        with self._lock:
            self.texts = dict(enumerate(found, small.size))
            self._edges[large] = grown
            self._edges.move_to_end(large)
            while len(self._edges) > _KEPT:
                self._edges.popitem(last=False)

    def _edge(self, at: Checkpoint) -> Flow[Edge]:
        if at.size == 0:
            edge = Edge()
        else:
            leaf, found, newest = yield from self._last(at)
            edge = edge_of(at.size, newest.size, leaf, found.hashes) if at.size <= newest.size else Edge()
        if (edge.size, edge.root()) != (at.size, at.root):
            raise ProofError(f"the first {at.size} entries are not those that were signed for")
        return edge

    def _leap(self, at: Checkpoint) -> Flow[Checkpoint]:
        """A checkpoint of today that continues ``at``."""
        leaf, found, newest = yield from self._last(at)
        hashes = consistency_of(at.size, leaf, found.hashes) if 0 < at.size < newest.size else []
        tree.verify_consistency(at.size, newest.size, at.root, newest.root, hashes)
        return newest

    def _last(self, at: Checkpoint) -> Flow[tuple[bytes, Proof, Checkpoint]]:
        """Of the last entry of ``at`` (of an empty ledger, of the first): its leaf hash, the proof that it is in the ledger of today, and that."""
        index = max(at.size, 1) - 1
        text, receipt = yield from self._told(index)
        found = proof.parse(receipt)
        if found.index != index:
            raise ProofError(f"the receipt is of entry {found.index}; want that of {index}")
        newest = proof.verify(found, text, [self._log])
        if newest.origin != at.origin:
            raise ProofError(f"{newest.origin}: not the ledger {at.origin}")
        return tree.leaf_hash(text), found, newest


def consistency_of(size: int, leaf: bytes, hashes: Sequence[bytes]) -> list[bytes]:
    """The proof that a ledger continues its first ``size`` entries, out of the one that the last of these, of hash ``leaf``, is in it.

    That entry is the last of a perfect subtree. Up to there all siblings stand to its left, and give the subtree's hash; from there on the
    two proofs are one (RFC 6962 section 2.1.2).
    """
    height = _height(size)
    first = [_subtree(leaf, hashes[:height])] if size >> height > 1 else []
    return [*first, *hashes[height:]]


def edge_of(size: int, within: int, leaf: bytes, hashes: Sequence[bytes]) -> Edge:
    """The edge of the first ``size`` entries, out of the same proof, in a ledger of ``within``: that subtree, and of the siblings further up
    those to the left."""
    height = _height(size)
    found, rest = [_subtree(leaf, hashes[:height])], iter(hashes[height:])
    position, last = (size >> height) - 1, (within - 1) >> height
    while last:
        # On the right edge a node without a sibling rises unhashed.
        if position & 1 or position < last:
            sibling = next(rest)
            if position & 1:
                found.append(sibling)
        position, last = position >> 1, last >> 1
    return Edge(size, reversed(found))


def _height(size: int) -> int:
    """Of the last perfect subtree of so many entries."""
    return (size & -size).bit_length() - 1


def _subtree(leaf: bytes, siblings: Sequence[bytes]) -> bytes:
    for sibling in siblings:
        leaf = tree.node_hash(sibling, leaf)
    return leaf
