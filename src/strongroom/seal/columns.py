"""Many values of one width, joined into one byte string (SPEC.md section 8.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from strongroom.errors import FormatError, SealError

__all__ = ["are", "join", "put_u16s", "put_u32s", "split", "u16s", "u32s", "xor"]


def are(values: Iterable[bytes], width: int) -> bool:
    """Whether each has ``width`` bytes. Asked of every value that is sealed, so without a step of Python's for each."""
    return {*map(len, values)} <= {width}


def split(column: bytes, width: int) -> list[bytes]:
    """The values of ``column``, ``width`` bytes each. FormatError when it does not divide."""
    if width < 1 or len(column) % width:
        raise FormatError(f"column: {len(column)} bytes are not a multiple of {width}")
    return [column[at : at + width] for at in range(0, len(column), width)]


def join(values: Sequence[bytes], width: int) -> bytes:
    """The other way. SealError when a value has another width: a column must not shift."""
    if not are(values, width):
        raise SealError(f"column: each value must have {width} bytes")
    return b"".join(values)


def u16s(column: bytes) -> list[int]:
    """Big-endian 16-bit numbers. FormatError when the column does not divide."""
    return _numbers(column, 2, "H")


def u32s(column: bytes) -> list[int]:
    """Big-endian 32-bit numbers. FormatError when the column does not divide."""
    return _numbers(column, 4, "I")


def put_u16s(numbers: Sequence[int]) -> bytes:
    """The column that ``u16s`` reads. SealError when a number does not fit."""
    return _column(numbers, "H")


def put_u32s(numbers: Sequence[int]) -> bytes:
    """The column that ``u32s`` reads. SealError when a number does not fit."""
    return _column(numbers, "I")


def xor(left: bytes, right: bytes) -> bytes:
    """Byte by byte; one operation for a whole column. SealError when the lengths differ."""
    if len(left) != len(right):
        raise SealError("columns of different length")
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def _numbers(column: bytes, width: int, code: str) -> list[int]:
    if len(column) % width:
        raise FormatError(f"column: {len(column)} bytes are not a multiple of {width}")
    return list(struct.unpack(f">{len(column) // width}{code}", column))


def _column(numbers: Sequence[int], code: str) -> bytes:
    try:
        return struct.pack(f">{len(numbers)}{code}", *numbers)
    except struct.error:
        raise SealError("column: a number is out of range") from None
