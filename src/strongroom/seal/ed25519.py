"""Ed25519 public keys out of rosters and charters: each is made into the library's key once (SPEC.md section 1.1)."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = ["public_key"]


@lru_cache(maxsize=1024)
def public_key(raw: bytes) -> Ed25519PublicKey:
    """The key of 32 bytes. Raises ``ValueError`` for what is none."""
    return Ed25519PublicKey.from_public_bytes(raw)
