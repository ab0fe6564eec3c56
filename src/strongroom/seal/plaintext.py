"""The text inside a compartment: its fields, every one of them present (SPEC.md section 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from strongroom.canonical import Codec
from strongroom.errors import SealError

__all__ = ["decode_fields", "decode_many", "encode_many", "fill"]

_CODEC: Codec[dict[str, str | None]] = Codec(dict[str, str | None], "compartment", SealError)


def fill(value: str, width: int) -> str:
    """An enum's value with spaces up to ``width`` UTF-8 bytes. SealError when longer, or already ending in a space."""
    missing = width - len(value.encode())
    if missing < 0 or value.endswith(" "):
        raise SealError("enum value: longer than its declared width, or ending in a space")
    return value + " " * missing


def encode_many(columns: Mapping[str, Sequence[str | None]], widths: Mapping[str, int]) -> list[bytes]:
    """The plaintexts of many records of one compartment: canonical JSON, not yet padded.

    ``columns``: every declared field of the compartment -> a value a record, ``None`` where there is none. ``widths``: for
    each enum field the longest declared value's UTF-8 length. SealError when an enum value does not fit or a text is not
    Unicode.
    """
    names = tuple(sorted(columns))
    try:
        filled = [_filled(columns[name], widths[name]) if name in widths else columns[name] for name in names]
        return [_encoder.encode(record) for record in map(_shape(names), *filled)]
    except UnicodeEncodeError:
        raise SealError("compartment: a value is not Unicode text") from None


# Members of a structure are written in the order of its declaration: no dict is made for each record, and nothing is sorted.
# A sixth of what that takes.
_encoder = msgspec.json.Encoder()


@lru_cache(maxsize=256)
def _shape(names: tuple[str, ...]) -> Callable[..., Any]:
    members: list[tuple[str, Any, Any]] = [
        (f"f{at}", str | None, msgspec.field(name=name)) for at, name in enumerate(names)
    ]
    return msgspec.defstruct("Compartment", members)


def _filled(column: Sequence[str | None], width: int) -> list[str | None]:
    known = {value: None if value is None else fill(value, width) for value in set(column)}
    return [known[value] for value in column]


def decode_fields(data: bytes, enums: Collection[str] = ()) -> dict[str, str | None]:
    """The fields; those named in ``enums`` without the spaces that ``fill`` put on. SealError when not canonical."""
    return decode_many([data], enums)[0]


def decode_many(texts: Sequence[bytes], enums: Collection[str] = ()) -> list[dict[str, str | None]]:
    """``decode_fields`` of each."""
    try:
        found = _CODEC.parse_lines(texts)
    except SealError:
        # Each by itself says what is wrong with it.
        found = [_CODEC.parse(text) for text in texts]
    for name in enums:
        for fields in found:
            value = fields.get(name)
            if value is not None:
                fields[name] = value.rstrip(" ")
    return found
