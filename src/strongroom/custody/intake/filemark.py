"""A file that is read here: opened with care, and known again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from strongroom.errors import InputError

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileMark:
    """Which file it was and what was in it: ``digest`` is the SHA-256 of its bytes; the times are in nanoseconds.

    ``touched`` changes with everything, a new name or owner included; ``modified`` with the content, and can be set back.
    """

    path: Path
    device: int
    inode: int
    size: int
    modified: int
    touched: int
    digest: bytes

    @classmethod
    def of(cls, path: Path, file: BinaryIO, digest: bytes) -> FileMark:
        found = os.fstat(file.fileno())
        return cls(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, digest)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file. Raises ``InputError`` when it is not the one that was read before."""
        with opened_file(self.path) as file:
            self.check(file)
            yield file

    def check(self, file: BinaryIO) -> None:
        """Raises ``InputError`` when the file was written to since."""
        now = FileMark.of(self.path, file, self.digest)
        if (now.device, now.inode, now.size, now.modified) != (self.device, self.inode, self.size, self.modified):
            raise InputError(f"{self.path.name}: it was changed while it was read. Start again once it is complete")


@contextmanager
def opened_file(path: Path) -> Iterator[BinaryIO]:
    """A regular file, to be read. Raises ``InputError``."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: not a regular file, and it must be read twice")
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    with file:
        yield file


def sha256(file: BinaryIO) -> bytes:
    """Of the file's bytes from where it stands."""
    found = hashlib.sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    return found.digest()
