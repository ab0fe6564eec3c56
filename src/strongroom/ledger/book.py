"""What the entries of a ledger must be to one another, beyond their places in the tree (SPEC.md sections 5.4, 5.6 and 5.8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from strongroom.errors import EntryError, NoteError
from strongroom.ledger import confirm, tag
from strongroom.ledger.charters import Charters, Known
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.days import Days
from strongroom.ledger.directory import Directory
from strongroom.ledger.entry import CharterEntry, Entry, by_kind, charter_hash_of, charter_hashes_of, parse, parse_all
from strongroom.ledger.life import TOLD, Life, check_counts
from strongroom.ledger.note import Verifier, verifier

__all__ = ["Book"]


class Book:
    """Takes all entries in order and refuses one that contradicts those before it, or a file of tags that is not theirs."""

    def __init__(self, directory: Directory, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._kinds: Counter[type[Entry]] = Counter()
        self.days = Days(directory, checkpoint.size)
        self.charters = Charters()
        self.life = Life()
        self.times: tuple[int, int] | None = None
        self._ruled: tuple[int, Known | None] = (-1, None)

    @property
    def counts(self) -> dict[str, int]:
        """Entries of each type."""
        return {str(kind.__struct_config__.tag): count for kind, count in self._kinds.items()}

    def add(self, index: int, data: bytes) -> Entry:
        """Raises EntryError, TileError, whose texts name the index or the path."""
        try:
            entry = parse(data)
            self._order(entry)
            if isinstance(entry, CharterEntry):
                self._charter(entry)
            self._rule(entry)
            self.life.add(index, entry)
            day = tag.day_path(entry.time)
        except EntryError as error:
            raise EntryError(f"entry {index}: {error}") from None
        self.days.begin(day)
        self.days.add(_lines(index, [entry]))
        self._kinds[type(entry)] += 1
        return entry

    def add_all(self, start: int, data: Sequence[bytes]) -> list[Entry]:
        """As ``add`` of each from index ``start`` on, in half the time where they are of one day and under one charter, as most are."""
        try:
            entries = parse_all(data)
            kinds = by_kind(entries)
            self._check_all(entries, kinds)
        except EntryError:
            # Something is wrong, or another day or charter begins: one by one is found which.
            return [self.add(index, one) for index, one in enumerate(data, start)]
        if not kinds.keys().isdisjoint(TOLD):
            for index, entry in enumerate(entries, start):
                if isinstance(entry, TOLD):
                    self._live(index, entry)
        self.times = self.times and (self.times[0], entries[-1].time)
        self.days.add(_lines(start, entries))
        self._kinds.update({kind: len(those) for kind, those in kinds.items()})
        return entries

    def _check_all(self, entries: Sequence[Entry], kinds: Mapping[type[Entry], Sequence[Entry]]) -> None:
        """What ``add`` checks of each, and that they are of the day and charter that the one before them was. Changes nothing.

        Raises EntryError, which does not say of which.
        """
        times = [one.time for one in entries]
        if not times or not self.times or [self.times[1], *times] != sorted([self.times[1], *times]):
            raise EntryError("a time is before that of the entry before it")
        if {tag.day_path(times[0]), tag.day_path(times[-1])} != {self.days.path}:
            raise EntryError("a day begins")
        ruling = self.charters.in_force(times[0])
        if CharterEntry in kinds or self.charters.in_force(times[-1]) is not ruling:
            raise EntryError("another charter is written or in force")
        for kind, those in kinds.items():
            if not charter_hashes_of(kind, those) <= {ruling.hash if ruling else b""}:
                raise EntryError("a charter is not the one in force")
            check_counts(kind, those)

    def _live(self, index: int, entry: Entry) -> None:
        try:
            self.life.add(index, entry)
        except EntryError as error:
            raise EntryError(f"entry {index}: {error}") from None

    def _order(self, entry: Entry) -> None:
        first, last = self.times or (entry.time, entry.time)
        if entry.time < last:
            raise EntryError("its time is before that of the entry before it")
        self.times = first, entry.time

    def _charter(self, entry: CharterEntry) -> None:
        name = self.charters.add(entry).name
        self._ruled = (-1, None)
        if f"{name}/ledger" != self._checkpoint.origin:
            raise EntryError(f"charter: of {name}, in the ledger {self._checkpoint.origin}")

    def _rule(self, entry: Entry) -> None:
        named = charter_hash_of(entry)
        if named is None:
            return
        # Of one second there are many; no charter is looked for twice. One that comes within it counts from then on.
        if self._ruled[0] != entry.time:
            self._ruled = entry.time, self.charters.in_force(entry.time)
        ruling = self._ruled[1]
        if ruling is None or named != ruling.hash:
            raise EntryError("its charter is not the one in force at its time")

    def check_keys(self, verifiers: Sequence[Verifier]) -> None:
        """Keys from elsewhere than the charters, such as ``vkeys``, prove nothing of a ledger that names others."""
        ruling = self.charters.in_force(self.times[1]) if self.times else None
        stated = {vkey.partition("+")[0]: vkey for vkey in ruling.vkeys} if ruling else {}
        for one in verifiers:
            if stated.get(one.name, one.vkey) != one.vkey:
                raise NoteError(f"{one.name}: the verifier key given is not the one in the charter in force")

    def confirming(self, verifiers: Sequence[Verifier], time: int) -> list[Verifier]:
        """The log's key and the vault's, as the charter in force at ``time`` states it; none where the vault's is not known."""
        origin, ruling = self._checkpoint.origin, self.charters.in_force(time)
        stated = [vkey for vkey in (ruling.vkeys if ruling else ()) if vkey.partition("+")[0] == f"{origin}/vault"]
        vault = confirm.vaults([verifier(vkey) for vkey in stated] or verifiers, origin)
        return [*[one for one in verifiers if one.name == origin], *vault] if vault else []


def _lines(start: int, entries: Sequence[Entry]) -> list[bytes]:
    """What the file of their day says of entries from index ``start`` on."""
    places = [index.to_bytes(8, "big") for index in range(start, start + len(entries))]
    return [one + place for entry, place in zip(entries, places, strict=True) for one in getattr(entry, "tags", ())]
