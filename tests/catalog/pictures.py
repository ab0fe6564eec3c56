"""The smallest pictures of each kind, and ways to break them."""

from __future__ import annotations

import base64
import struct
import zlib


def png(width: int = 1, height: int = 1, depth: int = 8, colour: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0", 9)) + chunk(b"IEND", b"")
    )


def jpeg(width: int = 1, height: int = 1, frame: int = 0xC0) -> bytes:
    """A grey picture: its frame is whole, its scan holds one block."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    return b"".join(
        [
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(frame, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)),
            segment(0xC4, b"\0" + b"\1" + b"\0" * 15 + b"\0"),
            segment(0xDA, b"\1\1\0\0\x3f\0"),
            b"\x3f\xff\xd9",
        ]
    )


def webp(width: int = 1, height: int = 1) -> bytes:
    """A lossless one."""
    packed = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", packed) + bytes.fromhex("0710111188 88fe0700".replace(" ", ""))[:9]
    data += b"\0" * (len(data) % 2)
    return riff(b"VP8L", data)


def webp_extended(width: int = 1, height: int = 1) -> bytes:
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return riff(b"VP8X", b"\0\0\0\0" + sides)


def webp_lossy(width: int = 1, height: int = 1) -> bytes:
    return riff(b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0\0")


def riff(kind: bytes, data: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBP" + kind + struct.pack("<I", len(data)) + data


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()
