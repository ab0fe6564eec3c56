"""What the vault keeps of an ask, sealed to the auditor alone (SPEC.md section 7.1)."""

from __future__ import annotations

from strongroom.errors import SealError
from strongroom.seal.hpke import HpkePrivate, decrypt, encrypt
from strongroom.seal.label import label
from strongroom.seal.padding import pad, unpad

__all__ = ["open_private", "seal_private"]

_PRIVATE_HALF = label("private-half")
_VERSION = b"\1"
_FLOOR = 2048


def seal_private(auditor_public: bytes, room: bytes, commitment: bytes, evidence: bytes) -> bytes:
    """Seal the evidence of an ask under the commitment (32 bytes) that its entry will carry."""
    # Padded, or a stolen vault would tell how long a reason or an identifier was.
    return _VERSION + encrypt(auditor_public, _info(room, commitment), pad(evidence, _FLOOR))


def open_private(auditor: HpkePrivate, room: bytes, commitment: bytes, sealed: bytes) -> bytes:
    """The evidence, to be held against the commitment. SealError or FormatError when it does not open."""
    if sealed[:1] != _VERSION:
        raise SealError("sealed evidence: of no version that this program reads")
    return unpad(decrypt(auditor, _info(room, commitment), sealed[1:]))


def _info(room: bytes, commitment: bytes) -> bytes:
    if len(room) != 16 or len(commitment) != 32:
        raise SealError("sealed evidence: want a room of 16 bytes and a commitment of 32")
    return _PRIVATE_HALF + room + commitment
