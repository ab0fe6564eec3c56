"""How a keyholder founded on a machine of its own introduces itself: a file of public keys, for the first charter (SPEC.md section 9).

Nothing in it is secret. Whoever changed it on its way would have a charter made that this keyholder refuses, and a hash that is not
the one that the steward reads out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from strongroom.canonical import Bytes16, Codec, Record, encode
from strongroom.catalog.model import KeyholderKeys
from strongroom.catalog.validate import ROOM_NAME
from strongroom.errors import InputError
from strongroom.keyholder import keys


class Introduction(Record):
    """``name`` and ``room`` (16 bytes) are the room's."""

    keyholder: KeyholderKeys
    name: str
    room: Bytes16


_codec: Codec[Introduction] = Codec(Introduction, "the keyholder's public keys", InputError)


def create(directory: Path, name: str, random: Callable[[int], bytes]) -> bytes:
    """Draw a keyholder's keys into ``directory``. Returns its introduction. Raises ``InputError`` for what is no room's name,
    ``StoreError`` if it has keys already."""
    if not ROOM_NAME.fullmatch(name):
        raise InputError("not a room's name. Write one such as riverton.example, in lower case")
    return of(keys.create(directory, random(16), name, random))


def of(own: keys.Keys) -> bytes:
    return encode(Introduction(keyholder=own.public(), name=own.name, room=own.room))


def load(path: Path) -> Introduction:
    """Raises ``InputError``."""
    try:
        return _codec.parse(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: no keyholder's public keys ({error.strerror})") from None
