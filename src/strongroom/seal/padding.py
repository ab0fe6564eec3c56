"""Plaintexts grow to a few sizes only, so that a length says little (SPEC.md section 3.5).

Padmé: Nikitin et al., Reducing Metadata Leakage from Encrypted Files and Communication with PURBs, 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.errors import FormatError, SealError

__all__ = ["pad", "pad_many", "padded_size", "unpad", "unpad_many"]

_END = b"\x80"
_LARGEST_FLOOR = 524_288


def padded_size(n: int, floor: int) -> int:
    """pad(n) of the SPEC. ``floor`` is a multiple of 64 from 64 to 524,288, else SealError."""
    if not 64 <= floor <= _LARGEST_FLOOR or floor % 64:
        raise SealError(f"padding floor: want a multiple of 64 from 64 to {_LARGEST_FLOOR:,}")
    if n <= floor:
        return floor
    if n <= 1024:
        return (n + 63) & -64
    exponent = n.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return (n + step - 1) & -step


def pad(data: bytes, floor: int) -> bytes:
    """``data``, the byte 80, and zeros up to ``padded_size(len(data) + 1, floor)``."""
    return (data + _END).ljust(padded_size(len(data) + 1, floor), b"\0")


def pad_many(column: Sequence[bytes], floor: int) -> list[bytes]:
    """``pad`` of each. Most fit the floor, and need no size worked out."""
    padded_size(1, floor)
    return [(data + _END).ljust(floor, b"\0") if len(data) < floor else pad(data, floor) for data in column]


def unpad(padded: bytes) -> bytes:
    """What was padded. FormatError when no floor leads to this length, or the fill is not 80 and zeros."""
    data, end, fill = padded.rpartition(_END)
    # Compared, since to strip it takes ten times as long.
    if not end or fill != bytes(len(fill)):
        raise FormatError("padding: does not end in 80 and zeros")
    # Any small multiple of 64 may have been the floor, which is the catalog's and may since have changed.
    if len(padded) % 64 or (len(padded) > _LARGEST_FLOOR and len(padded) != padded_size(len(data) + 1, 64)):
        raise FormatError("padding: of no size that is written")
    return data


def unpad_many(column: Sequence[bytes]) -> list[bytes]:
    """``unpad`` of each. What is of the usual sizes is compared at once; where something is odd, each is looked at."""
    parts = [padded.rpartition(_END) for padded in column]
    ends, fills = b"".join([end for _, end, _ in parts]), b"".join([fill for _, _, fill in parts])
    usual = all(size % 64 == 0 and size <= _LARGEST_FLOOR for size in {*map(len, column)})
    if usual and ends == _END * len(parts) and fills == bytes(len(fills)):
        return [data for data, _, _ in parts]
    return [unpad(padded) for padded in column]
