"""Sealing many records under one batch secret (SPEC.md sections 3.2 to 3.6).

The vault opens a batch, seals records into it, and closes it after 60 s or 10,000 records: then the secret is sealed to
the keyholder's key, together with which records it is for. It is never written down otherwise; once closed, only the
keyholder can give it back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from strongroom.errors import SealError
from strongroom.seal import body
from strongroom.seal.columns import are, split, xor
from strongroom.seal.compartment import NONCE, associated, seal_many
from strongroom.seal.hpke import OVERHEAD, HpkePrivate, decrypt, encrypt
from strongroom.seal.label import label
from strongroom.seal.mac import keyed
from strongroom.seal.padding import pad_many
from strongroom.seal.person import HoldingKeys
from strongroom.seal.slot import SHARE, UNMASK, held, places, record_secrets

__all__ = ["MAX_RECORDS", "MAX_SECONDS", "PLACE", "SEALED_SIZE", "Batch", "Bound", "Column", "Random", "Row", "Sealed"]
__all__ += ["members", "open_batch_secret", "seal_batch_secret", "seal_records"]

MAX_RECORDS, MAX_SECONDS = 10_000, 60
"""What a batch takes; the records are counted here, the seconds by the caller, who has the clock."""

SEALED_SIZE = 1 + OVERHEAD + 32

Random: TypeAlias = Callable[[int], bytes]
Row: TypeAlias = tuple[bytes, int, bytes]
"""(handle, version, body)."""

PLACE = 20
"""Bytes of handle and version."""

_BATCH, _MEMBERS = label("batch"), label("members")
_VERSION = b"\1"


class Bound(NamedTuple):
    """What a sealed batch secret is bound to: ids of 16 bytes, two days (``epoch``), the hash of its ``members``."""

    room: bytes
    keyholder: bytes
    holding: bytes
    epoch: int
    expires: int
    members: bytes


class Sealed(NamedTuple):
    """A closed batch, to be stored with its records. ``id``: 16 bytes, random. ``secret``: 1169 bytes."""

    id: bytes
    epoch: int
    expires: int
    members: bytes
    secret: bytes


@dataclass(slots=True, eq=False)
class Batch:
    """One open batch. The secret is here alone, and only while it is open."""

    id: bytes
    room: bytes
    keyholder: bytes
    holding: bytes
    epoch: int
    expires: int
    secret: bytes = field(repr=False)
    places: list[bytes] = field(default_factory=list, repr=False)

    @classmethod
    def open(
        cls, room: bytes, keyholder_id: bytes, holding_id: bytes, epoch: int, expires: int, random: Random
    ) -> Batch:
        """Draw an id and a secret, for a holding's epoch and expiry (days). SealError when an id is not 16 bytes."""
        _info(Bound(room, keyholder_id, holding_id, epoch, expires, bytes(32)))
        return cls(random(16), room, keyholder_id, holding_id, epoch, expires, random(32))

    @property
    def closed(self) -> bool:
        return not self.secret

    @property
    def held(self) -> bytes:
        """What the keyholder says of this batch if it can open it (``slot.held``)."""
        return held(self.secret)

    def close(self, epoch_public: bytes) -> Sealed:
        """Seal the secret to the keyholder's public key (1216 bytes) of this holding and epoch, and forget it. Python
        cannot wipe memory: what it freed may still lie there (THREATS.md). SealError when the key cannot be used."""
        if self.closed:
            raise SealError("batch: closed. Open a new one")
        named = members(self.places)
        bound = Bound(self.room, self.keyholder, self.holding, self.epoch, self.expires, named)
        sealed = seal_batch_secret(epoch_public, bound, self.secret)
        self.secret = b""
        return Sealed(self.id, self.epoch, self.expires, named, sealed)


def members(places: Iterable[bytes]) -> bytes:
    """32 bytes that name the record versions of a batch (``slot.places``), in whatever order. SealError when one has
    another length than 20 bytes or stands twice: no two lists have one name."""
    named = sorted(places)
    if not are(named, PLACE) or len(set(named)) != len(named):
        raise SealError("batch members: want places of 20 bytes, each once")
    return hashlib.sha256(_MEMBERS + b"".join(named)).digest()


