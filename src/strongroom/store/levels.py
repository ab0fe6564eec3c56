"""Where rows of random keys lie until they come to rest (docs/decisions/0029-intake.md).

Handles and tokens are random, so that whatever is stored touches a page for each of its rows, and of a large table every
transaction writes most pages anew. So new rows begin in a small part of it (``level`` 2, or 1 for what comes by the ten
thousand), and each transaction moves a slice of what has gathered there to the next part, where by then many of its rows
share a page. All rows of a record in ``handles`` are in one level. Whoever looks for something looks in all three.
"""

from __future__ import annotations

from strongroom.store.database import Database, statements

__all__ = ["gather", "level_of", "rest"]

_SQL = statements("vault.sql")

_REST, _MIDDLE, _TOP = 0, 1, 2
_LIMITS = {_TOP: 4096, _MIDDLE: 65_536}
"""Records: of the pages that they take a transaction of some hundred rewrites less than it would of the level below."""

_GATHERED = {_TOP: 8, _MIDDLE: 24}
"""So much of what comes at once gathers in a level, at least: otherwise it saves nothing by going there. An importer's transaction
has three chunks."""

_WORTH = 4
"""A level is used where the one below may have so many times its records: else its pages are as many as those it saves."""

_SLICES = 64
_KEYS = 1 << 128


def level_of(stored: int, fresh: int) -> int:
    """Where ``fresh`` new records go, when a holding has ``stored``."""
    if stored >= _WORTH * _LIMITS[_TOP] and _GATHERED[_TOP] * fresh <= _LIMITS[_TOP]:
        return _TOP
    return _below_top(stored, fresh)


def gather(db: Database, holding: int, stored: int, fresh: int, at: int) -> None:
    """Move on what is too much, in the transaction in which ``fresh`` new records were put into their level. ``at``: any number, other
    ones for other transactions; it says which slice."""
    level, came = level_of(stored, fresh), fresh
    while level != _REST and came:
        most = max(_LIMITS[level], _GATHERED[level] * fresh)
        slices = min(_SLICES, max(1, most // came))
        where = (level, holding, *_slice(at % slices, slices))
        if db.number(_SQL["count_slice"], where) * slices <= most:
            return
        lower = _below_top(stored, fresh) if level == _TOP else _REST
        level, came = lower, _move(db, where, lower)


def rest(db: Database, holding: int) -> None:
    """Bring all of a holding to rest, in several transactions, of which each is whole."""
    if db.one(_SQL["unrested"], (holding,)) is None:
        return
    for number in range(_SLICES):
        for level in (_TOP, _MIDDLE):
            where = (level, holding, *_slice(number, _SLICES))
            with db.transaction():
                _move(db, where, _REST)


def _below_top(stored: int, fresh: int) -> int:
    return _MIDDLE if stored >= _WORTH * max(_LIMITS[_MIDDLE], _GATHERED[_MIDDLE] * fresh) else _REST


def _slice(number: int, slices: int) -> tuple[bytes, bytes]:
    """The keys of one of ``slices`` equal parts: from the first on, below the second."""
    start, end = number * _KEYS // slices, (number + 1) * _KEYS // slices
    return start.to_bytes(16, "big"), end.to_bytes(16, "big") if end < _KEYS else b"\xff" * 17


def _move(db: Database, where: tuple[int, int, bytes, bytes], lower: int) -> int:
    """How many rows of ``handles`` were moved. Copied and deleted: an update of a key costs half as much again."""
    moved = 0
    for copy, drop in (("copy_tokens", "drop_slice_of_tokens"), ("copy_handles", "drop_slice_of_handles")):
        moved = db.run(_SQL[copy], (*where, lower))
        if moved:
            db.run(_SQL[drop], where)
    return moved
