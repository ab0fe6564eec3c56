"""The body of a record row: its sealed compartments (SPEC.md section 3.6)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from strongroom.errors import FormatError, SealError

__all__ = ["Slot", "build", "head", "parse", "piece"]

_VERSION = 1
_HEAD, _SLOT = struct.Struct(">BH"), struct.Struct(">H16sI")


class Slot(NamedTuple):
    """One compartment as it is stored: number, hidden person (16 bytes), sealed compartment."""

    compartment: int
    masked: bytes
    blob: bytes


# Without the class's own way, which is a step of Python's for each.
_slot = partial(tuple.__new__, Slot)


def head(count: int) -> bytes:
    """What a body of ``count`` compartments begins with; ``piece`` of each follows, ascending."""
    return _HEAD.pack(_VERSION, count)


def piece(compartment: int, masked: bytes, blob: bytes) -> bytes:
    """One slot's bytes within the body. Widths are the caller's duty: this is the sealing loop's own step."""
    return _SLOT.pack(compartment, masked, len(blob)) + blob


def pieces(compartment: int, masked: Sequence[bytes], blobs: Sequence[bytes]) -> list[bytes]:
    """``piece`` of each."""
    pack = _SLOT.pack
    return [pack(compartment, who, len(blob)) + blob for who, blob in zip(masked, blobs, strict=True)]


def build(slots: Sequence[Slot]) -> bytes:
    """The body of these slots. SealError when they are not ascending from 1, or a width is wrong."""
    numbers = [slot.compartment for slot in slots]
    if not slots or min(numbers) < 1 or max(numbers) >= 1 << 16 or numbers != sorted(set(numbers)):
        raise SealError("body: want compartments, ascending, from 1")
    if any(len(slot.masked) != 16 or not slot.blob for slot in slots):
        raise SealError("body: want a masked person of 16 bytes and a sealed compartment")
    return head(len(slots)) + b"".join(piece(*slot) for slot in slots)


def parse(body: bytes) -> list[Slot]:
    """The slots, ascending. FormatError on anything that ``build`` does not write."""
    size = len(body)
    if size < _HEAD.size:
        raise FormatError("record body: too short")
    version, count = _HEAD.unpack_from(body)
    if version != _VERSION:
        raise FormatError(f"record body: version {version}; this program reads version {_VERSION}")
    slots, at, last = [], _HEAD.size, 0
    for _ in range(count):
        start = at + _SLOT.size
        if start > size:
            raise FormatError("record body: cut off")
        number, masked, length = _SLOT.unpack_from(body, at)
        if number <= last:
            raise FormatError("record body: compartments not ascending from 1")
        at, last = start + length, number
        if not length or at > size:
            raise FormatError("record body: a sealed compartment is empty or cut off")
        slots.append(_slot((number, masked, body[start:at])))
    if not slots or at != size:
        raise FormatError("record body: no compartment, or bytes after the last")
    return slots
