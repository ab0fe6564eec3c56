"""What the entries of a ledger must be to one another about records' lives: keys destroyed, holds, erasures (SPEC.md section 5.8).

Whoever reads all entries can check it, without a key or a record: a key is destroyed once, on its day, and not while a
hold stands; an erasure names every key that could still open what it erased, and is final once those are destroyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from strongroom.errors import EntryError
from strongroom.ledger.entry import (
    CheckEntry,
    CorrectionEntry,
    DisclosureEntry,
    Entry,
    ErasureEntry,
    ExpiryEntry,
    ExportEntry,
    HoldEntry,
    IntakeEntry,
    NoticeEntry,
)

__all__ = ["HOLD_DAYS", "TOLD", "Erased", "Held", "Key", "Life", "check_counts"]

HOLD_DAYS = 366
"""How far ahead a hold may end; it can be written anew before that."""

_DAY = 86_400
TOLD = (ErasureEntry, ExpiryEntry, HoldEntry, NoticeEntry)
"""What an entry of these must be depends on those before it."""
_TAGGED = (DisclosureEntry, CheckEntry, CorrectionEntry, ExportEntry, ErasureEntry)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An epoch's key: of a holding, named by the day (since 1970) on which it is destroyed."""

    holding: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Held:
    """A hold: no key of the holding is destroyed before ``until`` (POSIX seconds)."""

    holding: str
    authority: str
    until: int


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure of ``count`` records. It is final when none is ``left`` of the keys that the holding had then."""

    index: int
    holding: str
    count: int
    time: int
    left: tuple[int, ...]

    @property
    def final(self) -> bool:
        return not self.left


class Life:
    """Takes all entries in order, and refuses one that contradicts those before it."""

    def __init__(self) -> None:
        self.destroyed: dict[Key, int] = {}
        """The index of the entry that says so."""
        self._holds: dict[tuple[str, str], int] = {}
        self._erasures: list[tuple[int, ErasureEntry]] = []
        self._marks: set[bytes] = set()
        self._named: dict[str, set[int]] = {}

    def add(self, index: int, entry: Entry) -> None:
        """Raises EntryError."""
        check_counts(type(entry), [entry])
        if isinstance(entry, ErasureEntry):
            self._erase(index, entry)
        elif isinstance(entry, ExpiryEntry):
            self._expire(index, entry)
        elif isinstance(entry, HoldEntry):
            self._hold(entry)
        elif isinstance(entry, NoticeEntry) and entry.code == "generation":
            # Keys that were made in the time that the keyholder lost may be lost with it.
            self._named.clear()

    def holds(self, time: int) -> list[Held]:
        """Those that stand at ``time`` (POSIX seconds), by holding and authority."""
        return [Held(*of, until) for of, until in sorted(self._holds.items()) if until > time]

    def erasures(self) -> list[Erased]:
        """In order, with what is left of each."""
        return [
            Erased(index, one.holding, one.count, one.time, self._left(one.holding, one.epochs))
            for index, one in self._erasures
        ]

    def final_on(self, one: Erased, time: int) -> int:
        """The day (since 1970) on which an erasure that is not final is, by what is said up to ``time``: when the last key
        goes that it waits for, or when the last hold ends that keeps it."""
        held = [-(-hold.until // _DAY) for hold in self.holds(time) if hold.holding == one.holding]
        return max([*one.left, *held])

    def overdue(self, time: int) -> list[Key]:
        """Keys that an erasure waits for, whose day was over by ``time``, and which no hold keeps: the keyholder has not
        destroyed them, or does not say so."""
        held = {one.holding for one in self.holds(time)}
        left = {Key(one.holding, epoch) for one in self.erasures() for epoch in one.left if one.holding not in held}
        return sorted(key for key in left if (key.epoch + 1) * _DAY <= time)

    def _erase(self, index: int, entry: ErasureEntry) -> None:
        gone = [epoch for epoch in entry.epochs if Key(entry.holding, epoch) in self.destroyed]
        if gone:
            raise EntryError(f"an erasure waits for the key of day {gone[0]}, which was destroyed before it")
        named = self._named.setdefault(entry.holding, set())
        silent = named - set(entry.epochs)
        if silent:
            raise EntryError(f"an erasure leaves out the key of day {min(silent)}, which is not destroyed")
        if not self._marks.isdisjoint(entry.marks):
            raise EntryError("a record is erased that was erased before")
        named.update(entry.epochs)
        self._marks.update(entry.marks)
        self._erasures.append((index, entry))

    def _expire(self, index: int, entry: ExpiryEntry) -> None:
        key = Key(entry.holding, entry.epoch)
        if key in self.destroyed:
            raise EntryError(f"a key is destroyed that entry {self.destroyed[key]} says was destroyed already")
        if entry.epoch * _DAY > entry.time:
            raise EntryError("a key is destroyed before its day")
        if any(one.holding == entry.holding for one in self.holds(entry.time)):
            raise EntryError("a key is destroyed while a hold stands")
        self.destroyed[key] = index
        self._named.get(entry.holding, set()).discard(entry.epoch)

    def _hold(self, entry: HoldEntry) -> None:
        of = entry.holding, entry.authority
        if not entry.time <= entry.until <= entry.time + HOLD_DAYS * _DAY:
            raise EntryError(f"a hold ends before it is written, or more than {HOLD_DAYS} days later")
        if entry.until == entry.time and self._holds.get(of, 0) <= entry.time:
            raise EntryError("a hold is lifted that does not stand")
        self._holds[of] = entry.until

    def _left(self, holding: str, epochs: list[int]) -> tuple[int, ...]:
        return tuple(epoch for epoch in epochs if Key(holding, epoch) not in self.destroyed)


def check_counts(kind: type[Entry], entries: Sequence[Any]) -> None:
    """As many tags as there must be of records or identifiers, in entries of one type. Raises EntryError."""
    if kind in _TAGGED and [one for one in entries if not 0 < one.count <= len(one.tags)]:
        raise EntryError("it has fewer tags than records: each is about somebody")
    if kind is IntakeEntry and [one for one in entries if len(one.tags) > one.count]:
        raise EntryError("it has more tags than identifiers")
