"""Files that a command leaves: whole in their place, or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from strongroom.errors import InputError, naming


def put(path: Path, content: str | bytes, mode: int = 0o666) -> None:
    """Write ``path`` whole, in the place of the file that is there; on disk when this returns."""
    path, data = path.resolve(), content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        # A terminal, a pipe: it stays what it is.
        path.write_bytes(data)
        return
    with _drafted(path, mode) as (file, draft):
        file.write(data)
        _settle(file)
        draft.replace(path)


@contextmanager
def new(path: Path) -> Iterator[IO[bytes]]:
    """A file (mode 0600) to be written; it has its name when all of it is there. Raises ``InputError`` where there is one."""
    with _drafted(path, 0o600) as (file, draft):
        _is_new(path)
        yield file
        _settle(file)
        try:
            # A link does not take the place of a file that is there, as a renaming does.
            os.link(draft, path)
        except FileExistsError:
            _is_new(path)


@contextmanager
def _drafted(path: Path, mode: int) -> Iterator[tuple[IO[bytes], Path]]:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with naming(path), os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file, draft
    finally:
        draft.unlink(missing_ok=True)


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _is_new(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise InputError(f"{path}: is there already. Name another file, or remove it")
