"""The keyholder's own keys, on its own disk (SPEC.md section 9). Epoch keys lie apart (``epochfiles``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from strongroom.canonical import Bytes16, Bytes32, Codec, Record, encode
from strongroom.catalog.model import KeyholderKeys
from strongroom.errors import StoreError
from strongroom.ledger.cosignature import MLDSACosigner
from strongroom.ledger.note import Signer
from strongroom.store.secretfile import sync_folder, write_secret

__all__ = ["Keys", "create", "load", "sync_folder", "write_secret"]


class _KeyFile(Record):
    asker: Bytes32
    desk: Bytes32
    index: Bytes32
    log: Bytes32
    message: Bytes32
    ml_dsa: Bytes32
    name: str
    operator: Bytes32
    room: Bytes16
    tag: Bytes32


_codec: Codec[_KeyFile] = Codec(_KeyFile, "keyholder's keys.json", StoreError)


@dataclass(frozen=True)
class Keys:
    """``room`` and ``name`` say whose; the desk's and operator's private keys are here in one-machine rooms only."""

    room: bytes
    name: str
    index: bytes = field(repr=False)
    tag: bytes = field(repr=False)
    asker: bytes = field(repr=False)
    message: Ed25519PrivateKey = field(repr=False)
    desk: Ed25519PrivateKey = field(repr=False)
    operator: Ed25519PrivateKey = field(repr=False)
    log: Signer = field(repr=False)
    ml_dsa: MLDSACosigner = field(repr=False)

    @property
    def origin(self) -> str:
        return f"{self.name}/ledger"

    @property
    def message_public(self) -> bytes:
        return self.message.public_key().public_bytes_raw()

    def public(self) -> KeyholderKeys:
        """What the charter names."""
        return KeyholderKeys(
            desk=self.desk.public_key().public_bytes_raw(),
            log=self.log.vkey,
            message=self.message_public,
            ml_dsa=self.ml_dsa.vkey,
            operator=self.operator.public_key().public_bytes_raw(),
        )


def create(directory: Path, room: bytes, name: str, random: Callable[[int], bytes]) -> Keys:
    """Draw all keys and write ``keys.json`` (0600). Raises ``StoreError`` if there are some already."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "epochs").mkdir(mode=0o700, exist_ok=True)
    names = ("asker", "desk", "index", "log", "message", "ml_dsa", "operator", "tag")
    file = _KeyFile(room=room, name=name, **{key: random(32) for key in names})
    write_secret(directory / "keys.json", encode(file))
    return load(directory)


def load(directory: Path) -> Keys:
    """Raises ``StoreError`` naming the file that is missing or wrong."""
    path = directory / "keys.json"
    try:
        file = _codec.parse(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: no keyholder's keys ({error.strerror}). Run `strongroom init` first") from None
    origin = f"{file.name}/ledger"
    return Keys(
        room=file.room,
        name=file.name,
        index=file.index,
        tag=file.tag,
        asker=file.asker,
        message=Ed25519PrivateKey.from_private_bytes(file.message),
        desk=Ed25519PrivateKey.from_private_bytes(file.desk),
        operator=Ed25519PrivateKey.from_private_bytes(file.operator),
        log=Signer(origin, Ed25519PrivateKey.from_private_bytes(file.log)),
        ml_dsa=MLDSACosigner(f"{origin}/ml-dsa", MLDSA44PrivateKey.from_seed_bytes(file.ml_dsa)),
    )
