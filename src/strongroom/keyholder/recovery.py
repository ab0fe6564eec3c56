"""A book restored from an old copy takes what it lacks from a mirror (SPEC.md section 8.10).

Nothing is believed: the entries must follow this book's own under a checkpoint of its own log key, each of its form and order, the
charters by the chain's rules. All of it is one transaction. What the entries tell is taken from them; what they do not tell is taken
as the worst it can have been: budgets empty, every ask used, counts of persons begun anew in the next generation of tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from strongroom.catalog import charter as documents
from strongroom.errors import LedgerError, StoreError, StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import expiry, rounds
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.inforce import InForce
from strongroom.ledger import charters, checkpoint, entry, note, tile
from strongroom.ledger.directory import Directory

_PAGE = 2048
# How long an ask may be good after its entry: it is dated at most so far ahead of it, and a window is open for days.
_ASK_SECONDS = 700
_WINDOW_SECONDS = asks.WINDOW_DAYS * 86400 + _ASK_SECONDS


@dataclass(frozen=True)
class Source:
    """A mirror of the ledger. ``name`` is for messages; ``checkpoint`` its signed note; ``entries(start, stop)`` gives that
    many in order; ``roster(hash)`` a charter's roster, None where it has none. ``vault``: it is the vault's own mirror, so that
    nothing is missing when all of it is taken."""

    name: str
    checkpoint: str
    entries: Callable[[int, int], Iterable[bytes]]
    roster: Callable[[bytes], bytes | None]
    vault: bool


@dataclass
class Recovered:
    """What was taken. ``generation``: of the tags from here on, 0 while the keyholder waits for the vault's word."""

    entries: int = 0
    charters: int = 0
    erasures: int = 0
    expiries: int = 0
    asks: int = 0
    readers_frozen: bool = False
    generation: int = 0


