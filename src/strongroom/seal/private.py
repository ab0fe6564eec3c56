"""The private half of an ask, kept for the auditor alone (SPEC.md section 7.1)."""

from __future__ import annotations

import hashlib
import hmac

from strongroom.errors import CommitmentError, SealError
from strongroom.seal.hpke import HpkePrivate, decrypt, encrypt
from strongroom.seal.label import label
from strongroom.seal.padding import pad, unpad

__all__ = ["open_private", "seal_private"]

_PRIVATE, _PRIVATE_HALF = label("private"), label("private-half")
_VERSION = b"\1"
_FLOOR = 512


def seal_private(auditor_public: bytes, room: bytes, commitment: bytes, private_half: bytes) -> bytes:
    """Seal the canonical text of a private half. CommitmentError when it is not what ``commitment`` (32 bytes) says."""
    _check(commitment, private_half)
    # Padded, or a stolen vault would tell how long a reason or an identifier was.
    return _VERSION + encrypt(auditor_public, _info(room, commitment), pad(private_half, _FLOOR))


def open_private(auditor: HpkePrivate, room: bytes, commitment: bytes, sealed: bytes) -> bytes:
    """The private half. SealError or FormatError when it does not open, CommitmentError when the ledger says otherwise."""
    if sealed[:1] != _VERSION:
        raise SealError("sealed private half: of no version that this program reads")
    private_half = unpad(decrypt(auditor, _info(room, commitment), sealed[1:]))
    _check(commitment, private_half)
    return private_half


def _check(commitment: bytes, private_half: bytes) -> None:
    if not hmac.compare_digest(hashlib.sha256(_PRIVATE + private_half).digest(), commitment):
        raise CommitmentError("private half: not what its commitment says")


def _info(room: bytes, commitment: bytes) -> bytes:
    if len(room) != 16 or len(commitment) != 32:
        raise SealError("private half: want a room of 16 bytes and a commitment of 32")
    return _PRIVATE_HALF + room + commitment
