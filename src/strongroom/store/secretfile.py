"""Files for their owner alone, there whole or not at all: keys, never overwritten, and what is remembered (SPEC.md section 9)."""

from __future__ import annotations

import os
from pathlib import Path

from strongroom.errors import StoreError, naming


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that only its owner reads, whole or not at all, durably. Raises ``StoreError`` if it exists: keys are never
    overwritten."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with naming(path), os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A link does not take the place of a file that is there, as a renaming does.
        os.link(draft, path)
    except FileExistsError:
        raise StoreError(f"{path}: exists already, and keys are never overwritten. Choose another directory") from None
    finally:
        draft.unlink()
    sync_folder(path.parent)


def replace_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads in the place of the one that is there, whole or not at all, durably. Who might write it at
    the same time is for the caller to keep out. Raises ``OSError``, with the file named."""
    draft = path.with_name(f".{path.name}.new")
    with naming(path):
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            # Without it a power cut could leave an empty file in the old one's place.
            os.fsync(file.fileno())
        draft.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut, as fsync does a file's bytes."""
    folder = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(folder)
    finally:
        os.close(folder)
