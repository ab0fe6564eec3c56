"""A person in one holding: what stands for them, and the keys that it takes to say so (SPEC.md section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from strongroom.errors import SealError
from strongroom.seal.columns import are
from strongroom.seal.ids import kind_id
from strongroom.seal.label import label
from strongroom.seal.mac import HMAC, keyed, mac, many

__all__ = ["BUCKETS", "HoldingKeys", "bucket", "bucket_key", "bucket_leaf", "bucket_leaves", "inner", "inners"]
__all__ += ["no_value", "who_of_handle", "who_of_inner"]

BUCKETS = 1 << 20

_SEAL, _PERSON, _NOBODY, _NOBODY_WHO = label("seal"), label("person"), label("nobody"), label("nobody-who")
_BUCKET, _BUCKET_KEY, _INNER, _NO_VALUE = label("bucket"), label("bucket-key"), label("inner"), label("no-value")


@dataclass(frozen=True, slots=True, eq=False)
class HoldingKeys:
    """The vault's keys of one holding (SPEC.md section 2.2).

    ``key`` is KH, 32 bytes; ``room`` and ``holding`` are ids, 16 bytes each. SealError when a length is wrong.
    """

    key: bytes = field(repr=False)
    room: bytes
    holding: bytes
    seal: bytes = field(init=False, repr=False)
    nobody: bytes = field(init=False, repr=False)
    sealing: HMAC = field(init=False, repr=False)
    """K_seal as a context: the salt of every compartment's key."""

    def __post_init__(self) -> None:
        if len(self.key) != 32 or len(self.room) != 16 or len(self.holding) != 16:
            raise SealError("holding keys: want a key of 32 bytes, a room and a holding id of 16")
        object.__setattr__(self, "seal", mac(self.key, _SEAL))
        object.__setattr__(self, "nobody", mac(self.key, _NOBODY))
        object.__setattr__(self, "sealing", keyed(self.seal))

    def person(self, kind: str) -> bytes:
        """K_person[kind], 32 bytes."""
        return mac(self.key, _PERSON + kind_id(kind))


def bucket(kind: str, nf: str) -> int:
    """j, the bucket that a normal form falls into: 0 to 2^20-1. Known to anyone; only its key is secret."""
    return _bucket(_bucket_prefix(kind), _utf8(nf))


def bucket_key(person_key: bytes, j: int) -> bytes:
    """k_j, 32 bytes: what the vault gives the keyholder's desk. SealError when ``j`` is no bucket."""
    if not 0 <= j < BUCKETS:
        raise SealError(f"bucket: want 0 to {BUCKETS - 1}")
    return mac(person_key, _BUCKET_KEY + j.to_bytes(4, "big"))


def inner(bucket_key: bytes, nf: str) -> bytes:
    """32 bytes that stand for one identifier value; both houses can compute it, each from its side."""
    return mac(bucket_key, _INNER + _utf8(nf))


def inners(keys: HoldingKeys, kind: str, normal_forms: Sequence[str]) -> list[bytes]:
    """``inner`` of each normal form, in order."""
    prefix, values = _bucket_prefix(kind), [_utf8(nf) for nf in normal_forms]
    numbers = [_BUCKET_KEY + _bucket(prefix, value).to_bytes(4, "big") for value in values]
    ks = many(keyed(keys.person(kind)), numbers)
    return [mac(k, _INNER + value) for k, value in zip(ks, values, strict=True)]


def no_value(keys: HoldingKeys, kind: str, field: str, handles: Sequence[bytes]) -> list[bytes]:
    """32 bytes for each handle (16 bytes), in the place of an inner that the record has no value for; no find meets
    them. The same for every version of a record, so that nobody sees a value come or go.

    SealError when a handle has another length.
    """
    _handles(handles)
    prefix = _NO_VALUE + kind_id(kind) + field.encode() + b"\0"
    return many(keyed(keys.key), [prefix + handle for handle in handles])


def who_of_inner(inner: bytes) -> bytes:
    """16 bytes: the person of a primary identifier, or of its absence: somebody unidentified, in this record alone."""
    return inner[:16]


def who_of_handle(keys: HoldingKeys, handle: bytes) -> bytes:
    """16 bytes in the place of a person, for compartments that are about nobody. SealError when the handle is not 16 bytes."""
    _handles([handle])
    return mac(keys.nobody, _NOBODY_WHO + handle)[:16]


def _handles(handles: Sequence[bytes]) -> None:
    if not are(handles, 16):
        raise SealError("handle: want 16 bytes")


def bucket_leaf(bucket_key: bytes) -> bytes:
    """H(k_j): the data of leaf j of the bucket tree (SPEC.md section 2.4), not yet under the tree's own leaf hash."""
    return hashlib.sha256(bucket_key).digest()


def bucket_leaves(person_key: bytes, start: int = 0, stop: int = BUCKETS) -> list[bytes]:
    """``bucket_leaf`` of buckets ``start`` to ``stop``-1. All of them take about a second and 70 MB."""
    if not 0 <= start <= stop <= BUCKETS:
        raise SealError(f"buckets: want a range within 0 to {BUCKETS}")
    found = many(keyed(person_key), (_BUCKET_KEY + j.to_bytes(4, "big") for j in range(start, stop)))
    return [hashlib.sha256(k).digest() for k in found]


@lru_cache(maxsize=256)
def _bucket_prefix(kind: str) -> bytes:
    return _BUCKET + kind_id(kind)


def _bucket(prefix: bytes, value: bytes) -> int:
    return int.from_bytes(hashlib.sha256(prefix + value).digest()[:3], "big") >> 4


def _utf8(nf: str) -> bytes:
    try:
        return nf.encode()
    except UnicodeEncodeError:
        raise SealError("normal form: not Unicode text") from None
