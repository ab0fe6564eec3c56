"""Is everything that both houses hold whole, and do they agree? (DESIGN section 6; ``strongroom fsck``)

Run after a crash, a restore, a doubt. It changes nothing and needs no keyholder to answer; where the keyholder's directory is
readable, its book is checked too and held against the vault's mirror.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from strongroom.custody.book import trusted
from strongroom.custody.room import Room
from strongroom.errors import EntryError, FormatError, SealError, StrongroomError
from strongroom.keyholder import fsck as houses
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.keyholder.fsck import Book, Progress
from strongroom.ledger import checkpoint, confirm, entry, note
from strongroom.ledger.prover import Prover
from strongroom.ledger.rebuild import Rebuild
from strongroom.seal import batch, body, epoch, ids
from strongroom.seal.hpke import HpkePrivate

Problem = Callable[[str], None]

_PAGE, _DAY = 2048, 86400
_MANY = 20  # lines about records of one kind; after that a number says it


def check(root: Path, progress: Progress, problem: Problem, now: int | None = None) -> None:
    """Tell ``problem`` everything wrong with the room under ``root``, one line each. ``now``: in POSIX seconds, the clock's
    unless told.

    Raises ``StoreError`` when there is no vault to check.
    """
    room = Room(root / "vault")
    try:
        _Vault(room, progress, problem).check()
        # The vault's size before the keyholder's book is opened: an entry is there first.
        size = room.mirror.size
        if (root / "keyholder" / "keys.json").exists():
            houses.check(root / "keyholder", progress, problem, lambda book: _compare(room, size, book, problem))
            held = EpochFiles(root / "keyholder", room.random)
            _epochs(room, held, (int(time.time()) if now is None else now) // _DAY, problem)
            _secrets(room, held, progress, problem)
        _published(room, root / "public", problem)
    finally:
        room.close()


class _Vault:
    def __init__(self, room: Room, progress: Progress, problem: Problem) -> None:
        self._room, self._progress, self._problem = room, progress, problem
        # (holding, epoch) whose key the ledger says is destroyed.
        self._destroyed: set[tuple[str, int]] = set()

    def check(self) -> None:
        self._progress("the vault's store", 0, 0)
        for line in self._room.store.problems():
            self._problem(f"vault: {line}")
        self._mirror()
        self._batches()
        self._records()

    def _mirror(self) -> None:
        """Every entry of its form and in order, tiles theirs, the last checkpoint theirs; reasons kept; charters a chain."""
        mirror, store = self._room.mirror, self._room.store
        # The checkpoint first: entries that another process adds meanwhile lie beyond it.
        accepted = mirror.note
        at = checkpoint.parse(note.parse_note(accepted).text) if accepted else None
        size, last, rebuilt = at.size if at else 0, 0, Rebuild(mirror.read_tile)
        if mirror.size != size and mirror.note == accepted:
            self._problem(f"vault: mirror, it holds {mirror.size} entries and has accepted {size}")
        for start in range(0, size, _PAGE):
            try:
                page = mirror.entries(start, min(start + _PAGE, size))
            except StrongroomError as error:
                self._problem(f"vault: {error}")
                return
            for index, data in enumerate(page, start):
                try:
                    item = entry.parse(data)
                except EntryError as error:
                    self._problem(f"vault: mirror, entry {index}: {error}")
                    continue
                if item.time < last:
                    self._problem(f"vault: mirror, entry {index}: its time goes back")
                last = item.time
                if isinstance(item, entry.ExpiryEntry):
                    self._destroyed.add((item.holding, item.epoch))
                commitment: bytes | None = getattr(item, "commitment", None)
                if commitment is not None and store.private(commitment) is None:
                    self._problem(f"vault: the sealed case and reason of entry {index} are not here")
            rebuilt.add(page)
            self._progress("the vault's mirror", start + len(page), size)
        root = rebuilt.root()
        for line in rebuilt.problems:
            self._problem(f"vault: mirror, {line}")
        try:
            if at:
                note.open_checkpoint(accepted, trusted(self._room))
                if at.root != root:
                    self._problem(f"vault: mirror, its {size} entries do not give the checkpoint that it accepted")
            mirror.charters()
        except StrongroomError as error:
            self._problem(f"vault: mirror, {error}")

    def _batches(self) -> None:
        names = {row.number: row.name for row in self._room.store.holdings()}
        lost: Counter[tuple[str, int]] = Counter()
        today = self._room.now() // _DAY
        for row in self._room.store.batches():
            if len(row.sealed) != batch.SEALED_SIZE or row.sealed[:1] != b"\1":
                self._problem(f"vault: batch {row.batch.hex()}: its sealed secret has not the form of one")
            place = names[row.holding], row.epoch
            lost[place] += row.expires > today and place in self._destroyed
        for (name, day), count in sorted(lost.items()):
            if count:
                self._problem(
                    f"vault: {name}: batches sealed to the key of {epoch.epoch_text(day)} when it was destroyed, before their day: "
                    f"{count}; their records are lost. Run strongroom upkeep every day"
                )

    def _records(self) -> None:
        """Every body parses, with the compartments that some charter declared."""
        try:
            charters = [one.charter for one in self._room.mirror.charters()]
        except StrongroomError:
            return  # named above
        for row in self._room.store.holdings():
            declared = {
                frozenset(one.number for one in charter.holdings[row.name].compartments.values())
                for charter in charters
                if row.name in charter.holdings
            }
            wrong = 0
            for done, stored in enumerate(self._room.store.records(row.number), 1):
                text = ""
                try:
                    if frozenset(slot.compartment for slot in body.parse(stored.body)) not in declared:
                        text = "it has not every declared compartment"
                except FormatError as error:
                    text = str(error)
                if text:
                    wrong += 1
                    if wrong <= _MANY:
                        self._problem(
                            f"vault: {row.name}, record {stored.handle.hex()} version {stored.version}: {text}"
                        )
                if done % _PAGE == 0:
                    self._progress(f"records of {row.name}", done, row.versions)
            if wrong > _MANY:
                self._problem(f"vault: {row.name}: and {wrong - _MANY} records more")


def _compare(room: Room, size: int, book: Book, problem: Problem) -> None:
    """One of the two ledgers begins the other."""
    try:
        if size > book.size:
            problem(
                f"the keyholder's ledger ends at {book.size}; the vault has cosigned {size}. It was restored from an old "
                "backup or cut: take the tail from the vault's mirror before anything is asked"
            )
        at = min(size, book.size)
        if at and book.root_at(at) != Prover(room.mirror.read_tile).root(at):
            problem(f"the two houses hold different ledgers: at {at} entries their roots differ")
    except StrongroomError as error:
        problem(f"the two ledgers cannot be compared: {error}")


def _epochs(room: Room, held: EpochFiles, today: int, problem: Problem) -> None:
    """Nothing is sealed to a key that the keyholder does not have, unless its day has come."""
    for row in room.store.holdings():
        for day in room.store.epochs(row.number):
            known, private = room.store.epoch(row.number, day), _private(held, row.name, day)
            if private is None and day > today:
                problem(f"keyholder: no usable key of {row.name}, epoch {day}: what is sealed to it stays shut")
            elif private is not None and known is not None and private.public != known[0]:
                problem(f"keyholder: its key of {row.name}, epoch {day} is not the one the vault seals to")


def _secrets(room: Room, held: EpochFiles, progress: Progress, problem: Problem) -> None:
    """Every batch whose key is there opens with it, as sealed for the records that it has and the day it has."""
    try:
        keyholder = ids.keyholder_id(room.mirror.charters()[0].charter.keyholder.message)
    except StrongroomError:
        return  # named above
    names, total = {row.number: row.name for row in room.store.holdings()}, room.store.count_batches()
    for done, row in enumerate(room.store.batches(), 1):
        name = names[row.holding]
        private = _private(held, name, row.epoch)
        holding = ids.holding_id(room.keys.room, name)
        bound = batch.Bound(room.keys.room, keyholder, holding, row.epoch, row.expires, row.members)
        try:
            if private is not None:
                batch.open_batch_secret(private, bound, row.sealed)
        except SealError:
            problem(
                f"vault: batch {row.batch.hex()} of {name}: the keyholder's key does not open it as of these records and this day"
            )
        if done % _PAGE == 0:
            progress("batches", done, total)


def _private(held: EpochFiles, holding: str, day: int) -> HpkePrivate | None:
    try:
        return held.get(holding, day)
    except StrongroomError:
        return None


def _published(room: Room, public: Path, problem: Problem) -> None:
    """What is published begins, or is, what the vault has verified; and so does what is published as cosigned by it."""
    for path in (public / "checkpoint", public / confirm.PATH):
        if not path.exists():
            continue
        try:
            at, _ = note.open_checkpoint(path.read_text(), trusted(room))
            size = room.mirror.size
            if at.size <= size and Prover(room.mirror.read_tile).root(at.size) != at.root:
                problem(f"{path}: at {at.size} entries it says another root than the vault's mirror")
        except (StrongroomError, OSError, UnicodeDecodeError) as error:
            problem(f"{path}: {error}")
