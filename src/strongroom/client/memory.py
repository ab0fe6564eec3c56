"""The last checkpoint that this client has verified: what makes a rewritten or forked ledger visible to it (SPEC.md section 5.7)."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from strongroom.errors import InputError, LedgerError, naming
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.note import Verifier, open_checkpoint
from strongroom.store.secretfile import replace_private


class Memory(Protocol):
    """Keeps one signed note. Whoever has verified a later one swaps it for the one it was held against, or looks again."""

    def read(self) -> str:
        """Empty where nothing is remembered yet."""

    def swap(self, old: str, new: str) -> bool:
        """Put ``new`` in the place of ``old``; False where another is there by now."""


class InMemory:
    """For one process, as long as it lives. A ledger that is rewritten while it is not running is not seen."""

    def __init__(self) -> None:
        self._note, self._lock = "", threading.Lock()

    def read(self) -> str:
        return self._note

    def swap(self, old: str, new: str) -> bool:
        with self._lock:
            if self._note != old:
                return False
            self._note = new
            return True


class File:
    """A file (0600) that several threads and processes share, replaced whole; beside it ``.lock``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """Raises ``InputError``: it is the only memory there is, so nothing is guessed."""
        try:
            return self._path.read_bytes().decode()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self._path}: cannot be read ({type(error).__name__})") from None

    def swap(self, old: str, new: str) -> bool:
        with self._alone():
            if self.read() != old:
                return False
            replace_private(self._path, new.encode())
            return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with naming(self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def default_path(room: bytes) -> Path:
    """Where it lies unless told otherwise: ``$XDG_STATE_HOME/strongroom``, ``~/.local/state/strongroom``."""
    base = os.environ.get("XDG_STATE_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return root / "strongroom" / f"{room.hex()}.checkpoint"


def remembered(note: str, log: Verifier) -> Checkpoint:
    """What a kept note says. Raises ``InputError``."""
    try:
        return open_checkpoint(note, [log])[0]
    except LedgerError as error:
        raise InputError(
            f"the checkpoint that is kept is not signed by this room's log ({error}). Its anchors or its file are another room's"
        ) from None
