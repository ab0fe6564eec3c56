"""Founding a room whose keyholder is elsewhere: the custodian's half of the ceremony (SPEC.md section 9).

The keyholder's public keys come in a file. The hash of the charter that names them goes to the keyholder by hand. Only then does it
take that charter, and no other, as its first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from strongroom.canonical import Codec, encode
from strongroom.catalog import source as sources
from strongroom.custody.ceremony import First, Progress, first_charter, whole
from strongroom.custody.findings import sound
from strongroom.custody.room import Room
from strongroom.errors import InputError
from strongroom.keyholder import line
from strongroom.keyholder.introduction import Introduction
from strongroom.store.secretfile import write_secret

FIRST = Path("steward") / "first-charter.json"
"""The first charter, signed, until the keyholder has it."""

_first: Codec[First] = Codec(First, "the first charter", InputError)


def found(
    root: Path,
    source: sources.Source,
    keyholder: Introduction,
    address: str,
    random: Callable[[int], bytes],
    progress: Progress,
) -> bytes:
    """Make the vault and the steward's keys under ``root``, and the first charter. Returns its hash, which the keyholder is to be told.

    Raises ``InputError`` for a room that is there, another room's keyholder or a wrong ``address``, ``CatalogError``.
    """
    line.parse(address)
    sound(source)
    if source.name != keyholder.name:
        raise InputError(
            f"the charter is {source.name}'s, and the keyholder was made for {keyholder.name}. Make both one name's"
        )

    def make(draft: Path) -> bytes:
        progress("drawing the vault's and the steward's keys")
        first = first_charter(draft, source, keyholder.room, keyholder.keyholder, address, random, progress)
        write_secret(draft / FIRST, encode(first))
        return first.genesis

    return whole(root, ("steward", "vault"), make)


def enter(root: Path) -> int:
    """Have the keyholder, which knows the hash by now, write the first charter. Returns its entry's index.

    Raises ``InputError`` where there is none to enter, ``Refused`` where the keyholder was told another hash, or none of it is so.
    """
    path = root / FIRST
    try:
        first = _first.parse(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: no first charter to enter ({error.strerror})") from None
    room = Room(root / "vault")
    try:
        if room.mirror.charters():
            raise InputError(f"{root}: the first charter is in the ledger already")
        return first.enter(room)
    finally:
        room.close()
