"""What a device was enrolled for, kept beside its key: a statement that leaves one of these persons' chains out is no statement (SPEC.md 8.7)."""

from __future__ import annotations

import os
from pathlib import Path

from strongroom.canonical import Codec, encode
from strongroom.errors import InputError, naming
from strongroom.keyholder.protocol import Enrolled

_codec: Codec[list[Enrolled]] = Codec(list[Enrolled], "enrolments", InputError)


def load(device: Path) -> list[Enrolled]:
    """Of the device in the file ``device``; none where nothing is kept. Raises ``InputError``."""
    try:
        return _codec.parse(_beside(device).read_bytes())
    except FileNotFoundError:
        return []


def add(device: Path, new: Enrolled) -> None:
    """Remember one more. Enrolled again, it is remembered once. Raises ``InputError``."""
    known = load(device)
    if new in known:
        return
    place, draft = _beside(device), device.with_name(f".{device.name}.enrolled")
    with naming(place), os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(encode([*known, new]))
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, place)


def _beside(device: Path) -> Path:
    return device.with_name(f"{device.name}.enrolled")
