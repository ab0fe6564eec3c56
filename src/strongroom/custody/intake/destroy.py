"""Destroying the file that records came in, once somebody has made sure that all of them are sealed and can be opened.

That is for the caller to know: nothing here looks into the vault. What is done here: the file is the one that was read,
unchanged to the byte, and has no second name; it is overwritten where it lies, cut to nothing, and removed, each on disk
before the next. What that is worth depends on what the file lies on, and ``Destroyed.left`` says so, in sentences for people.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from strongroom.custody.intake import filesystem
from strongroom.custody.intake.filemark import FileMark, sha256
from strongroom.custody.intake.source import Format
from strongroom.errors import InputError

_BLOCK = 1 << 20

ALWAYS = "Copies elsewhere stay: backups, snapshots, swap, an editor's or a mail program's own, what others were sent."


@dataclass(frozen=True, slots=True)
class Destroyed:
    """``left``: what may be left of it all the same."""

    path: Path
    size: int
    left: tuple[str, ...]


def refusal(format: Format, mark: FileMark | None) -> str:
    """Why a source of this kind is never destroyed here, and what to do instead; empty where it can be."""
    if format == "sqlite":
        return (
            "a database holds more than the table that was read, and keeps pages of what was deleted. Delete the rows with "
            "its own program (PRAGMA secure_delete=ON, then VACUUM), or shred the whole file, -wal and -journal included"
        )
    if mark is None:
        return (
            "rows of a database are not overwritten from outside: old versions of them stay in its files, its log and its "
            "backups. Have its keeper drop the table, VACUUM, and let log archives and backups expire"
        )
    return ""


def check(mark: FileMark) -> None:
    """What can be told of a file before its import begins. Raises ``InputError``."""
    with _held(mark):
        pass


def destroy(mark: FileMark, random: Callable[[int], bytes] = os.urandom) -> Destroyed:
    """Overwrite the file of ``mark`` once, with random bytes, and remove it. No more is asked of a disk today (NIST SP
    800-88); where once is not enough, no number of times is. Nothing may have it open, the caller neither.

    Raises ``InputError``: nothing was done; or, from the overwriting on, in part, and the text says so.
    """
    with _held(mark) as (descriptor, folder):
        if _is_open_elsewhere(descriptor):
            raise InputError(f"{mark.path}: a program has it open, and may still write to it. Close it there first")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            if sha256(file) != mark.digest:
                raise InputError(f"{mark.path}: {_CHANGED}")
        left = (*filesystem.left_behind(mark.path, descriptor), ALWAYS)
        # From here on it is another file at each step, so what would stop it was looked for before.
        try:
            _overwrite(descriptor, mark.size, random)
            os.ftruncate(descriptor, 0)
            os.fsync(descriptor)
            _is_still_there(mark, folder)
            os.unlink(mark.path.name, dir_fd=folder)
            os.fsync(folder)
        except OSError as error:
            raise InputError(
                f"{mark.path}: it could not be destroyed whole ({error.strerror}). A part of it is overwritten, the rest may be "
                "readable: mend that, and remove the file yourself. Its records are sealed"
            ) from None
        return Destroyed(mark.path, mark.size, left)


_CHANGED = "it was changed since it was read, and what is new in it is nowhere else. Import it again"


def _overwrite(descriptor: int, size: int, random: Callable[[int], bytes]) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    at = 0
    while at < size:
        at += os.write(descriptor, random(min(_BLOCK, size - at)))
    os.fsync(descriptor)


@contextmanager
def _held(mark: FileMark) -> Iterator[tuple[int, int]]:
    """Descriptors of the file and of its folder. Raises ``InputError`` when it is not what it was, or not alone."""
    path = mark.path
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be opened ({error.strerror})") from None
    try:
        # A fifo's or a device's opening may wait or do something: what it is comes first.
        _looked_at(path, os.stat(path.name, dir_fd=folder, follow_symlinks=False))
        descriptor = os.open(path.name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        os.close(folder)
        raise InputError(f"{path}: cannot be written to, so not destroyed ({error.strerror})") from None
    except BaseException:
        os.close(folder)
        raise
    try:
        found = os.fstat(descriptor)
        _looked_at(path, found)
        now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if now != (mark.device, mark.inode, mark.size, mark.modified, mark.touched):
            raise InputError(f"{path}: {_CHANGED}")
        if not os.access(".", os.W_OK, dir_fd=folder):
            raise InputError(f"{path.parent}: this user may not remove files from it")
        yield descriptor, folder
    finally:
        os.close(descriptor)
        os.close(folder)


def _looked_at(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise InputError(f"{path}: a symbolic link. Name the file itself, so that it is clear what is destroyed")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: no regular file, so it is not destroyed")
    if found.st_nlink > 1:
        raise InputError(
            f"{path}: it has {found.st_nlink} names (hard links). Remove the others first, if nobody needs them"
        )


def _is_open_elsewhere(descriptor: int) -> bool:
    """Whether there is another opening of the file, so far as this system tells: Linux gives a write lease to one alone."""
    try:
        # Were somebody to open it just now, the kernel would send a signal, and its own choice ends the process.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except AttributeError:
        return False
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _is_still_there(mark: FileMark, folder: int) -> None:
    """Raises ``OSError`` when its name has come to be another file's."""
    found = os.stat(mark.path.name, dir_fd=folder, follow_symlinks=False)
    if (found.st_dev, found.st_ino) != (mark.device, mark.inode):
        raise OSError(0, "another file took its name meanwhile, and was left")
