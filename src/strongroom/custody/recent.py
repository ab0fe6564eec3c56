"""What memory has of the mirror at one size (SPEC.md section 5).

The mirror only grows, so what holds at a size holds for good: only the size has to be asked for, again and again, since another process of the
vault may have added to it. Then memory begins anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from strongroom.errors import StoreError
from strongroom.ledger import checkpoint, entry, note, tree
from strongroom.ledger.edge import Edge
from strongroom.ledger.entry import Entry
from strongroom.ledger.prover import Prover
from strongroom.store import mirror as kept

# The right edge has a tile a level; the rest is for proofs of entries nearby. 64 tiles are 512 KB.
_TILES = 64
_ENTRIES = 1024


class Recent:
    """``size``: of the mirror at which this holds."""

    def __init__(self, store: kept.Mirror, size: int) -> None:
        self._store, self.size = store, size
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._entries: dict[int, Entry] = {}
        self._head: tuple[int, bytes, str] | None = None
        self._edge: Edge | None = None
        self._time: int | None = None
        self.prover = Prover(self.read_tile)

    def read_tile(self, level: int, n: int) -> bytes:
        found = self._tiles.get((level, n))
        return self._store.read_tile(level, n) if found is None else found

    def entry(self, index: int) -> Entry:
        """Parsed. Those that were added last are here already."""
        found = self._entries.get(index)
        return entry.parse(self._store.entries(index, index + 1)[0]) if found is None else found

    @property
    def time(self) -> int:
        """Of the last entry; 0 when there is none."""
        if self._time is None:
            self._time = self.entry(self.size - 1).time if self.size else 0
        return self._time

    def head(self) -> tuple[int, bytes, str]:
        """Size and root (32 bytes) of the last checkpoint accepted, and our cosignature under it; of one moment."""
        if self._head is None:
            text = self._store.checkpoint().decode()
            if not text:
                return 0, tree.EMPTY_ROOT, ""
            at = checkpoint.parse(note.parse_note(text).text)
            # Another process may have added to the mirror since its size was asked for: then this is of a later one, and not remembered.
            found = at.size, at.root, text.splitlines(keepends=True)[-1]
            if at.size != self.size:
                return found
            self._head = found
        return self._head

    def edge(self) -> Edge:
        """A copy, to be extended. Raises ``StoreError``, ``TileError``."""
        if self._edge is None:
            self._edge = Edge.read(self.read_tile, self.size)
        if self._edge.size != self.size:
            raise StoreError(f"mirror: memory is of {self._edge.size} entries, and the mirror of {self.size}")
        return self._edge.copy()

    def grown(
        self, tiles: Mapping[tuple[int, int], bytes], items: Sequence[Entry], edge: Edge, root: bytes, line: str
    ) -> None:
        """The store has taken in ``items``, by which these ``tiles`` changed, under a checkpoint of ``root`` that we cosigned with ``line``."""
        if len(self._tiles) > _TILES:
            self._tiles.clear()
        if len(self._entries) > _ENTRIES:
            self._entries.clear()
        self._tiles.update(tiles)
        self._entries.update(enumerate(items[-_ENTRIES:], edge.size - len(items[-_ENTRIES:])))
        self.size, self._edge, self._head = edge.size, edge, (edge.size, root, line)
        if items:
            self._time = items[-1].time
