"""The keyholder's directory: its one writer, its address, how it is opened."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strongroom.canonical import Bytes32, Codec, Record, encode
from strongroom.errors import StoreError
from strongroom.keyholder import keys
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.keyholder.store import Store


class Ceremony(Record):
    """What the keyholder was told by hand at the start: the hash of the first charter."""

    genesis: Bytes32


_ceremony: Codec[Ceremony] = Codec(Ceremony, "keyholder's ceremony.json", StoreError)


def remember_genesis(directory: Path, genesis: bytes) -> None:
    """Write the first charter's hash, once, and begin the book."""
    Store(directory / "keyholder.db").close()
    keys.write_secret(directory / "ceremony.json", encode(Ceremony(genesis=genesis)))


def begin(directory: Path, genesis: bytes) -> None:
    """As ``remember_genesis``, for a keyholder that has its keys and nothing else. Raises ``StoreError``."""
    keys.load(directory)
    with lock(directory):
        if (directory / "ceremony.json").exists():
            raise StoreError(f"{directory}: was told its first charter's hash before, and it does not change")
        remember_genesis(directory, genesis)


def open_keyholder(directory: Path, public: Path, clock: Clock | None = None) -> Keyholder:
    """Raises ``StoreError`` when the directory is not a keyholder's."""
    own = keys.load(directory)
    try:
        genesis = _ceremony.parse((directory / "ceremony.json").read_bytes()).genesis
    except OSError as error:
        raise StoreError(
            f"{directory}: the first charter's hash was never brought here ({error.strerror}). Run `strongroom init`"
        ) from None
    if not (directory / "keyholder.db").is_file():
        # An empty one would begin a second ledger under the same keys, with every used ask and erasure forgotten.
        raise StoreError(f"{directory}: the book, keyholder.db, is gone. Restore its newest copy")
    store = Store(directory / "keyholder.db")
    try:
        return Keyholder(store, own, EpochFiles(directory, os.urandom), genesis, public, clock)
    except sqlite3.Error as error:
        store.close()
        raise store.failed(error) from None


@contextmanager
def lock(directory: Path) -> Iterator[None]:
    """One process holds the book. Raises ``StoreError`` when another does."""
    if not directory.is_dir():
        raise StoreError(f"{directory}: no keyholder here. Run `strongroom init` first")
    with open(directory / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{directory}: a keyholder runs on this already. Stop it first") from None
        yield


def runs(directory: Path) -> bool:
    """Whether a process holds this keyholder's book."""
    try:
        with lock(directory):
            return False
    except StoreError:
        return directory.is_dir()


def write_address(directory: Path, address: str) -> None:
    draft = directory / ".address.draft"
    draft.write_text(address + "\n")
    os.replace(draft, directory / "address")
