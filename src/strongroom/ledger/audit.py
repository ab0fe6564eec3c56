"""Verify a whole published ledger, trusting nothing but verifier keys (SPEC.md sections 5 and 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.errors import CheckpointError, TileError
from strongroom.ledger import confirm, tile, tree, witnessed
from strongroom.ledger.book import Book
from strongroom.ledger.charters import Known, in_force
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.confirm import Confirmed
from strongroom.ledger.directory import Directory, Fetch, find_tags, prove, verify_growth
from strongroom.ledger.entry import Entry
from strongroom.ledger.life import Life
from strongroom.ledger.note import Verifier, open_checkpoint
from strongroom.ledger.policy import NOBODY, Policy
from strongroom.ledger.rebuild import Rebuild
from strongroom.ledger.witnessed import Witnessed

__all__ = ["Audit", "audit", "find_tags", "prove", "verify_growth"]

FRESH = 3600
"""Seconds for which cosignatures are good where no charter says: what its source says unless told (SPEC.md 6.7)."""

_GROUP = 128
"""Entries that are parsed together. Each has three lists or more, and whenever 700 objects have come to be that may hold others, Python's
collector looks through them, in the end through all that the program has: a fifth of the time that an audit took."""

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
    tiles, book, until = _Tiles(directory), Book(directory, found), 0
    for n in range(-(-found.size // tile.WIDTH)):
        start = n * tile.WIDTH
        entries = directory.entries(n, min(tile.WIDTH, found.size - start))
        tiles.add(entries)
        for at in range(0, len(entries), _GROUP):
            first, parsed = start + at, book.add_all(start + at, entries[at : at + _GROUP])
            if first < reach:
                until = parsed[: reach - first][-1].time
            if visit:
                for index, entry in enumerate(parsed, first):
                    visit(index, entry)
            del parsed  # before the next ones are made
        if progress:
            progress(start + len(entries), found.size)
    book.days.close()
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
    return Audit(
        found, note, signers, book.counts, book.days.tags, known, book.times, confirmed, book.life, policy, seen
    )


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
