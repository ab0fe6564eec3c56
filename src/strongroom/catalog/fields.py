"""A field's value: from what somebody wrote to what is stored, and to the form in which it is compared (SPEC.md 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import phonenumbers
from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from strongroom.catalog import values
from strongroom.catalog.image import image
from strongroom.catalog.model import Field, Holding
from strongroom.catalog.pattern import compile_pattern
from strongroom.catalog.text import clean, folded
from strongroom.catalog.types import kind as kind  # noqa: PLC0414 - part of what this module offers
from strongroom.catalog.types import width as width  # noqa: PLC0414
from strongroom.catalog.unassigned import unassigned
from strongroom.errors import ValueRejected

Parser: TypeAlias = Callable[[str], str | None]

_FORMS: dict[str, Callable[[str], str]] = {
    "resident-id": values.resident_id,
    "date": values.calendar_date,
    "number": values.number,
    "email": values.email,
    "image": image,
}

_NORMAL = frozenset(["resident-id", "phone", "number"])  # as they are stored


def parser(field: Field) -> Parser:
    """``parse`` for one field, compiled once: for columns of many values."""
    most = width(field)
    # Normalising can shorten a text, but not by more than this; longer is refused before it costs anything.
    ceiling = 4 * most + 64
    form = _FORMS.get(field.type)
    if field.type == "phone":
        form = partial(values.phone, region=field.region)
    known = frozenset(field.values) if field.type == "enum" else None
    matches = compile_pattern(field.pattern).fullmatch if field.pattern else None
    compared = field.type in ("text", "email") and field.identifier != "none"

    def parse_value(raw: str) -> str | None:
        if len(raw) > ceiling:
            raise ValueRejected(f"is longer than {most} bytes")
        value = clean(raw)
        if not value:
            if field.required:
                raise ValueRejected("is missing, and the field is required")
            return None
        if form is not None:
            value = form(value)
        if known is not None and value not in known:
            raise ValueRejected("is not one of the declared values")
        if len(value) > most or (not value.isascii() and len(value.encode()) > most):
            raise ValueRejected(f"is longer than {most} bytes")
        if matches is not None and not matches(value):
            raise ValueRejected("does not match the field's pattern")
        if compared and not value.isascii():
            if unassigned(value):
                raise ValueRejected("has a character that Unicode 14.0 does not have, and cannot be found by it")
            if not folded(value):
                raise ValueRejected("has no visible character to be found by")
        return value

    return parse_value


def parse(field: Field, raw: str) -> str | None:
    """The value to be stored for ``raw``; ``None`` where there is none (SPEC.md 6.4).

    Raises ``ValueRejected`` with the reason, never the value. ``parser`` is faster for many.
    """
    return parser(field)(raw)


def missing(holding: Holding, record: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """The fields that ``record`` (stored values by field) lacks although another of its values needs them, and why:
    a red code is nothing without what it rests on (SPEC.md 6.2). The reasons never hold a value."""
    return [
        (needed, f"is missing, and what {name} says needs it")
        for name, field in holding.fields.items()
        for needed, values_ in field.needs.items()
        if record.get(needed) is None and record.get(name) in values_
    ]


def lacking(holding: Holding, record: Mapping[str, str | None]) -> list[str]:
    """The fields that ``record`` lacks although they are required, or another of its values needs them."""
    required = [name for name, one in holding.fields.items() if one.required and record.get(name) is None]
    return required + [name for name, _ in missing(holding, record)]


def normal(field: Field, value: str) -> str:
    """The normal form (SPEC.md 2.1) of a stored ``value``, by which an identifier is compared. Never empty.

    Raises ``ValueRejected`` for a type that identifies nobody.
    """
    if field.type in _NORMAL:
        return value
    if field.type in ("email", "text"):
        return folded(value)
    raise ValueRejected(f"a {field.type} is not an identifier")


def normals(field: Field, column: Sequence[str]) -> Sequence[str]:
    """``normal`` of each."""
    return column if field.type in _NORMAL else [normal(field, value) for value in column]


def warnings(field: Field, value: str) -> list[str]:
    """What is odd about a stored ``value`` that was accepted; texts without the value."""
    if field.type == "resident-id":
        try:
            ric.get_birth_place(value)
        except ValidationError:
            return ["its region code is not assigned"]
    if field.type == "phone" and not phonenumbers.is_valid_number(phonenumbers.parse(value)):
        return ["is in no range that its country has given out"]
    return []
