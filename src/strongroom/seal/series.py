"""Several messages to one public key, under one secret that stands sealed before each of them (SPEC.md section 8.11).

Each opens alone. But a hybrid encapsulation costs as much as a signature and a half in either house, and AES-GCM next to nothing: who
seals many times a second does the first once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import SealError
from strongroom.seal.hpke import OVERHEAD, HpkePrivate, decrypt, encrypt
from strongroom.seal.mac import mac

__all__ = ["SeriesSealer", "open_one"]

_SECRET, _NONCE = 32, 12
_HEAD = OVERHEAD + _SECRET


class SeriesSealer:
    """Whoever drops this object soon keeps little in memory that opens what was sealed. ``public``: 1216 bytes; ``info``: HPKE's;
    ``random(n)`` gives n random bytes. Raises ``SealError`` when the key cannot be used."""

    def __init__(self, public: bytes, info: bytes, random: Callable[[int], bytes]) -> None:
        self.public, self._random = public, random
        self._secret = random(_SECRET)
        self._head = encrypt(public, info, self._secret)

    def seal(self, about: bytes, plaintext: bytes) -> bytes:
        """``about``: a label, and what the message is for; it opens as no other's."""
        # The nonce is random, since two messages may be for the same.
        nonce = self._random(_NONCE)
        return self._head + nonce + AESGCM(mac(self._secret, about)).encrypt(nonce, plaintext, None)


def open_one(private: HpkePrivate, info: bytes, about: bytes, sealed: bytes) -> bytes:
    """The plaintext. Raises ``SealError`` when sealed to another key, for something else, or changed."""
    if len(sealed) < _HEAD + _NONCE + 16:
        raise SealError("sealed message: too short")
    secret = _secret(private, info, sealed[:_HEAD])
    nonce, ciphertext = sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
    try:
        return AESGCM(mac(secret, about)).decrypt(nonce, ciphertext, None)
    except InvalidTag:
        raise SealError("sealed message: of something else, or changed") from None


# Of one series, and of the next while the last answers of the one before come: no more secrets than that stay in memory.
@lru_cache(maxsize=2)
def _secret(private: HpkePrivate, info: bytes, head: bytes) -> bytes:
    secret = decrypt(private, info, head)
    if len(secret) != _SECRET:
        raise SealError("sealed message: its secret is not of 32 bytes")
    return secret
