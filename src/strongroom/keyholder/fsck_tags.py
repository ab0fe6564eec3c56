"""Does each tag of the book belong to a chain, and each number of a chain to one entry? Part of ``fsck`` (SPEC.md section 5.5)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from strongroom.errors import EntryError
from strongroom.ledger import entry, tag

_PAGE = 2048
_PARTS = 16  # a mismatch of tags is looked for in this many passes, each over that part of them


class Tags:
    """``key``: K_tag; ``entries`` gives (index, bytes) of all, each time it is called."""

    def __init__(
        self,
        db: sqlite3.Connection,
        key: bytes,
        entries: Callable[[], Iterator[tuple[int, bytes]]],
        progress: Callable[[str, int, int], None],
        problem: Callable[[str], None],
    ) -> None:
        self._db, self._key, self._entries, self._progress, self._problem = db, key, entries, progress, problem

    def check(self) -> None:
        """Those of the entries against those that the chains' counts say."""
        # A sum of hashes tells whether two multisets are equal without holding either.
        booked = _Sum()
        for _, data in self._entries():
            for one in _tags(data):
                booked.add(one)
        counted = _Sum()
        for one, _ in self._chain_tags("the chains of persons"):
            counted.add(one)
        if (booked.count, booked.total) == (counted.count, counted.total):
            return
        found = 0
        for part in range(_PARTS):
            found += self._differences(part)
        if not found:
            self._problem("keyholder: the tags of the ledger are not those of its chains")

    def _chain_tags(self, what: str) -> Iterator[tuple[bytes, int]]:
        total = int(self._db.execute("SELECT count(*) FROM chains").fetchone()[0])
        rows = self._db.execute("SELECT holding, who, generation, count FROM chains")
        for place, (holding, who, generation, count) in enumerate(rows):
            key = tag.chain_key(self._key, bytes(holding), bytes(who), generation)
            for n in range(1, count + 1):
                yield tag.tag(key, n), n
            if place % _PAGE == 0:
                self._progress(what, place, total)
        # Numbers that were given in time that was lost (SPEC.md 8.10).
        for (one,) in self._db.execute("SELECT tag FROM lost"):
            yield bytes(one), 0

    def _differences(self, part: int) -> int:
        booked: Counter[bytes] = Counter()
        places: dict[bytes, int] = {}
        for index, data in self._entries():
            for one in _tags(data):
                if one[0] % _PARTS == part:
                    booked[one] += 1
                    places[one] = index
        found = 0
        for one, n in self._chain_tags("looking for the tags that differ"):
            if one[0] % _PARTS == part:
                if booked[one] == 0:
                    what = f"number {n} of a person's chain" if n else "a tag from before a recovery"
                    self._problem(f"keyholder: {what} stands in no entry")
                    found += 1
                booked[one] -= 1
        for one, left in booked.items():
            if left > 0:
                self._problem(f"keyholder: entry {places[one]} has a tag that is no number of a chain, or has it twice")
                found += 1
        return found


@dataclass
class _Sum:
    """An order-free digest of a multiset of tags."""

    count: int = 0
    total: int = 0

    def add(self, one: bytes) -> None:
        self.count += 1
        self.total = (self.total + int.from_bytes(sha256(one).digest(), "big")) % 2**256


def _tags(data: bytes) -> list[bytes]:
    try:
        return entry.entry_tags(entry.parse(data))
    except EntryError:
        return []
