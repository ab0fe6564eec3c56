"""What a period of the ledger says, gathered entry by entry (SPEC.md section 5.4). No personal data is in an entry, nor here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.errors import StrongroomError
from strongroom.ledger import entry
from strongroom.ledger.entry import Entry

DAY = 86_400


class Key(NamedTuple):
    """What is counted together."""

    type: str
    holding: str
    purpose: str
    unit: str


@dataclass
class Tally:
    """``entries`` of one key, ``records`` in them (of an intake: identifiers), and the first and last entry's index."""

    entries: int = 0
    records: int = 0
    first: int = 0
    last: int = 0

    def add(self, index: int, records: int) -> None:
        self.first = index if not self.entries else self.first
        self.entries, self.records, self.last = self.entries + 1, self.records + records, index


@dataclass(frozen=True, slots=True)
class Chartered:
    """A charter in the ledger; ``charter`` is None where it is of a schema that this program cannot read."""

    index: int
    time: int
    effective: int
    hash: bytes
    charter: Charter | None


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure: final once all ``epochs`` (days) are destroyed."""

    index: int
    time: int
    holding: str
    purpose: str
    unit: str
    records: int
    epochs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Indexed:
    """Any entry that stands alone: expiry, hold, notice."""

    index: int
    entry: Entry


@dataclass
class Facts:
    """Gathered from entries with ``since`` <= time < ``until`` (POSIX seconds); charters, expiries, erasures and holds from the
    beginning on, since what they began may lie in the period. Hand every entry to ``visit`` in order."""

    since: int
    until: int
    tallies: dict[Key, Tally] = field(default_factory=dict)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    charters: list[Chartered] = field(default_factory=list)
    expired: dict[tuple[str, int], Indexed] = field(default_factory=dict)
    erased: list[Erased] = field(default_factory=list)
    holds: list[Indexed] = field(default_factory=list)
    notices: list[Indexed] = field(default_factory=list)
    entries: int = 0
    last: int = 0

    def visit(self, index: int, found: Entry) -> None:
        """Take one entry in."""
        if found.time >= self.until:
            return
        self.last = found.time
        if isinstance(found, entry.CharterEntry):
            document = found.document.encode()
            self.charters.append(
                Chartered(index, found.time, found.effective, charters.charter_hash(document), _parsed(document))
            )
        elif isinstance(found, entry.ExpiryEntry):
            self.expired[found.holding, found.epoch] = Indexed(index, found)
        elif isinstance(found, entry.HoldEntry):
            self.holds.append(Indexed(index, found))
        elif isinstance(found, entry.ErasureEntry):
            place = (found.holding, found.purpose, found.unit)
            self.erased.append(Erased(index, found.time, *place, found.count, tuple(found.epochs)))
        if found.time < self.since:
            return
        self.entries += 1
        if isinstance(found, entry.RefusalEntry):
            self.refused[found.by, found.code] += 1
        elif isinstance(found, entry.NoticeEntry):
            self.notices.append(Indexed(index, found))
        key = key_of(found)
        if key:
            self.tallies.setdefault(key, Tally()).add(index, getattr(found, "count", 1))

    @property
    def charter(self) -> Charter | None:
        """The one in force at the end of the period, where this program can read it."""
        ruling = [each for each in self.charters if each.effective < self.until and each.effective <= self.last]
        return max(ruling, key=lambda each: (each.effective, each.index)).charter if ruling else None

    def pending(self, erased: Erased) -> list[int]:
        """The epochs (days) whose keys must yet be destroyed before an erasure is final."""
        return [epoch for epoch in erased.epochs if (erased.holding, epoch) not in self.expired]


def key_of(found: Entry) -> Key | None:
    """What an asked entry is counted under; None for one that nobody asked for."""
    holding, purpose, unit = (getattr(found, member, "") for member in ("holding", "purpose", "unit"))
    return Key(str(found.__struct_config__.tag), holding, purpose, unit) if purpose else None


def digest(facts: Facts) -> bytes:
    """Canonical JSON of the counts, for programs."""
    return encode(
        [
            {"entries": tally.entries, "records": tally.records, **key._asdict()}
            for key, tally in sorted(facts.tallies.items())
        ]
    )


def _parsed(document: bytes) -> Charter | None:
    try:
        return charters.parse(document)
    except StrongroomError:
        return None
