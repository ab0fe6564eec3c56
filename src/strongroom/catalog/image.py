"""Pictures as values: a PNG, JPEG or WebP in base64, known by its bytes alone (SPEC.md section 6.4).

Only the frame is read, never what is shown: that its kind and sides are plausible, and that it ends where its format
ends, so that nothing is cut off and nothing hidden behind it. Nothing here decodes, compares or searches a picture.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable

from strongroom.errors import ValueRejected

MAX_SIDE = 16_383  # pixels: the most that a WebP has, and no small file that unfolds into gigabytes

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
# Colour type -> bit depths (PNG, third edition, table 11.1).
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # JPEG's baseline, extended and progressive, which everybody reads
_OTHER_FRAMES = frozenset(range(0xC0, 0xD0)) - _FRAMES - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length: none belongs before the first frame

Sides = tuple[int, int]


def image(text: str) -> str:
    """Canonical base64 of the picture that ``text`` is base64 of; white space within is left out."""
    packed = text.replace(" ", "")
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise ValueRejected("want a picture in base64") from None
    sides = next((read(data) for begins, read in _KINDS if begins(data)), None)
    if sides is None:
        raise ValueRejected("want a PNG, JPEG or WebP, whole and with nothing after it")
    if not all(1 <= side <= MAX_SIDE for side in sides):
        raise ValueRejected(f"want a picture with sides of 1 to {MAX_SIDE} pixels")
    return base64.b64encode(data).decode()


def _png(data: bytes) -> Sides | None:
    header, check = data[12:29], data[29:33]
    if data[8:12] != b"\0\0\0\x0d" or header[:4] != b"IHDR" or not data.endswith(_PNG_END):
        return None
    if len(check) < 4 or zlib.crc32(header) != _big(check) or header[12] not in _DEPTHS.get(header[13], ()):
        return None
    if header[14] or header[15] or header[16] > 1:  # one compression, one filter, interlaced or not
        return None
    return _big(header[4:8]), _big(header[8:12])


def _jpeg(data: bytes) -> Sides | None:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data.endswith(b"\xff\xd9"):
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        length = _big(data[at + 2 : at + 4])
        if marker in _OTHER_FRAMES or marker in _BARE or length < 2 or at + 2 + length > len(data):
            return None
        if marker in _FRAMES:
            frame = data[at + 4 : at + 2 + length]
            if len(frame) < 6 or frame[0] not in (8, 12) or frame[5] not in (1, 3, 4) or len(frame) != 6 + 3 * frame[5]:
                return None
            return _big(frame[3:5]), _big(frame[1:3])
        at += 2 + length
    return None


def _webp(data: bytes) -> Sides | None:
    # RIFF counts what follows it, in little-endian, and pads to an even length.
    size = _little(data[4:8])
    if size % 2 or size + 8 != len(data) or len(data) < 30:
        return None
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and not body[0] & 1:
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    if kind == b"VP8L" and body[0] == 0x2F and body[4] >> 5 == 0:
        packed = _little(body[1:5])
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and _little(data[16:20]) == 10:
        return _little(body[4:7]) + 1, _little(body[7:10]) + 1
    return None


_KINDS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Sides | None]], ...] = (
    (lambda data: data.startswith(_PNG), _png),
    (lambda data: data.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
)


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
