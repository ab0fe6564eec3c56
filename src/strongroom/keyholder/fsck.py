"""Is the keyholder's own state whole? Read only, beside a keyholder that runs (SPEC.md sections 5, 5.5, 8.4 and 8.5).

No key without a receipt means: each used ask has its entry, each tag in the book is a number of a chain, each number stands in the
book exactly once.
"""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from strongroom.catalog.charter import roster_hash
from strongroom.catalog.rate import parse_rate
from strongroom.errors import EntryError, FormatError, StoreError, StrongroomError
from strongroom.keyholder import keys
from strongroom.keyholder.fsck_life import Life
from strongroom.keyholder.fsck_tags import Tags
from strongroom.ledger import checkpoint, entry, note
from strongroom.ledger.prover import Prover
from strongroom.ledger.rebuild import Rebuild

Progress = Callable[[str, int, int], None]
"""(what is being checked, done, total)."""

_PAGE = 2048


@dataclass(frozen=True)
class Book:
    """What the vault's side is compared with: the size, and the root at any smaller size."""

    size: int
    root_at: Callable[[int], bytes]


def check(directory: Path, progress: Progress, problem: Callable[[str], None], compare: Callable[[Book], None]) -> None:
    """Tell ``problem`` everything wrong, one line each; ``compare`` is called while the book is open, at one moment of it.

    Raises ``StoreError`` when the directory is no keyholder's or cannot be read.
    """
    own, path = keys.load(directory), directory / "keyholder.db"
    if not path.is_file():
        raise StoreError(f"{path}: there is no keyholder's store. Restore it from its backup, then run fsck again")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
        try:
            # One moment of it all, though a keyholder may be writing meanwhile.
            db.execute("BEGIN")
            check_ = _Check(db, own, progress, problem)
            check_.database()
            book = check_.book()
            Tags(db, own.tag, check_.entries, progress, problem).check()
            check_.asks(book.size)
            check_.budgets()
            check_.charters(book.size)
            check_.life.check(db, directory, problem)
            compare(book)
        except sqlite3.Error as error:
            problem(f"keyholder.db: {error}. Restore it from its backup; the ledger tells what is missing")


class _Check:
    def __init__(
        self, db: sqlite3.Connection, own: keys.Keys, progress: Progress, problem: Callable[[str], None]
    ) -> None:
        self._db, self._keys, self._progress, self._problem = db, own, progress, problem
        self.life = Life()

    def database(self) -> None:
        for (line,) in self._db.execute("PRAGMA integrity_check"):
            if line != "ok":
                self._problem(f"keyholder.db: {line}")

    def _tile(self, level: int, n: int) -> bytes:
        row = self._db.execute("SELECT data FROM tiles WHERE level = ? AND n = ?", (level, n)).fetchone()
        return b"" if row is None else bytes(row[0])

    def entries(self) -> Iterator[tuple[int, bytes]]:
        for index, data in self._db.execute("SELECT idx, entry FROM entries ORDER BY idx"):
            yield int(index), bytes(data)

    def book(self) -> Book:
        """Entries in order and of their form, tiles theirs, the published checkpoint a prefix."""
        total = int(self._db.execute("SELECT count(*) FROM entries").fetchone()[0])
        rebuilt, page, time, expected = Rebuild(self._tile), list[bytes](), 0, 0
        for index, data in self.entries():
            if index != expected:
                self._problem(f"keyholder's ledger: entries {expected} to {index - 1} are missing")
                return Book(expected, Prover(self._tile).root)
            expected += 1
            try:
                item = entry.parse(data)
                if item.time < time:
                    self._problem(f"keyholder's ledger: entry {index}: its time goes back")
                time = item.time
                self.life.add(index, item)
            except EntryError as error:
                self._problem(f"keyholder's ledger: entry {index}: {error}")
            page.append(data)
            if len(page) == _PAGE:
                rebuilt.add(page)
                page.clear()
                self._progress("the keyholder's ledger", expected, total)
        rebuilt.add(page)
        rebuilt.root()
        for line in rebuilt.problems:
            self._problem(f"keyholder's ledger: {line}")
        prover = Prover(self._tile)
        row = self._db.execute("SELECT value FROM state WHERE key = 'published'").fetchone()
        if row is not None and row[0]:
            self._published(bytes(row[0]).decode(errors="replace"), expected, prover)
        return Book(expected, prover.root)

    def _published(self, text: str, size: int, prover: Prover) -> None:
        try:
            at = checkpoint.parse(note.parse_note(text).text)
            if at.size > size or prover.root(at.size) != at.root:
                self._problem(f"keyholder: what it published at {at.size} entries is not its ledger")
        except StrongroomError as error:
            self._problem(f"keyholder: its published checkpoint: {error}")

    # --- the rest of the transaction --------------------------------------------------------------------------------
    def asks(self, size: int) -> None:
        """Each used ask has its entry, and it is one that an ask leaves."""
        for (index,) in self._db.execute("SELECT idx FROM asks UNION ALL SELECT idx FROM lost_asks"):
            row = self._db.execute("SELECT entry FROM entries WHERE idx = ?", (index,)).fetchone()
            if row is None:
                self._problem(f"keyholder: a used ask names entry {index}; the ledger ends at {size}")
                continue
            try:
                if entry.charter_hash_of(entry.parse(bytes(row[0]))) is None:
                    self._problem(f"keyholder: a used ask names entry {index}, which no ask leaves")
            except EntryError:
                continue  # named above

    def budgets(self) -> None:
        for key, level, time in self._db.execute("SELECT key, level, time FROM budgets"):
            try:
                rate = parse_rate(str(key).rpartition(":")[2])
            except FormatError:
                self._problem("keyholder: a budget's rate does not parse")
                continue
            if not 0 <= level <= rate.count * 1_000_000 or time < 0:
                self._problem(f"keyholder: a budget of {rate} is out of its range")

    def charters(self, size: int) -> None:
        for version, index, effective, document, roster in self._db.execute("SELECT * FROM charters ORDER BY version"):
            row = self._db.execute("SELECT entry FROM entries WHERE idx = ?", (index,)).fetchone()
            try:
                item = entry.parse(bytes(row[0])) if row else None
            except EntryError:
                item = None
            if not isinstance(item, entry.CharterEntry) or (item.document.encode(), item.effective) != (
                document,
                effective,
            ):
                self._problem(f"keyholder: charter version {version} is not the one in entry {index} of {size}")
            elif f'"roster":"{b64encode(roster_hash(bytes(roster))).decode()}"' not in item.document:
                self._problem(f"keyholder: the roster kept for charter version {version} is not the charter's")
