"""A change feed: rows of which each says whether a record is now so, or is gone; in order.

A chunk of a feed is taken in steps. In each, records are stored and then others erased, and none comes back that was
erased in it: whoever comes back does so in the next step, as another record. Which steps there are follows from the
content alone, so an import that goes on finds the same ones.

Nothing says whether there was anything to erase (docs/decisions/0006-imports-tell-nothing.md): but an erasure that there
was is an entry in the ledger, and its person is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from strongroom.custody import asking
from strongroom.custody.asking import Mandate
from strongroom.custody.intake.rows import MAX_ROWS
from strongroom.custody.intake.window import Errand
from strongroom.custody.room import Room
from strongroom.errors import InputError, Refused

OPERATIONS = dict.fromkeys(("upsert", "u", "update", "c", "create", "i", "insert", "r", "read"), False)
OPERATIONS |= dict.fromkeys(("d", "delete"), True)
"""What a row's operation may be, in any case: whether it deletes."""

_PHASES = 2 * MAX_ROWS + 2
_BEYOND = 1 << 40  # past the number of any chunk


@dataclass(frozen=True, slots=True)
class Feed:
    """``column``: where a row's operation stands. ``erase``: who erases what is deleted, for which purpose, and why."""

    column: str
    erase: Errand


@dataclass(slots=True)
class Step:
    """Places of a chunk's rows: to be ``stored``, and then to be ``gone``."""

    stored: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


def steps(keys: Sequence[bytes], deletes: Sequence[bool]) -> list[Step]:
    """One step at least. ``keys``: what a row's record is known by."""
    found = [Step()]
    gone: set[bytes] = set()
    for at, (key, delete) in enumerate(zip(keys, deletes, strict=True)):
        if delete:
            gone.add(key)
            found[-1].gone.append(at)
        else:
            if key in gone:
                found.append(Step())
                gone.clear()
            found[-1].stored.append(at)
    return found


def mark(chunk: int, phase: int) -> int:
    """Under which number it is noted that a phase of a chunk is done, of which others are still to come."""
    return _BEYOND + chunk * _PHASES + phase


class Eraser:
    """Erases what a feed deletes. Raises ``InputError`` for a purpose that may not, before anything is taken in."""

    def __init__(self, room: Room, holding: str, errand: Errand) -> None:
        purpose = room.rules().charter.purposes.get(errand.purpose)
        if purpose is None or "erase" not in purpose.actions or holding not in purpose.reads:
            raise InputError(f"{errand.purpose}: not a purpose of the charter for which {holding} may be erased")
        self._room, self._number = room, room.holding(holding)
        self._mandate = Mandate(errand.asker, holding, errand.purpose, errand.case, errand.reason, errand.seconds)

    def erase(self, tokens: Iterable[bytes]) -> None:
        """Every record whose latest version has one of these tokens. Raises as ``custody.erase.erase``: then the same call
        goes on."""
        found = self._room.store.handles_of_tokens(self._number, set(tokens))
        handles = {handle for each in found.values() for handle in each}
        if not handles:
            return
        try:
            for _ in asking.erase(self._room, self._mandate, sorted(handles)):
                pass
        except Refused as refusal:
            if refusal.code != "erased":
                raise
            self._one_by_one(handles)

    def _one_by_one(self, handles: Iterable[bytes]) -> None:
        """An earlier try was answered and ended before the vault took note, which it now does record by record."""
        for handle in sorted(handles):
            if self._room.store.latest_versions(self._number, [handle]):
                try:
                    list(asking.erase(self._room, self._mandate, [handle]))
                except Refused as refusal:
                    # Noted only on the keyholder's signed word; still there, the feed must not go on as though it were gone.
                    if refusal.code != "erased" or self._room.store.latest_versions(self._number, [handle]):
                        raise
