"""Do erasures, keys, holds, freezes and generations stand as the book says? Part of ``fsck`` (SPEC.md sections 5.8, 8.9, 8.10)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from strongroom.errors import SealError
from strongroom.keyholder import protocol
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.ledger import entry
from strongroom.seal.epoch import epoch_text
from strongroom.seal.hpke import private_from

Problem = Callable[[str], None]
K = TypeVar("K")

# A keyholder that runs, or was just stopped, comes to the file after its entry.
_SECONDS_TO_DESTROY = 60


class Life:
    """Takes the book's entries in order, then compares."""

    def __init__(self) -> None:
        self.marks: dict[bytes, int] = {}
        self.expiries: dict[tuple[str, int], tuple[bytes, int, int]] = {}
        self.holds: dict[tuple[str, str], int] = {}
        self.freezes: set[str] = set()
        self.generation = 1

    def add(self, index: int, item: entry.Entry) -> None:
        if isinstance(item, entry.ErasureEntry):
            self.marks |= dict.fromkeys(item.marks, index)
        elif isinstance(item, entry.ExpiryEntry):
            self.expiries[item.holding, item.epoch] = (item.key, index, item.time)
        elif isinstance(item, entry.HoldEntry):
            self.holds[item.holding, item.authority] = item.until
        elif isinstance(item, entry.NoticeEntry):
            self.generation += item.code == "generation"
            if item.code == "freeze":
                self.freezes.add(item.scope)
            elif item.code == "thaw":
                self.freezes.discard(item.scope)

    def check(self, db: sqlite3.Connection, directory: Path, problem: Problem) -> None:
        """Tell ``problem`` where the keyholder's tables, or its key files, are not what the entries say."""
        stones = {bytes(mark): int(index) for mark, index in db.execute("SELECT mark, idx FROM tombstones")}
        _differ(stones, self.marks, lambda mark: f"erased record {mark.hex()[:8]}", problem)
        holds = {
            (name, who): int(until) for name, who, until in db.execute("SELECT holding, authority, until FROM holds")
        }
        _differ(holds, self.holds, lambda key: f"a hold on {key[0]}", problem)
        frozen = {scope for (scope,) in db.execute("SELECT scope FROM freezes")}
        # The book does not say which reader.
        if {scope for scope in frozen if not scope.startswith("reader:")} != self.freezes - {"reader"}:
            problem("keyholder: what is frozen is not what the ledger's notices say")
        row = db.execute("SELECT value FROM state WHERE key = 'generation'").fetchone()
        if int(row[0] if row else b"1") != self.generation:
            problem("keyholder: the generation of its tags is not the one that the ledger's notices say")
        if db.execute("SELECT 1 FROM versions WHERE version < 2").fetchone():
            problem("keyholder: a record's newest version is out of its range")
        self._epochs(db, EpochFiles(directory, bytes), problem)

    def _epochs(self, db: sqlite3.Connection, files: EpochFiles, problem: Problem) -> None:
        there, today = set(files.listed()), int(time.time()) // 86400
        rows = db.execute("SELECT holding, epoch, key, expired FROM epochs ORDER BY holding, epoch").fetchall()
        known = {(name, int(epoch)): (bytes(key), int(index)) for name, epoch, key, index in rows}
        for (holding, epoch), (key, index, written) in self.expiries.items():
            name = f"the key of {holding} for {epoch_text(epoch)}"
            if known.get((holding, epoch)) != (key, index):
                problem(f"keyholder: {name} is destroyed by entry {index}, which its tables do not say")
            if (holding, epoch) in there and written + _SECONDS_TO_DESTROY < time.time():
                problem(
                    f"{files.path(holding, epoch)}: the ledger says that this key is destroyed. Start the keyholder: it destroys it"
                )
        for (holding, epoch), (key, index) in known.items():
            path = files.path(holding, epoch)
            if index >= 0 and (holding, epoch) not in self.expiries:
                problem(f"keyholder: {path.name} is destroyed, and no entry says so")
            elif index < 0 and (holding, epoch) not in there and epoch > today:
                problem(f"{path}: is gone. Restore it, or what is sealed to it stays shut")
            elif index < 0 and (holding, epoch) in there and not _is(path, key):
                problem(
                    f"{path}: not the key that was made for that day. Restore it, or what is sealed to it stays shut"
                )


def _is(path: Path, key: bytes) -> bool:
    try:
        return protocol.epoch_key_hash(private_from(path.read_bytes()).public) == key
    except FileNotFoundError:
        return True  # destroyed since it was listed
    except (OSError, SealError):
        return False


def _differ(stored: dict[K, int], booked: dict[K, int], name: Callable[[K], str], problem: Problem) -> None:
    for key in booked.keys() - stored.keys():
        problem(f"keyholder: {name(key)} stands in the ledger, and the keyholder has forgotten it")
    for key in stored.keys() - booked.keys():
        problem(f"keyholder: {name(key)} stands in no entry of the ledger")
    for key in stored.keys() & booked.keys():
        if stored[key] != booked[key]:
            problem(f"keyholder: {name(key)} is not as the ledger has it")