def published(directory: Path) -> Source:
    """A published ledger's folder (SPEC.md 5.6). It has no rosters. Raises ``StoreError``."""
    folder = Directory(lambda path: (directory / path).read_bytes())
    try:
        signed = folder.note()
        size = checkpoint.parse(note.parse_note(signed).text).size
    except LedgerError as error:
        raise StoreError(f"{directory}: {error}. Name the folder of a published ledger") from None

    def entries(start: int, stop: int) -> Iterable[bytes]:
        for n in range(start // tile.WIDTH, -(-stop // tile.WIDTH)):
            first = n * tile.WIDTH
            page = folder.entries(n, min(tile.WIDTH, size - first))
            yield from page[max(start - first, 0) : stop - first]

    return Source(str(directory), signed, entries, lambda hash_: None, vault=False)


def recover(keyholder: Keyholder, sources: Iterable[Source]) -> Recovered:
    """Take what this book lacks from mirrors, one after the other. The keyholder must not run meanwhile.

    Raises ``StoreError`` when a mirror is no mirror of this book, or of a book that has since gone another way; ``Refused``
    (``clock``) when the clock is behind what was taken. Then nothing is changed.
    """
    found, mirrored = Recovered(), False
    with keyholder.writing():
        for source in sources:
            _Taking(keyholder, source, found).take()
            mirrored |= source.vault
        if found.entries:
            # The rest of it must be newer than all that was taken.
            _begin(keyholder, found, keyholder.now(), mirrored=mirrored)
    if found.entries:
        keyholder.quiet = None if found.generation else rounds.FOREVER
        expiry.adopt(keyholder)
        expiry.sweep(keyholder)
    return found


def _begin(keyholder: Keyholder, found: Recovered, now: int, *, mirrored: bool) -> None:
    store = keyholder.store
    store.begin_anew()
    store.set_state("recovered", str(now).encode())
    keyholder.recovered = now
    if found.readers_frozen:
        store.set_state("refreeze", b"1")
    if mirrored:
        rounds.begin_generation(keyholder, now)
        found.generation = keyholder.generation()
    else:
        # What was answered last may be in the vault's mirror alone: the vault has to say first that it is not.
        store.set_state("recovering", b"1")


class _Taking:
    """One source, entry by entry, into the transaction that is open."""

    def __init__(self, keyholder: Keyholder, source: Source, found: Recovered) -> None:
        self._keyholder, self._source, self._found = keyholder, source, found
        self._book, self._store, self._time = keyholder.book, keyholder.store, keyholder.book.time
        self._chain = charters.Charters()
        for one in keyholder.charters:
            item = entry.parse(self._store.entries(one.index, one.index + 1)[0])
            assert isinstance(item, entry.CharterEntry)
            self._chain.add(item)

    def take(self) -> None:
        size, book = self._book.size, self._book
        log = note.verifier(self._keyholder.keys.log.vkey)
        try:
            at, _ = note.open_checkpoint(self._source.checkpoint, [log])
        except LedgerError as error:
            raise self._error(f"its checkpoint is not signed by this keyholder's log ({error})") from None
        if at.size <= size:
            if book.root(at.size) != at.root:
                raise self._forked(at.size)
            return
        if size and list(self._source.entries(size - 1, size)) != self._store.entries(size - 1, size):
            raise self._forked(size)
        try:
            for page in _pages(self._source.entries(size, at.size)):
                for index, data in enumerate(page, book.size):
                    self._entry(index, data)
                book.extend(page, self._time)
        except LedgerError as error:
            raise self._error(str(error)) from None
        if book.size != at.size:
            raise self._error(f"its entries end at {book.size}, its checkpoint says {at.size}")
        if book.root(at.size) != at.root:
            raise self._forked(size)
        self._found.entries += at.size - size

    def _entry(self, index: int, data: bytes) -> None:
        store, found = self._store, self._found
        try:
            item = entry.parse(data)
        except LedgerError as error:
            raise self._error(f"entry {index}: {error}") from None
        if item.time < self._time:
            raise self._error(f"entry {index}: its time goes back")
        self._time = item.time
        if isinstance(item, entry.CharterEntry):
            self._charter(index, item)
        named = entry.charter_hash_of(item)
        commitment: bytes | None = getattr(item, "commitment", None)
        if named is not None and commitment is not None:
            ruling = self._chain.in_force(item.time)
            if ruling is None or ruling.hash != named:
                raise self._error(f"entry {index}: its charter is not the one in force at its time")
            until = item.time + (_WINDOW_SECONDS if isinstance(item, _MAY_BE_WINDOWS) else _ASK_SECONDS)
            store.lose_ask(commitment, index, until)
            found.asks += 1
        store.lose(entry.entry_tags(item))
        if isinstance(item, entry.ErasureEntry):
            store.erase(item.marks, index)
            found.erasures += item.count
        elif isinstance(item, entry.ExpiryEntry):
            store.expire(item.holding, item.epoch, item.key, index)
            self._keyholder.epochs.forget(item.holding, item.epoch)
            found.expiries += 1
        elif isinstance(item, entry.HoldEntry):
            store.hold(item.holding, item.authority, item.until)
        elif isinstance(item, entry.NoticeEntry):
            self._notice(item)
        elif isinstance(item, entry.HeartbeatEntry):
            store.set_state("heartbeat", str(item.time).encode())

    def _notice(self, item: entry.NoticeEntry) -> None:
        if item.code == "generation":
            self._store.set_state("generation", str(self._keyholder.generation() + 1).encode())
        elif item.scope == "reader":
            self._found.readers_frozen |= item.code == "freeze"
        elif item.code == "freeze":
            self._store.freeze(item.scope)
        elif item.code == "thaw":
            self._store.thaw(item.scope)

    def _charter(self, index: int, item: entry.CharterEntry) -> None:
        try:
            self._chain.add(item)
            document = item.document.encode()
            if not self._keyholder.charters and documents.charter_hash(document) != self._keyholder.genesis:
                raise self._error("its first charter is not the one whose hash the keyholder was given")
            new = documents.parse(document)
            roster = self._roster(new.roster)
            if roster is None:
                raise self._error(
                    f"the roster of charter version {new.version} is not there: a published ledger has none. Recover from the"
                    " vault: strongroom keyholder recover --from vault"
                )
            enacted = InForce(index, item.effective, document, roster)
        except StoreError:
            raise
        except StrongroomError as error:
            raise self._error(f"entry {index}: {error}") from None
        self._store.add_charter(new.version, index, item.effective, document, roster)
        self._keyholder.charters.append(enacted)
        self._found.charters += 1

    def _roster(self, hash_: bytes) -> bytes | None:
        known = (row[3] for row in self._store.charters() if documents.roster_hash(row[3]) == hash_)
        given = next(known, None) or self._source.roster(hash_)
        return given if given is not None and documents.roster_hash(given) == hash_ else None

    def _forked(self, size: int) -> StoreError:
        for first, theirs in enumerate(self._source.entries(0, size)):
            mine = self._store.entries(first, first + 1)[0]
            if theirs != mine:
                return self._error(
                    f"this book and that ledger part at entry {first}: since it was restored, the keyholder has signed entries of"
                    " its own there. Two ledgers cannot be made one. Restore the book from the same copy once more, do not start"
                    " the keyholder, and recover then"
                )
        return self._error("its entries do not give the root that its checkpoint signs")

    def _error(self, text: str) -> StoreError:
        return StoreError(f"{self._source.name}: {text}")


_MAY_BE_WINDOWS = entry.IntakeEntry | entry.ExportEntry | entry.RefusalEntry


def _pages(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(entries)
    while page := list(islice(rest, _PAGE)):
        yield page
