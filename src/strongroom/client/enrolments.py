"""What a device was enrolled for, kept beside its key: a statement that leaves one of these persons' chains out is no statement (SPEC.md 8.7)."""

from __future__ import annotations

from pathlib import Path

from strongroom.canonical import Codec, encode
from strongroom.errors import InputError
from strongroom.keyholder.protocol import Enrolled
from strongroom.store.secretfile import replace_private

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
    replace_private(_beside(device), encode([*known, new]))


def _beside(device: Path) -> Path:
    return device.with_name(f"{device.name}.enrolled")
