"""That one ledger continues another, shown by as little of it as that takes (SPEC.md section 5.1; C2SP tlog-tiles).

The published tiles end at the last published checkpoint, and a receipt is of a later one. So a hash is had from its tile where that is
published, and otherwise made of the entries, or of the tile below: by these ways nothing need be published first, and a client that asks
often has only the entries since it last asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from strongroom.client.flow import Flow
from strongroom.errors import ProofError, TileError
from strongroom.ledger import tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.prover import Prover
from strongroom.ledger.tree import HASH

_KEPT = 256
_WORTH_A_TILE = 16
"""Entries from which on their tile, 8 KiB, is less to fetch than they are."""


class _Wanted(Exception):
    """No error: hashes that are to be fetched first."""

    def __init__(self, level: int, n: int, stop: int) -> None:
        super().__init__(level, n, stop)
        self.level, self.n, self.stop = level, n, stop


class Growth:
    """``file``: path in the published ledger -> its bytes, None where it is not there. ``entries``: (first, count) -> so many entries.

    What is fetched counts for nothing until it has led to two signed roots; where it does not, all of it is dropped.
    """

    def __init__(
        self, file: Callable[[str], Flow[bytes | None]], entries: Callable[[int, int], Flow[list[bytes]]]
    ) -> None:
        self._file, self._entries = file, entries
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._prover, self._size = Prover(self._read), 0
        self.texts: dict[int, bytes] = {}
        """Entries that were fetched last, by index: one of them may be the very one that is asked about."""

    def verify(self, small: Checkpoint, large: Checkpoint) -> Flow[None]:
        """``large`` holds all of ``small`` and only adds to it. Raises ``ProofError``, and ``TileError`` for what cannot be had."""
        if small.origin != large.origin:
            raise ProofError(f"{large.origin}: not the ledger {small.origin}")
        proof = yield from self._proof(small.size, large.size)
        try:
            tree.verify_consistency(small.size, large.size, small.root, large.root, proof)
        except ProofError:
            with self._lock:
                self._forget()
            raise

    def _proof(self, size1: int, size2: int) -> Flow[list[bytes]]:
        while True:
            with self._lock:
                self._size = size2
                try:
                    return self._prover.consistency(size1, size2)
                except _Wanted as wanted:
                    level, n, stop = wanted.level, wanted.n, wanted.stop
            yield from self._have(level, n, stop)

    def _read(self, level: int, n: int) -> bytes:
        stop = min(tile.WIDTH, (self._size >> 8 * level) - n * tile.WIDTH)
        found = self._tiles.get((level, n), b"")
        if len(found) < stop * HASH:
            raise _Wanted(level, n, stop)
        return found

    def _have(self, level: int, n: int, stop: int) -> Flow[bytes]:
        """The first ``stop`` hashes of a tile, of which those that are here already are not fetched again."""
        here = self._tiles.get((level, n), b"")
        start = len(here) // HASH
        if start < stop:
            more = yield from (self._leaves(n, start, stop) if level == 0 else self._nodes(level, n, start, stop))
            here += more
            with self._lock:
                if len(self._tiles.get((level, n), b"")) < len(here):
                    self._tiles[level, n] = here
                self._tiles.move_to_end((level, n))
                while len(self._tiles) > _KEPT:
                    self._tiles.popitem(last=False)
        return here[: stop * HASH]

    def _leaves(self, n: int, start: int, stop: int) -> Flow[bytes]:
        if stop - start >= _WORTH_A_TILE:
            found = yield from self._published(0, n, stop)
            if found is not None:
                return found[start * HASH :]
        first = n * tile.WIDTH + start
        entries: list[bytes] = yield from self._entries(first, stop - start)
        if len(entries) != stop - start:
            raise TileError(f"the vault does not show all entries from {first} on")
        self.texts = dict(enumerate(entries, first))
        return b"".join([tree.leaf_hash(one) for one in entries])

    def _nodes(self, level: int, n: int, start: int, stop: int) -> Flow[bytes]:
        found = yield from self._published(level, n, stop)
        if found is not None:
            return found[start * HASH :]
        made = []
        for child in range(n * tile.WIDTH + start, n * tile.WIDTH + stop):
            below = yield from self._have(level - 1, child, tile.WIDTH)
            made.append(tile.full_root(below))
        return b"".join(made)

    def _published(self, level: int, n: int, stop: int) -> Flow[bytes | None]:
        """C2SP lets a partial tile go once the full one is there."""
        for width in dict.fromkeys((stop, tile.WIDTH)):
            found: bytes | None = yield from self._file(tile.path(level, n, width))
            if found is not None:
                if len(found) != width * HASH:
                    raise TileError(f"{tile.path(level, n, width)}: {len(found)} bytes, want {width * HASH}")
                return found[: stop * HASH]
        return None
