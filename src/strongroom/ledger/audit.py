"""Verify a whole published ledger, trusting nothing but verifier keys (SPEC.md sections 5 and 6.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.errors import CheckpointError, EntryError, NoteError, TileError
from strongroom.ledger import confirm, tag, tile, tree, witnessed
from strongroom.ledger.charters import Charters, Known, in_force
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.confirm import Confirmed
from strongroom.ledger.directory import Directory, Fetch, find_tags, prove, verify_growth
from strongroom.ledger.entry import CharterEntry, Entry, charter_hash_of, entry_tags, parse
from strongroom.ledger.life import Life
from strongroom.ledger.note import Verifier, open_checkpoint, verifier
from strongroom.ledger.policy import NOBODY, Policy
from strongroom.ledger.rebuild import Rebuild
from strongroom.ledger.witnessed import Witnessed

__all__ = ["Audit", "audit", "find_tags", "prove", "verify_growth"]

FRESH = 3600
"""Seconds for which cosignatures are good where no charter says: what its source says unless told (SPEC.md 6.7)."""

Progress = Callable[[int, int], None]
"""(entries verified, size)."""

Visit = Callable[[int, Entry], None]
"""(index, entry), each once and in order. The root is verified only after the last."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What held. ``counts`` is entries by type, ``times`` of the first and last entry, in POSIX seconds. ``confirmed`` is what the
    vault has cosigned of it; None where no file says so, or no charter names the vault's key. ``witnessed``: which witnesses of
    ``policy``, and when; a quorum of them only where ``quorum`` says so."""

    checkpoint: Checkpoint
    note: str
    signers: tuple[Verifier, ...]
    counts: dict[str, int]
    tags: int
    charters: tuple[Known, ...]
    times: tuple[int, int] | None
    confirmed: Confirmed | None
    life: Life
    """Keys destroyed, holds, and what erasures wait for."""
    policy: Policy
    witnessed: Witnessed

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.checkpoint.root

    @property
    def silent_after(self) -> int | None:
        """POSIX second from which silence means something: two heartbeats after the last entry (SPEC.md 5.4). None where no
        charter states a heartbeat."""
        ruling = in_force(self.charters, self.times[1]) if self.times else None
        return self.times[1] + 2 * ruling.heartbeat if self.times and ruling and ruling.heartbeat else None

    def quorum(self, now: int) -> int:
        """Since when (POSIX seconds) a quorum has cosigned it, within what the charter in force calls fresh. Raises QuorumError."""
        return witnessed.verify(self.witnessed, self.policy, self.fresh, now)

    @property
    def fresh(self) -> int:
        """Seconds for which cosignatures are good, by the charter in force."""
        ruling = in_force(self.charters, self.times[1]) if self.times else None
        return ruling.fresh if ruling and ruling.fresh else FRESH


def audit(
    fetch: Fetch,
    verifiers: Sequence[Verifier],
    origin: str | None,
    progress: Progress | None = None,
    visit: Visit | None = None,
    policy: Policy | None = None,
) -> Audit:
    """Read everything and recompute it: signatures, each tile from the entries below it, the root, each entry's form,
    order and charter, the chain of charters, the lives of keys, the day files; and that it begins with what the vault has cosigned. The verifier keys
    given for the log and its vault must be those of the charter in force at the last entry. ``policy``: whose cosignatures to look
    for, instead of that charter's.

    Raises NoteError, CheckpointError, TileError, EntryError, whose texts name the path or the entry's index.
    """
    directory = Directory(fetch)
    cosigned, before = confirm.read(fetch), witnessed.read(fetch)
    reach = confirm.claimed(cosigned).size if cosigned is not None else 0
    note = directory.note()
    found, signers = open_checkpoint(note, verifiers)
    if origin is not None and found.origin != origin:
        raise CheckpointError(f"checkpoint: of {found.origin}, want {origin}")
    tiles, book, until = _Tiles(directory), _Book(directory, found), 0
    for n in range(-(-found.size // tile.WIDTH)):
        start = n * tile.WIDTH
        entries = directory.entries(n, min(tile.WIDTH, found.size - start))
        tiles.add(entries)
        for index, data in enumerate(entries, start):
            entry = book.add(index, data)
            if index < reach:
                until = entry.time
            if visit:
                visit(index, entry)
        if progress:
            progress(start + len(entries), found.size)
    book.close_day()
    if tiles.root() != found.root:
        raise CheckpointError(f"checkpoint: its root is not that of the {found.size} entries")
    book.check_keys(verifiers)
    confirmed = None
    if cosigned is not None and (keys := book.confirming(verifiers, until)):
        confirmed = Confirmed(confirm.confirm(fetch, cosigned, keys, found), until)
    if policy is None:
        ruling = book.charters.in_force(book.times[1]) if book.times else None
        policy = (ruling.policy if ruling else None) or NOBODY
    log = [one for one in verifiers if one.name == found.origin]
    seen = witnessed.best(fetch, before, found, note, log, policy)
    known = tuple(book.charters.known)
    return Audit(found, note, signers, book.counts, book.tags, known, book.times, confirmed, book.life, policy, seen)


class _Tiles(Rebuild):
    """The tree built anew; the first published tile that is not the entries' own ends the audit."""

    def __init__(self, directory: Directory) -> None:
        super().__init__(lambda level, n: b"")
        self._directory = directory

    def _compare(self, at: tuple[int, int], content: bytes) -> None:
        level, n = at
        width = len(content) // tree.HASH
        published = self._directory.hashes(level, n, width)
        if published != content:
            differs = next(i for i in range(width) if published[i * 32 : i * 32 + 32] != content[i * 32 : i * 32 + 32])
            below = f"entry {n * 256 + differs}" if level == 0 else f"tile {level - 1}/{n * 256 + differs}"
            raise TileError(f"{tile.path(level, n, width)}: its hash {differs} is not that of {below}")


class _Book:
    """What the entries must be to one another, beyond their places in the tree."""

    def __init__(self, directory: Directory, checkpoint: Checkpoint) -> None:
        self._directory, self._checkpoint = directory, checkpoint
        self._day, self._pairs = "", list[tuple[bytes, int]]()
        self._kinds: Counter[type[Entry]] = Counter()
        self.tags = 0
        self.charters = Charters()
        self.life = Life()
        self.times: tuple[int, int] | None = None
        self._ruled: tuple[int, Known | None] = (-1, None)

    @property
    def counts(self) -> dict[str, int]:
        """Entries of each type."""
        return {str(kind.__struct_config__.tag): count for kind, count in self._kinds.items()}

    def add(self, index: int, data: bytes) -> Entry:
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
        if day != self._day:
            self.close_day()
            self._day = day
        self._pairs += [(one, index) for one in entry_tags(entry)]
        self._kinds[type(entry)] += 1
        return entry

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

    def close_day(self) -> None:
        """Compare the day's file with what its entries say."""
        if self._pairs:
            try:
                published, want = self._directory.get(self._day), tag.marshal_day(self._pairs)
                # Whoever publishes may already be past the checkpoint that is being read.
                if published != want:
                    published = tag.marshal_day(p for p in tag.parse_day(published) if p[1] < self._checkpoint.size)
            except EntryError as error:
                raise EntryError(f"{self._day}: {error}") from None
            if published != want:
                raise EntryError(f"{self._day}: differs from what the entries of that day say")
            self.tags += len(self._pairs)
        self._pairs = []
