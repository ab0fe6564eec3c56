"""What the vault keeps of asks, sealed to the auditor alone (SPEC.md section 7.1)."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.errors import SealError
from strongroom.seal.hpke import HpkePrivate
from strongroom.seal.label import label
from strongroom.seal.padding import pad, unpad
from strongroom.seal.series import SeriesSealer, open_one

__all__ = ["PrivateSealer", "open_private", "seal_private"]

_SECRET, _KEY = label("private-halves"), label("private-half")
_VERSION = b"\2"
_FLOOR = 2048


class PrivateSealer:
    """Seals the evidence of several asks of one room under one secret, which stands before each of them, sealed to the auditor: so each
    opens alone. One hybrid encapsulation costs as much as sealing a hundred; whoever drops this object soon keeps little in memory
    that opens what is stored."""

    def __init__(self, auditor_public: bytes, room: bytes, random: Callable[[int], bytes]) -> None:
        """``random(n)`` gives n random bytes. SealError when the key cannot be used."""
        self._room = _room(room)
        self._series = SeriesSealer(auditor_public, _SECRET + room, random)

    def seal(self, commitment: bytes, evidence: bytes) -> bytes:
        """The evidence of the ask whose entry will carry ``commitment`` (32 bytes)."""
        # Padded, or a stolen vault would tell how long a reason or an identifier was.
        return _VERSION + self._series.seal(_about(self._room, commitment), pad(evidence, _FLOOR))


def seal_private(
    auditor_public: bytes, room: bytes, commitment: bytes, evidence: bytes, random: Callable[[int], bytes]
) -> bytes:
    """The same for one alone."""
    return PrivateSealer(auditor_public, room, random).seal(commitment, evidence)


def open_private(auditor: HpkePrivate, room: bytes, commitment: bytes, sealed: bytes) -> bytes:
    """The evidence, to be held against the commitment. SealError or FormatError when it does not open."""
    if sealed[:1] != _VERSION:
        raise SealError("sealed evidence: of no version that this program reads")
    return unpad(open_one(auditor, _SECRET + _room(room), _about(room, commitment), sealed[1:]))


def _room(room: bytes) -> bytes:
    if len(room) != 16:
        raise SealError("sealed evidence: want a room of 16 bytes")
    return room


def _about(room: bytes, commitment: bytes) -> bytes:
    """What is sealed for one ask opens as no other's."""
    if len(commitment) != 32:
        raise SealError("sealed evidence: want a commitment of 32 bytes")
    return _KEY + room + commitment
