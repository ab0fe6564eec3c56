"""The vault's own keys, and what it knows of its room (SPEC.md section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Bytes16, Bytes32, Codec, Name, Record, encode
from strongroom.errors import StoreError
from strongroom.keyholder.keys import write_secret
from strongroom.ledger.cosignature import Cosigner
from strongroom.seal import ids
from strongroom.seal.person import HoldingKeys


class _KeyFile(Record, frozen=True, kw_only=True):
    cosigner: Bytes32
    holdings: dict[Name, Bytes32]
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
    """The vault's half of every secret. Without the keyholder it opens nothing."""

    room: bytes
    name: str
    message: Ed25519PrivateKey = field(repr=False)
    cosigner: Cosigner = field(repr=False)
    holdings: dict[str, HoldingKeys] = field(repr=False)

    def holding(self, name: str) -> HoldingKeys:
        """Raises ``StoreError``."""
        found = self.holdings.get(name)
        if found is None:
            raise StoreError(
                f"this vault has no key for the holding {name}; it has: {', '.join(sorted(self.holdings))}"
            )
        return found


def create(
    directory: Path, room: bytes, name: str, holdings: Iterable[str], random: Callable[[int], bytes]
) -> VaultKeys:
    """Draw the vault's keys and write ``keys.json`` (0600). Raises ``StoreError`` when there are some already."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _KeyFile(
        cosigner=random(32),
        holdings={holding: random(32) for holding in holdings},
        message=random(32),
        name=name,
        room=room,
    )
    write_secret(directory / "keys.json", encode(file))
    return load(directory)


def load(directory: Path) -> VaultKeys:
    """Raises ``StoreError`` naming the file that is missing or wrong."""
    path = directory / "keys.json"
    try:
        file = _keys.parse(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: there is no vault here ({error.strerror}). Run `strongroom init` first") from None
    return VaultKeys(
        room=file.room,
        name=file.name,
        message=Ed25519PrivateKey.from_private_bytes(file.message),
        cosigner=Cosigner(f"{file.name}/ledger/vault", Ed25519PrivateKey.from_private_bytes(file.cosigner)),
        holdings={
            name: HoldingKeys(key, file.room, ids.holding_id(file.room, name)) for name, key in file.holdings.items()
        },
    )


def write_room(directory: Path, room: RoomFile) -> None:
    write_secret(directory / "room.json", encode(room))


def load_room(directory: Path) -> RoomFile:
    path = directory / "room.json"
    try:
        return _room.parse(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: the room was not founded yet ({error.strerror}). Run `strongroom init`") from None
