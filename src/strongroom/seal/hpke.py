"""Sealing to a public key: HPKE with MLKEM768-X25519, HKDF-SHA256 and AES-256-GCM (SPEC.md section 1.5).

The library draws the encapsulation's randomness itself; it is the one place in ``seal`` where it is not an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from strongroom.errors import SealError

__all__ = ["OVERHEAD", "PUBLIC_SIZE", "SEED_SIZE", "HpkePrivate", "HpkePublicKey", "decrypt", "encrypt", "private_from"]
__all__ += ["public_from"]

SEED_SIZE = 96
PUBLIC_SIZE = 1216
OVERHEAD = 1120 + 16
"""Bytes by which a ciphertext is longer than its plaintext."""

_MLKEM_SEED, _MLKEM_PUBLIC = 64, 1184
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

HpkePublicKey: TypeAlias = MLKEM768X25519PublicKey


@dataclass(frozen=True, slots=True, eq=False)
class HpkePrivate:
    """A private key, and its public half as 1216 bytes."""

    public: bytes = field(repr=False)
    key: MLKEM768X25519PrivateKey = field(repr=False)


def private_from(seed96: bytes) -> HpkePrivate:
    """The key of ML-KEM-768 seed (64) ‖ X25519 private key (32), which the caller drew. SealError when not 96 bytes."""
    if len(seed96) != SEED_SIZE:
        raise SealError(f"HPKE private key: want {SEED_SIZE} bytes")
    lattice = MLKEM768PrivateKey.from_seed_bytes(seed96[:_MLKEM_SEED])
    curve = X25519PrivateKey.from_private_bytes(seed96[_MLKEM_SEED:])
    public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
    return HpkePrivate(public, MLKEM768X25519PrivateKey(lattice, curve))


@lru_cache(maxsize=64)
def public_from(public: bytes) -> HpkePublicKey:
    """Parse 1216 bytes; the last 64 keys are remembered. SealError when they are not a public key."""
    if len(public) != PUBLIC_SIZE:
        raise SealError(f"HPKE public key: want {PUBLIC_SIZE} bytes")
    try:
        lattice = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC])
        return MLKEM768X25519PublicKey(lattice, X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:]))
    except ValueError:
        raise SealError("HPKE public key: not one of ML-KEM-768 and X25519") from None


def encrypt(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """``enc`` (1120) ‖ AES-GCM ciphertext and tag. SealError when the public key cannot be used."""
    try:
        return _SUITE.encrypt(plaintext, public_from(public), info=info)
    except ValueError:
        # An X25519 key of small order is found only when it is used.
        raise SealError("HPKE public key: of small order") from None


def decrypt(private: HpkePrivate, info: bytes, ciphertext: bytes) -> bytes:
    """The plaintext. SealError when sealed to another key, under another ``info``, or changed."""
    try:
        return _SUITE.decrypt(ciphertext, private.key, info=info)
    except (InvalidTag, ValueError):
        raise SealError("HPKE: does not open with this key and purpose") from None
