"""Canonical JSON: one text for one value (SPEC.md section 1.3; RFC 8785 without fractions)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar, dataclass_transform

import msgspec

from strongroom.errors import FormatError, StrongroomError

T = TypeVar("T")

Number = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
U16 = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]
U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Bytes12 = Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]
Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
HpkePublic = Annotated[bytes, msgspec.Meta(min_length=1216, max_length=1216)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z")]

_encoder = msgspec.json.Encoder(order="sorted")


# msgspec hands `frozen` down to subclasses; mypy has to be told.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every structure that is written as canonical JSON."""


def encode(value: Any) -> bytes:
    """Canonical bytes of a ``Record``, dict, list, string or integer. Floats have no place in ours."""
    return _encoder.encode(value)


class Codec(Generic[T]):
    """Parses one type, accepting exactly what ``encode`` emits.

    ``error`` is what ``parse`` raises; its text names ``what`` and the member, never a value.
    """

    def __init__(self, kind: Any, what: str, error: type[StrongroomError] = FormatError) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._what, self._error = what, error

    def parse(self, data: bytes) -> T:
        try:
            found: T = self._decoder.decode(data)
        except msgspec.ValidationError as error:
            raise self._error(f"{self._what}: {without_value(str(error))}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._error(f"{self._what}: not JSON") from None
        # Order, spacing, escapes, duplicate members and base64 forms: only encoding again settles them.
        if _encoder.encode(found) != data:
            raise self._error(f"{self._what}: not canonical")
        return found

    def parse_lines(self, data: Sequence[bytes]) -> list[T]:
        """As ``parse`` of each, decoded and encoded together, which takes half the time. What is raised does not say which is wrong."""
        lines = b"\n".join([*data, b""])
        try:
            found: list[T] = self._decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._error(f"{self._what}: one does not fit its schema") from None
        # No encoding has a line feed within it: as many of them, equal together, are equal each.
        if len(found) != len(data) or _encoder.encode_lines(found) != lines:
            raise self._error(f"{self._what}: one is not canonical")
        return found


# Of msgspec's messages only these quote nothing but the schema. An unknown member's name or a value of a closed set is
# the sender's text, and may even be shaped like the place that msgspec appends.
_SAFE = ("Expected ", "Invalid base64", "Object missing required field ")


def without_value(message: str) -> str:
    """What msgspec says of a message that does not fit its schema, where that quotes nothing of it."""
    if message.startswith(_SAFE):
        return message
    return "a member or value that its schema does not have"
