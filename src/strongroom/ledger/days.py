"""The files of tags, each held against what the entries of its day say (SPEC.md section 5.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from strongroom.errors import EntryError
from strongroom.ledger import tag
from strongroom.ledger.directory import Directory

__all__ = ["Days"]


class Days:
    """Takes what entries say in their order, of a ledger of ``size``, and remembers that of one day."""

    def __init__(self, directory: Directory, size: int) -> None:
        self._directory, self._size = directory, size
        self._lines: list[bytes] = []
        self.path = ""
        self.tags = 0
        """Those of the days that are closed."""

    def begin(self, path: str) -> None:
        """What is added from here on is of this day. Raises EntryError, TileError for the one before it."""
        if path != self.path:
            self.close()
            self.path = path

    def add(self, lines: Iterable[bytes]) -> None:
        """Lines of the day's file, as ``tag.line`` makes them."""
        self._lines += lines

    def close(self) -> None:
        """Compare the day's file with what its entries say. Raises EntryError, TileError."""
        if self._lines:
            published = self._directory.get(self.path)
            if not _are(self._lines, published):
                self._compare(published)
            self.tags += len(self._lines)
        self._lines = []

    def _compare(self, published: bytes) -> None:
        try:
            want = tag.marshal_day(map(tag.pair_of, self._lines))
            # Whoever publishes may already be past the checkpoint that is being read.
            published = tag.marshal_day(p for p in tag.parse_day(published) if p[1] < self._size)
        except EntryError as error:
            raise EntryError(f"{self.path}: {error}") from None
        if published != want:
            raise EntryError(f"{self.path}: differs from what the entries of that day say")


def _are(lines: Sequence[bytes], published: bytes) -> bool:
    """Whether a day's file is these lines, sorted and distinct. They come in the order of the ledger, and to sort them would take longer."""
    listed = [published[at : at + tag.LINE] for at in range(0, len(published), tag.LINE)]
    left = set(listed)
    if not len(lines) == len(listed) == len(left) or sorted(listed) != listed:
        return False
    # As many distinct ones as there are lines, each of which is a line: so none is left out, and none stands twice.
    left.difference_update(lines)
    return not left
