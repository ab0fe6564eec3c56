"""What the vault keeps of asks, sealed to the auditor alone (SPEC.md section 7.1)."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import SealError
from strongroom.seal.hpke import OVERHEAD, HpkePrivate, decrypt, encrypt
from strongroom.seal.label import label
from strongroom.seal.mac import mac
from strongroom.seal.padding import pad, unpad

__all__ = ["PrivateSealer", "open_private", "seal_private"]

_SECRET, _KEY = label("private-halves"), label("private-half")
_VERSION = b"\2"
_FLOOR = 2048
_HEAD = OVERHEAD + 32
_NONCE = 12


class PrivateSealer:
    """Seals the evidence of several asks of one room under one secret, which stands before each of them, sealed to the auditor: so each
    opens alone. One hybrid encapsulation costs as much as sealing a hundred; whoever drops this object soon keeps little in memory
    that opens what is stored."""

    def __init__(self, auditor_public: bytes, room: bytes, random: Callable[[int], bytes]) -> None:
        """``random(n)`` gives n random bytes. SealError when the key cannot be used."""
        self._room, self._random = _room(room), random
        self._secret = random(32)
        self._head = _VERSION + encrypt(auditor_public, _SECRET + room, self._secret)

    def seal(self, commitment: bytes, evidence: bytes) -> bytes:
        """The evidence of the ask whose entry will carry ``commitment`` (32 bytes)."""
        nonce = self._random(_NONCE)
        # Padded, or a stolen vault would tell how long a reason or an identifier was. The nonce is random since one ask may come twice.
        sealed = AESGCM(_key(self._secret, self._room, commitment)).encrypt(nonce, pad(evidence, _FLOOR), None)
        return self._head + nonce + sealed


def seal_private(
    auditor_public: bytes, room: bytes, commitment: bytes, evidence: bytes, random: Callable[[int], bytes]
) -> bytes:
    """The same for one alone."""
    return PrivateSealer(auditor_public, room, random).seal(commitment, evidence)


def open_private(auditor: HpkePrivate, room: bytes, commitment: bytes, sealed: bytes) -> bytes:
    """The evidence, to be held against the commitment. SealError or FormatError when it does not open."""
    version, rest = sealed[:1], sealed[1:]
    if version != _VERSION or len(rest) < _HEAD + _NONCE + 16:
        raise SealError("sealed evidence: of no version that this program reads")
    secret = decrypt(auditor, _SECRET + _room(room), rest[:_HEAD])
    nonce, ciphertext = rest[_HEAD : _HEAD + _NONCE], rest[_HEAD + _NONCE :]
    try:
        return unpad(AESGCM(_key(secret, room, commitment)).decrypt(nonce, ciphertext, None))
    except InvalidTag:
        raise SealError("sealed evidence: of another ask, or changed") from None


def _room(room: bytes) -> bytes:
    if len(room) != 16:
        raise SealError("sealed evidence: want a room of 16 bytes")
    return room


def _commitment(commitment: bytes) -> bytes:
    if len(commitment) != 32:
        raise SealError("sealed evidence: want a commitment of 32 bytes")
    return commitment


def _key(secret: bytes, room: bytes, commitment: bytes) -> bytes:
    """32 bytes: the ask's own key, so that what is sealed for one opens as no other's."""
    return mac(secret, _KEY + room + _commitment(commitment))
