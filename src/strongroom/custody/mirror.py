"""The vault as mirror and cosigner: it keeps every entry, and believes no checkpoint it has not recomputed (SPEC.md section 5).

What it has once cosigned it never goes back on: a keyholder that drops, changes, cuts or forks the ledger is found here first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.custody.recent import Recent
from strongroom.errors import CheckpointError, EntryError, StoreError, StrongroomError
from strongroom.ledger import checkpoint, entry, note, policy, proof, tile, tree
from strongroom.ledger.cosignature import Cosigner
from strongroom.ledger.entry import Entry
from strongroom.ledger.life import Life
from strongroom.store import mirror as kept

# (start, limit) -> entries: asks the keyholder for more of the ledger.
Fetch = Callable[[int, int], Sequence[str]]

_PAGE = 1000

AHEAD_SECONDS = 150
"""How far an entry's time may be past the vault's own clock: else one wrong clock, the keyholder's, would bring a charter into force
before its delay is over (SPEC.md section 8.3)."""


@dataclass(frozen=True)
class Enacted:
    """A charter of the ledger: its entry's index, the time it takes effect, its hash and itself."""

    index: int
    effective: int
    hash: bytes
    charter: Charter


class Mirror:
    """``genesis`` and ``log`` (vkey) are the trust anchors of the room; ``now`` gives the vault's own time in seconds."""

    def __init__(
        self, store: kept.Mirror, genesis: bytes, log: str, cosigner: Cosigner, now: Callable[[], int]
    ) -> None:
        self._store, self._genesis, self._cosigner, self._now = store, genesis, cosigner, now
        self._log = note.verifier(log)
        self._charters: list[Enacted] = []
        self._charters_of = 0
        self._recent = Recent(store, 0)
        self._lives = _Lives(store)

    @property
    def size(self) -> int:
        return self._store.size()

    @property
    def note(self) -> str:
        """The last checkpoint accepted, signed by the log and by us; empty at first."""
        return self._store.checkpoint().decode()

    @property
    def cosignature(self) -> str:
        """Our line under it; it travels with the next request."""
        return self.head()[2]

    def head(self) -> tuple[int, bytes, str]:
        """Size and root (32 bytes) of the last checkpoint accepted, and our cosignature under it; of one moment."""
        return self._now_held().head()

    @property
    def time(self) -> int:
        """Time of the last entry: the ledger's own time, as far as the vault knows it."""
        return self._now_held().time

    def _now_held(self) -> Recent:
        size = self._store.size()
        if self._recent.size != size:
            self._recent = Recent(self._store, size)
        return self._recent

    def forget(self) -> None:
        """What was added last did not come to be stored, since a transaction around it failed."""
        self._lives.forget()
        self._charters, self._charters_of = [], 0
        self._recent = Recent(self._store, 0)

    def parsed(self, index: int) -> Entry:
        """Raises ``StoreError`` when the mirror does not reach so far."""
        return self._recent.entry(index)

    def receipt(self, index: int, size: int, signed: str) -> str:
        """C2SP tlog-proof that an entry is among the first ``size``, under ``signed``, which was accepted: the tiles here gave its root.
        Raises ``ProofError``, ``TileError``."""
        hashes = self._recent.prover.inclusion(index, size)
        return proof.Proof(index, tuple(hashes), signed).marshal()

    def entry(self, index: int) -> bytes:
        return self._store.entries(index, index + 1)[0]

    def entries(self, start: int, stop: int) -> list[bytes]:
        """Raises ``StoreError`` when the mirror does not reach so far."""
        return self._store.entries(start, stop)

    def read_tile(self, level: int, n: int) -> bytes:
        return self._store.read_tile(level, n)

    def accept(self, signed: str, entries: Sequence[str], start: int, fetch: Fetch) -> checkpoint.Checkpoint:
        """Take a checkpoint with the entries from ``start`` on, and cosign it. ``start`` is what the mirror held when it asked.

        Raises ``NoteError`` (not the log's signature), ``CheckpointError`` (it contradicts what this mirror holds, its
        entries do not give its root, or a charter breaks the chain) or ``EntryError`` (of its form, out of order, dated ahead of our
        clock, or against the rules of SPEC 5.8). Then nothing is taken.
        """
        at, _ = note.open_checkpoint(signed, [self._log])
        if f"{at.origin}/vault" != self._cosigner.name:
            raise CheckpointError(f"a checkpoint of another ledger: {at.origin}")
        # A smaller one may only have been overtaken on its way, but none that was asked for with ``start`` in hand.
        if at.size < start:
            raise CheckpointError(f"the ledger was cut: it had {start} entries, and now ends at {at.size}")
        while True:
            held = self._now_held()
            size = held.size
            if at.size <= size:
                if held.prover.root(at.size) != at.root:
                    raise CheckpointError(f"at size {at.size} the ledger now says another root than this mirror holds")
                if at.size < size or self.note:
                    return at
            fresh = self._missing(at.size, size, start, entries, fetch)
            items = self._verify(held, fresh)
            edge, leaves = held.edge(), [tree.leaf_hash(data) for data in fresh]
            edge.extend(leaves)
            if edge.root() != at.root:
                raise CheckpointError(f"the entries up to {at.size} do not give the root that the checkpoint signs")
            self._lives.add(size, items)
            changed = tile.append(held.read_tile, size, leaves)
            text = at.marshal()
            line = self._cosigner.cosign(text, max(self._now(), 0))
            signatures = note.parse_note(signed).signatures
            own = next(
                one for one in signatures if (one.name, one.key_id) == (self._log.name, self._log.key_id)
            ).marshal()
            try:
                self._store.append(size, fresh, changed, f"{text}\n{own}{line}".encode())
            except StoreError:
                self._lives.forget()
                if self._store.size() == size:
                    raise
                continue  # another process of the vault was first: look again
            held.grown(changed, items, edge, at.root, line)
            return at

    def _missing(self, wanted: int, size: int, start: int, entries: Sequence[str], fetch: Fetch) -> list[bytes]:
        got = [item.encode() for item in entries[size - start : wanted - start]] if start <= size else []
        while size + len(got) < wanted:
            more = fetch(size + len(got), min(_PAGE, wanted - size - len(got)))
            if not more:
                raise CheckpointError(f"the checkpoint is of size {wanted}, but entries end at {size + len(got)}")
            got += [item.encode() for item in more]
        return got[: wanted - size]

    def _verify(self, held: Recent, fresh: Sequence[bytes]) -> list[Entry]:
        # Of the first ``size`` entries alone: another process may have added more meanwhile.
        time, size = held.time, held.size
        known = [item for item in self._charters_at(size) if item.index < size]
        latest = self._now() + AHEAD_SECONDS
        items = [entry.parse(data) for data in fresh]
        for index, item in enumerate(items, size):
            if item.time < time:
                raise EntryError(f"entry {index}: its time goes back")
            time = item.time
            if time > latest:
                raise EntryError(
                    f"entry {index} is dated {time - latest + AHEAD_SECONDS:,} s ahead of the vault's clock: nothing is taken until the "
                    "clock that is wrong, the keyholder's or the vault's, is mended"
                )
            if isinstance(item, entry.CharterEntry):
                known.append(enact(index, item, known, self._genesis))
            named = entry.charter_hash_of(item)
            if named is not None and in_force(known, time).hash != named:
                raise EntryError(f"entry {index}: its charter is not the one in force at its time")
        return items

    # --- charters --------------------------------------------------------------------------------------------------
    def charters(self) -> list[Enacted]:
        """Every charter of the ledger, its chain of versions, hashes and signatures verified. Raises ``CheckpointError``."""
        return self._charters_at(self._store.size())

    def _charters_at(self, size: int) -> list[Enacted]:
        if self._charters_of < size:
            after = self._charters[-1].index if self._charters else -1
            for index in self._store.charters(after):
                self._charters.append(self._enact(index))
            self._charters_of = size
        return self._charters

    def _enact(self, index: int) -> Enacted:
        item = entry.parse(self.entry(index))
        assert isinstance(item, entry.CharterEntry)
        return enact(index, item, self._charters, self._genesis)

    def in_force(self, now: int) -> Enacted:
        """The charter in force by the ledger's own time, or at ``now`` where that is ahead. Raises ``CheckpointError`` when there is none yet."""
        held = self._now_held()
        return in_force(self._charters_at(held.size), max(held.time, now))


