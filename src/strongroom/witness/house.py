"""A witness's directory: its keys and what it has cosigned (SPEC.md section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from strongroom.canonical import Bytes32, Codec, Record, encode
from strongroom.errors import InputError, NoteError, StoreError
from strongroom.ledger import note
from strongroom.ledger.cosignature import Cosigner, MLDSACosigner
from strongroom.ledger.key import COSIGNATURE, check_name
from strongroom.store.secretfile import write_secret
from strongroom.witness.store import Store


class _KeyFile(Record):
    ed25519: Bytes32
    ml_dsa: Bytes32
    name: str


_codec: Codec[_KeyFile] = Codec(_KeyFile, "witness's keys.json", StoreError)


@dataclass(frozen=True)
class Keys:
    """One name, two keys: each signs what the other does, and whoever verifies takes the one that it can."""

    name: str
    ed25519: Cosigner = field(repr=False)
    ml_dsa: MLDSACosigner = field(repr=False)

    @property
    def vkeys(self) -> tuple[str, str]:
        return self.ed25519.vkey, self.ml_dsa.vkey

    @property
    def cosigners(self) -> tuple[Cosigner, MLDSACosigner]:
        return self.ed25519, self.ml_dsa


def create(directory: Path, name: str, random: Callable[[int], bytes]) -> Keys:
    """Draw the keys (0600) and begin the store. Raises ``StoreError`` where there is one already, ``InputError`` for the name."""
    try:
        check_name(name)
    except NoteError as error:
        raise InputError(f"--name: {error}. Take a host and path of yours, such as witness.example/w1") from None
    if len(name.encode()) > 255:
        raise InputError("--name: over 255 bytes")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The store first: keys beside none would be taken for a witness that has lost it.
    Store(directory / "witness.db", create=True).close()
    write_secret(directory / "keys.json", encode(_KeyFile(ed25519=random(32), ml_dsa=random(32), name=name)))
    return load(directory)


def load(directory: Path) -> Keys:
    """Raises ``StoreError`` naming the file that is missing or wrong."""
    path = directory / "keys.json"
    try:
        file = _codec.parse(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: no witness's keys ({error.strerror}). Run strongroom witness create first") from None
    return Keys(
        file.name,
        Cosigner(file.name, Ed25519PrivateKey.from_private_bytes(file.ed25519)),
        MLDSACosigner(file.name, MLDSA44PrivateKey.from_seed_bytes(file.ml_dsa)),
    )


def open_store(directory: Path) -> Store:
    """Raises ``StoreError`` when it is gone: these keys have cosigned what an empty one would contradict."""
    path = directory / "witness.db"
    if not path.is_file():
        raise StoreError(
            f"{path}: what this witness has cosigned is gone. Make another witness, with keys and a name of its own"
        )
    return Store(path)


def logs(vkeys: Iterable[str], origin: str | None = None) -> list[tuple[str, str]]:
    """(origin, vkey) of each log; its origin is its key's name unless told. Raises ``NoteError``."""
    found = []
    for vkey in vkeys:
        one = note.verifier(vkey)
        if one.type == COSIGNATURE:
            raise NoteError(f"{one.name}: a key of type 4 cosigns the checkpoints of others; want the log's own key")
        found.append((origin or one.name, vkey))
    return found
