"""The files that a published ledger consists of, but for ``checkpoint`` and ``vkeys`` (SPEC.md section 5.6).

Write all of them, then the checkpoint: a reader of the old checkpoint meets only files it has not heard of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from strongroom.errors import TileError
from strongroom.ledger import tag, tile
from strongroom.ledger.entry import entry_tags, parse
from strongroom.ledger.tree import HASH

ReadEntries = Callable[[int, int], list[bytes]]
"""(first index, count) -> that many entries."""

ReadDay = Callable[[str], bytes | None]
"""Path of a day file -> what is published there, if anything is."""


def files(
    read_tile: tile.ReadTile,
    read_entries: ReadEntries,
    old_size: int,
    new_size: int,
    read_day: ReadDay | None = None,
) -> Iterator[tuple[str, bytes]]:
    """(path, content) of what growing from ``old_size`` to ``new_size`` entries adds or changes; all of it from 0.

    ``read_day`` spares reading the first day's earlier entries again. Raises TileError, EntryError.
    """
    days: dict[str, list[tuple[bytes, int]]] = {}
    first = True
    for level, n, width in tile.published(old_size, new_size):
        if level != tile.ENTRIES:
            yield tile.path(level, n, width), _hashes(read_tile, level, n, width)
            continue
        start = n * tile.WIDTH
        entries = _entries(read_entries, start, width)
        yield tile.path(level, n, width), tile.bundle(entries)
        for index, entry in enumerate(entries, start):
            if index >= old_size:
                _take(days, index, entry)
        # Time never decreases, so of the days seen only the last can still grow.
        for day in sorted(days)[:-1]:
            yield day, _day(day, days.pop(day), old_size if first else 0, read_entries, read_day)
            first = False
    for day, pairs in sorted(days.items()):
        yield day, _day(day, pairs, old_size if first else 0, read_entries, read_day)
        first = False


def _take(days: dict[str, list[tuple[bytes, int]]], index: int, entry: bytes) -> None:
    found = parse(entry)
    if tags := entry_tags(found):
        days.setdefault(tag.day_path(found.time), []).extend((one, index) for one in tags)


def _day(
    day: str, pairs: list[tuple[bytes, int]], before: int, read_entries: ReadEntries, read_day: ReadDay | None
) -> bytes:
    """The day file of ``pairs`` and of the same day's entries among the first ``before``."""
    known = read_day(day) if read_day and before else None
    if known is not None:
        # A run that was cut short may have left more there than its checkpoint says.
        return tag.marshal_day(pairs + [pair for pair in tag.parse_day(known) if pair[1] < before])
    while before:
        start = (before - 1) // tile.WIDTH * tile.WIDTH
        days: dict[str, list[tuple[bytes, int]]] = {}
        entries = _entries(read_entries, start, before - start)
        for index, entry in enumerate(entries, start):
            _take(days, index, entry)
        pairs = pairs + days.get(day, [])
        before = start if tag.day_path(parse(entries[0]).time) == day else 0
    return tag.marshal_day(pairs)


def _entries(read: ReadEntries, start: int, count: int) -> list[bytes]:
    found = read(start, count)
    if len(found) != count:
        raise TileError(f"entries {start} to {start + count}: has {len(found)}")
    return found


def _hashes(read: tile.ReadTile, level: int, n: int, width: int) -> bytes:
    found = read(level, n)[: width * HASH]
    if len(found) != width * HASH:
        raise TileError(f"tile {level}/{n}: needs {width} hashes, has {len(found) // HASH}")
    return found
