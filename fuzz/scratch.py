"""A file on disk for parsers that are handed a path."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


def file(data: bytes, name: str = "input") -> Path:
    """The path of a file that holds ``data``, until the next one of that name."""
    path = folder() / name
    path.write_bytes(data)
    return path


def folder() -> Path:
    """This process's own: targets are run side by side."""
    return _folder(os.getpid())


@cache
def _folder(process: int) -> Path:
    found = Path(tempfile.mkdtemp(prefix="strongroom-fuzz-"))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    return found
