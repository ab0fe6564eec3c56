"""The text inside a compartment: its fields, every one of them present (SPEC.md section 3.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from strongroom.canonical import Codec, encode
from strongroom.errors import SealError

__all__ = ["decode_fields", "encode_fields", "fill"]

_CODEC: Codec[dict[str, str | None]] = Codec(dict[str, str | None], "compartment", SealError)


def fill(value: str, width: int) -> str:
    """An enum's value with spaces up to ``width`` UTF-8 bytes. SealError when longer, or already ending in a space."""
    missing = width - len(value.encode())
    if missing < 0 or value.endswith(" "):
        raise SealError("enum value: longer than its declared width, or ending in a space")
    return value + " " * missing


def encode_fields(values: Mapping[str, str | None], widths: Mapping[str, int]) -> bytes:
    """Canonical JSON, not yet padded. ``widths``: for each enum field the longest declared value's UTF-8 length.

    The caller gives every declared field of the compartment, ``None`` where there is no value. SealError when an enum
    value does not fit or a text is not Unicode.
    """
    fields = dict(values)
    try:
        for name, width in widths.items():
            value = fields.get(name)
            if value is not None:
                fields[name] = fill(value, width)
        return encode(fields)
    except UnicodeEncodeError:
        raise SealError("compartment: a value is not Unicode text") from None


def decode_fields(data: bytes, enums: Collection[str] = ()) -> dict[str, str | None]:
    """The fields; those named in ``enums`` without the spaces that ``fill`` put on. SealError when not canonical."""
    fields = _CODEC.parse(data)
    for name in enums:
        value = fields.get(name)
        if value is not None:
            fields[name] = value.rstrip(" ")
    return fields
