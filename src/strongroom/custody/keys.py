"""The vault's own keys, and what it knows of its room (SPEC.md section 9)."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Bytes16, Bytes32, Codec, Record, encode
from strongroom.errors import StoreError
from strongroom.keyholder.keys import sync_folder, write_secret
from strongroom.ledger.cosignature import Cosigner
from strongroom.seal import ids
from strongroom.seal.person import HoldingKeys

HOLDINGS = "holdings"
"""The folder of the holdings' keys, one a file: ``NAME.key``, 32 bytes."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")  # canonical.Name


class _KeyFile(Record, frozen=True, kw_only=True):
    cosigner: Bytes32
    message: Bytes32
    name: str
    room: Bytes16


class RoomFile(Record, frozen=True, kw_only=True):
    """The anchors that nobody may change: brought by ceremony, like the keyholder's."""

    genesis: Bytes32
    keyholder: str
    log: str


_keys: Codec[_KeyFile] = Codec(_KeyFile, "vault's keys.json", StoreError)
_room: Codec[RoomFile] = Codec(RoomFile, "vault's room.json", StoreError)


@dataclass(frozen=True)
class VaultKeys:
    """The vault's half of every secret. Without the keyholder it opens nothing.

    ``holdings``: the keys read so far; ``holding`` reads the others when they are asked for, since a charter that adds
    a holding is brought in by one process of several.
    """

    directory: Path
    room: bytes
    name: str
    message: Ed25519PrivateKey = field(repr=False)
    cosigner: Cosigner = field(repr=False)
    holdings: dict[str, HoldingKeys] = field(default_factory=dict, repr=False)

    def holding(self, name: str) -> HoldingKeys:
        """Raises ``StoreError`` when there is no key for it, or its file is damaged."""
        found = self.holdings.get(name)
        if found is None:
            key = _read_key(self._path(name)) if _NAME.fullmatch(name) else None
            if key is None:
                raise StoreError(f"this vault has no key for the holding {name}; it has: {', '.join(self.names())}")
            found = self.holdings[name] = HoldingKeys(key, self.room, ids.holding_id(self.room, name))
        return found

    def names(self) -> list[str]:
        """The holdings that this vault has a key for, in the charter or not."""
        return sorted(path.stem for path in (self.directory / HOLDINGS).glob("[a-z]*.key"))

    def draw(self, name: str, random: Callable[[int], bytes]) -> HoldingKeys:
        """The key of a holding, drawn where there is none; on disk when this returns. One that is there already (of a
        charter that was refused, or entered by another process meanwhile) is taken as it is."""
        if not _NAME.fullmatch(name):
            raise StoreError("the name of a holding is lower-case letters, digits and -")
        path = self._path(name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with _alone(path.parent):
            if not path.exists():
                # Whole under another name first: a key cut short by a crash would be taken for a damaged one for ever.
                draft = path.with_name(f".{name}.draft")
                draft.unlink(missing_ok=True)
                write_secret(draft, random(32))
                # A link does not take the place of a file that is there, as a renaming does.
                os.link(draft, path)
                draft.unlink()
                sync_folder(path.parent)
                sync_folder(self.directory)
        return self.holding(name)

    def _path(self, name: str) -> Path:
        return self.directory / HOLDINGS / f"{name}.key"


def create(
    directory: Path, room: bytes, name: str, holdings: Iterable[str], random: Callable[[int], bytes]
) -> VaultKeys:
    """Draw the vault's keys and write them (0600). Raises ``StoreError`` when there are some already."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _KeyFile(cosigner=random(32), message=random(32), name=name, room=room)
    write_secret(directory / "keys.json", encode(file))
    made = load(directory)
    for holding in holdings:
        made.draw(holding, random)
    return made


def load(directory: Path) -> VaultKeys:
    """Raises ``StoreError`` naming the file that is missing or wrong."""
    path = directory / "keys.json"
    try:
        file = _keys.parse(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: there is no vault here ({error.strerror}). Run `strongroom init` first") from None
    return VaultKeys(
        directory=directory,
        room=file.room,
        name=file.name,
        message=Ed25519PrivateKey.from_private_bytes(file.message),
        cosigner=Cosigner(f"{file.name}/ledger/vault", Ed25519PrivateKey.from_private_bytes(file.cosigner)),
    )


def write_room(directory: Path, room: RoomFile) -> None:
    write_secret(directory / "room.json", encode(room))


def load_room(directory: Path) -> RoomFile:
    path = directory / "room.json"
    try:
        return _room.parse(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: the room was not founded yet ({error.strerror}). Run `strongroom init`") from None


def _read_key(path: Path) -> bytes | None:
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}). Run as the user who owns it") from None
    if len(found) != 32:
        raise StoreError(f"{path}: not a holding's key, which has 32 bytes. Restore it: what is sealed needs it")
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: of two that draw a key, the second would commit to one that is nowhere written."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
