"""Names of things, 16 bytes each (SPEC.md section 1.4)."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from strongroom.errors import SealError
from strongroom.seal.label import label

__all__ = ["holding_id", "keyholder_id", "kind_id"]

_HOLDING, _KIND, _KEYHOLDER = label("holding"), label("kind"), label("keyholder")


@lru_cache(maxsize=256)
def holding_id(room: bytes, name: str) -> bytes:
    """``room`` 16 bytes, ``name`` of the catalog. SealError when the room has another length."""
    if len(room) != 16:
        raise SealError("room: want 16 bytes")
    return hashlib.sha256(_HOLDING + room + name.encode()).digest()[:16]


@lru_cache(maxsize=256)
def kind_id(kind: str) -> bytes:
    """``kind`` is an identifier's type: ``phone``, ``resident-id``, ``text:FIELD``, ..."""
    return hashlib.sha256(_KIND + kind.encode()).digest()[:16]


def keyholder_id(message_key: bytes) -> bytes:
    """``message_key`` is the keyholder's Ed25519 public key, 32 bytes. SealError when it has another length."""
    if len(message_key) != 32:
        raise SealError("keyholder message key: want 32 bytes")
    return hashlib.sha256(_KEYHOLDER + message_key).digest()[:16]
