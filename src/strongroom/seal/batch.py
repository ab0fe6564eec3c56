"""Sealing many records under one batch secret (SPEC.md sections 3.2 to 3.6).

The vault opens a batch, stores ``sealed`` first, seals records into it, and closes it after 60 s or 10,000 records. The
secret lives in the batch's keyed contexts alone; once closed, only the keyholder can give it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import SealError
from strongroom.seal import body
from strongroom.seal.columns import join, split, xor
from strongroom.seal.compartment import associated, blob, key_and_check
from strongroom.seal.hpke import OVERHEAD, HpkePrivate, decrypt, encrypt
from strongroom.seal.ids import batch_id
from strongroom.seal.label import label
from strongroom.seal.mac import HMAC, keyed, many
from strongroom.seal.padding import pad
from strongroom.seal.person import HoldingKeys
from strongroom.seal.slot import SHARE, UNMASK, addresses

__all__ = ["MAX_RECORDS", "MAX_SECONDS", "SEALED_SIZE", "Batch", "Column", "Random", "Row", "open_batch_secret"]
__all__ += ["seal_records"]

MAX_RECORDS, MAX_SECONDS = 10_000, 60
"""What a batch takes; the records are counted here, the seconds by the caller, who has the clock."""

SEALED_SIZE = 1 + OVERHEAD + 32

Random: TypeAlias = Callable[[int], bytes]
Row: TypeAlias = tuple[bytes, int, bytes]
"""(handle, version, body)."""

_BATCH = label("batch")
_VERSION = b"\1"


@dataclass(slots=True, eq=False)
class Batch:
    """One open batch. ``sealed`` (1169 bytes) and ``id`` (16) are stored; the secret is not: it is here only as a keyed context."""

    id: bytes
    sealed: bytes = field(repr=False)
    room: bytes
    holding: bytes
    epoch: int
    records: int = 0
    secret: HMAC | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls, room: bytes, keyholder_id: bytes, holding_id: bytes, epoch: int, epoch_public: bytes, random: Random
    ) -> Batch:
        """Draw a secret and seal it to the keyholder's public key (1216 bytes) of this holding and epoch (days).

        SealError when an id is not 16 bytes, the epoch is no u32 or the key cannot be used.
        """
        b = random(32)
        sealed = _VERSION + encrypt(epoch_public, _info(room, keyholder_id, holding_id, epoch), b)
        return cls(batch_id(sealed), sealed, room, holding_id, epoch, 0, keyed(b))

    @property
    def closed(self) -> bool:
        return self.secret is None

    def close(self) -> None:
        """Forget the secret. Python cannot wipe memory: what it freed may still lie there (THREATS.md)."""
        self.secret = None


def open_batch_secret(
    private: HpkePrivate, room: bytes, keyholder_id: bytes, holding_id: bytes, epoch: int, sealed: bytes
) -> bytes:
    """The keyholder's side: ``b``, 32 bytes. SealError when sealed for another room, holding, epoch or key."""
    if len(sealed) != SEALED_SIZE or sealed[:1] != _VERSION:
        raise SealError(f"sealed batch secret: want {SEALED_SIZE} bytes of version 1")
    return decrypt(private, _info(room, keyholder_id, holding_id, epoch), sealed[1:])


@dataclass(frozen=True, slots=True)
class Column:
    """One compartment of many records: its number, its padding floor, and for each record plaintext and person.

    ``plaintexts`` are canonical JSON (``plaintext.encode_fields``), not padded; ``whos`` 16 bytes each.
    """

    number: int
    floor: int
    plaintexts: Sequence[bytes] = field(repr=False)
    whos: Sequence[bytes] = field(repr=False)


def seal_records(
    batch: Batch,
    keys: HoldingKeys,
    handles: Sequence[bytes],
    versions: Sequence[int],
    columns: Sequence[Column],
    random: Random,
) -> list[Row]:
    """Seal one record for each handle (16 bytes, random, distinct), and give the rows ordered by handle.

    ``columns``: every declared compartment, ascending, each as long as ``handles``. Order by a random handle is the
    shuffle: never hand in handles that were sorted to match the source. SealError when the batch is closed, full or of
    another holding, or when a column is misshapen; then nothing is sealed.
    """
    secret, count = _check(batch, keys, handles, versions, columns)
    prefix, pieces = associated(keys), []
    for column in columns:
        places = addresses(handles, versions, [column.number] * count)
        masks = b"".join([mask[:16] for mask in many(secret, [UNMASK + place for place in places])])
        masked = split(xor(join(column.whos, 16), masks), 16)
        shares = many(secret, [SHARE + who + place for who, place in zip(column.whos, places, strict=True)])
        nonces = split(random(12 * count), 12)
        number, floor, made = column.number, column.floor, []
        for w, share, nonce, place, text in zip(masked, shares, nonces, places, column.plaintexts, strict=True):
            key, check = key_and_check(keys, share)
            ciphertext = AESGCM(key).encrypt(nonce, pad(text, floor), prefix + place)
            made.append(body.piece(number, w, blob(nonce, check, ciphertext)))
        pieces.append(made)
    batch.records += count
    start = body.head(len(columns))
    bodies = [start + b"".join(slots) for slots in zip(*pieces, strict=True)]
    return sorted(zip(handles, versions, bodies, strict=True))


def _check(
    batch: Batch, keys: HoldingKeys, handles: Sequence[bytes], versions: Sequence[int], columns: Sequence[Column]
) -> tuple[HMAC, int]:
    if batch.secret is None:
        raise SealError("batch: closed. Open a new one")
    if batch.room != keys.room or batch.holding != keys.holding:
        raise SealError("batch: of another room or holding than the keys")
    count = len(handles)
    if not 0 < count <= MAX_RECORDS - batch.records:
        raise SealError(f"batch: want 1 to {MAX_RECORDS - batch.records} records more, have {count}")
    # One mask over two persons would give away how they differ.
    if len(set(handles)) != count:
        raise SealError("batch: a handle twice")
    numbers = [column.number for column in columns]
    if not columns or numbers != sorted(set(numbers)):
        raise SealError("batch: want compartments, ascending, distinct")
    if any(len(c.plaintexts) != count or len(c.whos) != count for c in columns) or len(versions) != count:
        raise SealError("batch: columns of different length")
    return batch.secret, count


def _info(room: bytes, keyholder_id: bytes, holding_id: bytes, epoch: int) -> bytes:
    if not len(room) == len(keyholder_id) == len(holding_id) == 16 or not 0 <= epoch < 1 << 32:
        raise SealError("batch: want ids of 16 bytes and an epoch in days")
    return _BATCH + room + keyholder_id + holding_id + epoch.to_bytes(4, "big")