def seal_batch_secret(public: bytes, bound: Bound, b: bytes) -> bytes:
    """1169 bytes: ``b`` sealed to a public key (1216 bytes), bound. SealError when a part is misshapen."""
    if len(b) != 32:
        raise SealError("batch secret: want 32 bytes")
    return _VERSION + encrypt(public, _info(bound), b)


def open_batch_secret(private: HpkePrivate, bound: Bound, sealed: bytes) -> bytes:
    """The keyholder's side: ``b``, 32 bytes. SealError when sealed for another room, holding, epoch, expiry, key or
    other members."""
    if len(sealed) != SEALED_SIZE or sealed[:1] != _VERSION:
        raise SealError(f"sealed batch secret: want {SEALED_SIZE} bytes of version 1")
    return decrypt(private, _info(bound), sealed[1:])


@dataclass(frozen=True, slots=True)
class Column:
    """One compartment of many records: its number, its padding floor, and for each record plaintext and person.

    ``plaintexts`` are canonical JSON (``plaintext.encode_many``), not padded; ``whos`` 16 bytes each.
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
    """Seal one version of a record for each handle (16 bytes, random), and give the rows ordered by handle.

    ``columns``: every declared compartment, ascending, each as long as ``handles``. Order by a random handle is the
    shuffle: never hand in handles that were sorted to match the source. SealError when the batch is closed, full or of
    another holding, or when a column is misshapen; then nothing is sealed.
    """
    where = _check(batch, keys, handles, versions, columns)
    prefix, start = associated(keys), body.head(len(columns))
    records = [keyed(secret) for secret in record_secrets(keyed(batch.secret), where)]
    made = []
    for column in columns:
        number, floor, end = column.number, column.floor, column.number.to_bytes(2, "big")
        masks, shares = [], []
        for record, who in zip(records, column.whos, strict=True):
            mask, share = record.copy(), record.copy()
            mask.update(UNMASK + end)
            share.update(SHARE + who + end)
            masks.append(mask.finalize()[:16])
            shares.append(share.finalize())
        masked = split(xor(b"".join(column.whos), b"".join(masks)), 16)
        nonces, padded = split(random(NONCE * len(where)), NONCE), pad_many(column.plaintexts, floor)
        blobs = seal_many(keys, shares, nonces, padded, [prefix + place + end for place in where])
        made.append(body.pieces(number, masked, blobs))
    batch.places += where
    bodies = [start + b"".join(slots) for slots in zip(*made, strict=True)]
    return sorted(zip(handles, versions, bodies, strict=True))


def _check(
    batch: Batch, keys: HoldingKeys, handles: Sequence[bytes], versions: Sequence[int], columns: Sequence[Column]
) -> list[bytes]:
    if batch.closed:
        raise SealError("batch: closed. Open a new one")
    if batch.room != keys.room or batch.holding != keys.holding:
        raise SealError("batch: of another room or holding than the keys")
    count = len(handles)
    if not 0 < count <= MAX_RECORDS - len(batch.places):
        raise SealError(f"batch: want 1 to {MAX_RECORDS - len(batch.places)} records more, have {count}")
    # One mask over two persons would give away how they differ.
    where = places(handles, versions)
    if len(set(where)) != count or not set(batch.places).isdisjoint(where):
        raise SealError("batch: a version of a record twice")
    numbers = [column.number for column in columns]
    if not columns or numbers != sorted(set(numbers)) or not 0 < numbers[0] <= numbers[-1] < 1 << 16:
        raise SealError("batch: want compartments from 1, ascending, distinct")
    if any(len(c.plaintexts) != count or len(c.whos) != count for c in columns):
        raise SealError("batch: columns of different length")
    if not all(are(column.whos, 16) for column in columns):
        raise SealError("batch: want a who of 16 bytes for each")
    return where


def _info(bound: Bound) -> bytes:
    room, keyholder, holding, epoch, expires, named = bound
    if not len(room) == len(keyholder) == len(holding) == 16 or len(named) != 32:
        raise SealError("batch: want ids of 16 bytes and members of 32")
    if not 0 <= epoch <= expires < 1 << 32:
        raise SealError("batch: want days, the epoch no later than the expiry")
    return _BATCH + room + keyholder + holding + epoch.to_bytes(4, "big") + expires.to_bytes(4, "big") + named