class _Lives:
    """Holds entries against those before them by the rules of SPEC 5.8, as everybody will who reads the ledger.

    What most entries must be to others is nothing, and costs nothing. At the first erasure, expiry, hold or notice the earlier ones are
    read out of the mirror; from then on they are remembered.
    """

    def __init__(self, store: kept.Mirror) -> None:
        self._store = store
        self._life, self._size = Life(), 0

    def forget(self) -> None:
        """What was added did not come to be stored."""
        self._life, self._size = Life(), 0

    def add(self, start: int, items: Sequence[entry.Entry]) -> None:
        """Raises ``EntryError``."""
        if reading := any(_tells_of_lives(item) for item in items):
            self._read(start)
        try:
            for index, item in enumerate(items, start):
                _add(self._life, index, item)
        except EntryError:
            self.forget()
            raise
        if reading:
            self._size = start + len(items)

    def _read(self, size: int) -> None:
        if self._size > size:
            self.forget()
        told = [*self._store.lives(self._size, size), *self._store.erasures(self._size, size)]
        for index, data in sorted(told):
            _add(self._life, index, entry.parse(data))
        self._size = size


def _tells_of_lives(item: entry.Entry) -> bool:
    return isinstance(item, entry.ErasureEntry | entry.ExpiryEntry | entry.HoldEntry | entry.NoticeEntry)


def _add(life: Life, index: int, item: entry.Entry) -> None:
    try:
        life.add(index, item)
    except EntryError as error:
        raise EntryError(f"entry {index}: {error}") from None


def enact(index: int, item: entry.CharterEntry, before: Sequence[Enacted], genesis: bytes) -> Enacted:
    """Verify that a charter entry may stand after those before it. Raises ``CheckpointError``."""
    document = item.document.encode()
    hash_ = charters.charter_hash(document)
    try:
        new = charters.parse(document)
        policy.of_charter(new)
        charters.verify(document, item.signature, item.steward)
        if not before:
            if hash_ != genesis:
                raise CheckpointError("the first charter is not the one this room was founded with")
            stewards, earliest = new.stewards, item.time
        else:
            last = before[-1]
            # Before any is in force, the one written last counts (SPEC.md 6.5).
            current = next((one for one in reversed(before) if one.effective <= item.time), last).charter
            charters.successor(last.charter, charters.document(last.charter), new)
            stewards, earliest = current.stewards, max(item.time + current.delay, last.effective)
        if item.steward not in stewards:
            raise CheckpointError("signed by a key that was no steward's")
        if item.effective < earliest:
            raise CheckpointError("in effect before its public delay is over")
    except StrongroomError as error:
        raise CheckpointError(f"charter in entry {index}: {error}") from None
    return Enacted(index, item.effective, hash_, new)


def in_force(charters_: Sequence[Enacted], now: int) -> Enacted:
    effective = [item for item in charters_ if item.effective <= now]
    if not effective:
        raise CheckpointError("no charter is in force yet")
    return effective[-1]
