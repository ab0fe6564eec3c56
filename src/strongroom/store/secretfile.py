"""Files of keys: there whole or not at all, seen by their owner alone, never overwritten (SPEC.md section 9)."""

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


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut, as fsync does a file's bytes."""
    folder = os.open(path, os.O_RDONLY)
    try:
        with naming(path):
            os.fsync(folder)
    finally:
        os.close(folder)
