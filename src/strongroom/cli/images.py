"""Images among what was read: as files in a directory, never as text on a terminal."""

from __future__ import annotations

import base64
from pathlib import Path

from strongroom.cli import writing
from strongroom.custody.opening import Fields
from strongroom.errors import InputError

_ENDINGS = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "webp"))


def prepared(directory: Path) -> Path:
    """``directory``, made where it is missing (mode 0700): before anything is read. Raises ``InputError`` when something
    is in it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise InputError(f"{directory}: has files in it. Name a new or an empty directory")
    return directory


def written(directory: Path, names: frozenset[str], handle: bytes, values: Fields) -> Fields:
    """``values`` with the images in the fields ``names`` as paths to what was written, a file each (mode 0600)."""
    found = dict(values)
    for name, value in values.items():
        if name in names and value is not None:
            content = base64.b64decode(value)
            path = directory / f"{handle.hex()}-{name}.{_ending(content)}"
            with writing.new(path) as file:
                file.write(content)
            found[name] = str(path)
    return found


def word(value: str) -> str:
    """What a table says in the place of an image (base64)."""
    content = base64.b64decode(value)
    return f"{_ending(content)}, {len(content):,} bytes; --images writes it"


def _ending(content: bytes) -> str:
    return next((ending for start, ending in _ENDINGS if content.startswith(start)), "bin")
