"""Where in an SQLite file something lies, as somebody reads it who knows the format: in which table, and in which order it came
there (part of ``links``).

A page is filled from its end, so that within it what came later lies before; what was moved since lies as it was moved.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

PAGE = 8192
_INTERIOR = (2, 5)
"""Types of pages that lead to others: of indexes and tables without rowid, and of other tables."""


def places(path: Path, data: bytes, needles: Sequence[bytes]) -> dict[str, list[int]]:
    """For each place at which all needles lie (such as the second in the table ``tokens``) where each of them does: pages in their
    order, and each from its end. ``data``: the file, ``path`` a copy of it."""
    tables = _tables(path, data)
    found: list[dict[str, list[int]]] = []
    for needle in needles:
        own: dict[str, list[int]] = defaultdict(list)
        for at in all_of(data, needle):
            page, offset = divmod(at, PAGE)
            own[tables.get(page, "free pages")].append(page * PAGE + PAGE - offset)
        found.append(own)
    named = set.intersection(*(set(own) for own in found)) if found else set()
    return {
        f"{name}, {turn + 1}": [sorted(own[name])[turn] for own in found]
        for name in sorted(named)
        for turn in range(min(len(own[name]) for own in found))
    }


def all_of(data: bytes, needle: bytes) -> list[int]:
    """Every offset at which ``needle`` stands."""
    found, at = [], data.find(needle)
    while at >= 0:
        found.append(at)
        at = data.find(needle, at + 1)
    return found


def _tables(path: Path, data: bytes) -> dict[int, str]:
    """Page (from 0) -> the table or index whose tree it is of."""
    with closing(sqlite3.connect(path)) as db:
        roots = db.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall()
    return {page: name for name, root in roots for page in _tree(data, root - 1)}


def _tree(data: bytes, page: int) -> Iterator[int]:
    start = page * PAGE
    head = start + (100 if page == 0 else 0)
    if head + 12 > len(data):
        return
    yield page
    if data[head] in _INTERIOR:
        cells = int.from_bytes(data[head + 3 : head + 5])
        offsets = [start + int.from_bytes(data[at : at + 2]) for at in range(head + 12, head + 12 + 2 * cells, 2)]
        for at in (*offsets, head + 8):
            yield from _tree(data, int.from_bytes(data[at : at + 4]) - 1)
