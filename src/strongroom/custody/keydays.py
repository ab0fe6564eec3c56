"""What the ledger says of a room's epoch keys: which are destroyed, which holds stand (SPEC.md sections 5.4, 8.9)."""

from __future__ import annotations

from dataclasses import dataclass, field

from strongroom.custody.room import Room
from strongroom.keyholder import protocol
from strongroom.ledger import entry


@dataclass
class Days:
    """Of one holding. ``destroyed``: epoch -> index of the entry that says so; ``false``: indexes of entries that name another key
    than the one the vault sealed to; ``holds``: authority -> until (POSIX seconds)."""

    destroyed: dict[int, int] = field(default_factory=dict)
    false: list[int] = field(default_factory=list)
    holds: dict[str, int] = field(default_factory=dict)

    def held_until(self, now: int) -> int | None:
        """When the last of the holds ends that stand at ``now``; None where there is none."""
        return max((until for until in self.holds.values() if until > now), default=None)


class KeyDays:
    """Read out of the mirror, and on from there when asked again. An object belongs to its room's thread."""

    def __init__(self, room: Room) -> None:
        self._room, self._size = room, 0
        self._of: dict[str, Days] = {}
        self.generation: int | None = None
        """Index of the last notice that the keyholder was restored (SPEC 8.10)."""

    def of(self, holding: str) -> Days:
        """Up to what the mirror has now."""
        self.read()
        return self._of.setdefault(holding, Days())

    def read(self) -> None:
        """Take in the entries that came since."""
        size = self._room.mirror.size
        for index, data in self._room.store.mirror.lives(self._size, size):
            self._take(index, entry.parse(data))
        self._size = size

    def _take(self, index: int, item: entry.Entry) -> None:
        if isinstance(item, entry.ExpiryEntry):
            days = self._of.setdefault(item.holding, Days())
            if self._is_known_key(item):
                days.destroyed.setdefault(item.epoch, index)
            else:
                days.false.append(index)
        elif isinstance(item, entry.HoldEntry):
            self._of.setdefault(item.holding, Days()).holds[item.authority] = item.until
        elif isinstance(item, entry.NoticeEntry) and item.code == "generation":
            self.generation = index

    def _is_known_key(self, item: entry.ExpiryEntry) -> bool:
        """Of keys that we sealed to ourselves we know the public half. Others were only ever resealed to."""
        number = next((row.number for row in self._room.store.holdings() if row.name == item.holding), None)
        known = self._room.store.epoch(number, item.epoch) if number is not None else None
        return known is None or protocol.epoch_key_hash(known[0]) == item.key
