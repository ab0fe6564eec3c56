"""A column of values at once: what ``fields.parser`` says of each, found for most of them together (SPEC.md section 6.4).

Most values of a clean source are stored exactly as they are written. That is seen for a block of them in a few steps over
their joined text, at a fifth of the cost; a block in which any value is not so goes value by value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple, TypeAlias

from strongroom.catalog import fields, text, values
from strongroom.catalog.model import Field
from strongroom.errors import ValueRejected

__all__ = ["Column", "Parsed"]

_BLOCK = 100  # one odd value sends so many the slow way
_FEW = 8  # for which the steps over their joined text cost more than they save

Stands: TypeAlias = Callable[[list[str], str], bool]
"""Of values that are not empty, and of all of them joined by line feeds, which none of them has: whether each is stored as
it is. May say no where it is so."""

_DATES = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:\n|\Z))*+")
_IDS = re.compile(r"(?:[0-9]{17}[0-9X](?:\n|\Z))*+")
_NUMBERS = re.compile(r"(?:(?:-?(?:[1-9][0-9]*+(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])|0)(?:\n|\Z))*+")
# Of ``values.phone``'s two short ways, and of its region.
_PHONES = re.compile(r"(?:\+8610[0-9]{8}(?:\n|\Z))*+")
_PHONES_CN = re.compile(r"(?:\+86(?:10[0-9]{8}|1[3-9][0-9]{9})(?:\n|\Z))*+")
# Of ``values.email``'s, with the domain in lower case already.
_EMAILS = re.compile(
    r"(?:[A-Za-z0-9_]++(?:[.+-][A-Za-z0-9_]++)*+@(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)++[a-z]{2,24}(?:\n|\Z))*+"
)


class Parsed(NamedTuple):
    """``values``: one for each that was handed in, None where there is none or it is wrong. ``wrong``: place and reason of
    those that are, in order; a reason never holds the value."""

    values: list[str | None]
    wrong: list[tuple[int, str]]


class Column:
    """The rules of one field, compiled once."""

    def __init__(self, field: Field) -> None:
        self._one = fields.parser(field)
        self._required, self._most = field.required, fields.width(field)
        self._stands = _stands(field, self._one)

    def parse(self, raws: Sequence[str]) -> Parsed:
        """What ``fields.parse`` gives for each of ``raws``."""
        found = Parsed([], [])
        for start in range(0, len(raws), _BLOCK):
            block = raws[start : start + _BLOCK]
            if len(block) > _FEW and self._together(block):
                found.values.extend([raw or None for raw in block])
            else:
                self._each(start, block, found)
        return found

    def _together(self, block: Sequence[str]) -> bool:
        written = [raw for raw in block if raw]
        if self._stands is None or not written or (self._required and len(written) < len(block)):
            return False
        joined = "\n".join(written)
        if joined.count("\n") >= len(written) or not self._fits(written, plain=joined.isascii()):
            return False
        return self._stands(written, joined)

    def _fits(self, written: list[str], *, plain: bool) -> bool:
        longest = max(map(len, written))
        return longest <= self._most and (
            plain
            or 4 * longest <= self._most
            or max(len(one.encode("utf-8", "surrogatepass")) for one in written) <= self._most
        )

    def _each(self, start: int, block: Sequence[str], found: Parsed) -> None:
        for at, raw in enumerate(block, start):
            try:
                found.values.append(self._one(raw))
            except ValueRejected as reason:
                found.values.append(None)
                found.wrong.append((at, str(reason)))


def _stands(field: Field, one: fields.Parser) -> Stands | None:
    """None for a type that has no common shape."""
    if field.type == "enum":
        return partial(_among, frozenset(value for value in field.values if _is_itself(one, value)))
    shapes: dict[str, Stands] = {
        "resident-id": _resident_ids,
        "date": _dates,
        "number": partial(_shaped, _NUMBERS),
        "email": _emails,
        "phone": partial(_shaped, _PHONES_CN if field.region == "CN" else _PHONES),
        "person-name": _clean,
        "address": _clean,
        # As an identifier it is looked at more closely unless it is ASCII.
        "text": _clean if field.identifier == "none" else _clean_ascii,
    }
    shape = shapes.get(field.type)
    return partial(_matching, one, shape) if shape and field.pattern else shape


def _is_itself(one: fields.Parser, value: str) -> bool:
    try:
        return one(value) == value
    except ValueRejected:
        return False


def _among(known: frozenset[str], written: list[str], joined: str) -> bool:
    return known.issuperset(written)


def _matching(one: fields.Parser, shape: Stands, written: list[str], joined: str) -> bool:
    return shape(written, joined) and all(_is_itself(one, value) for value in set(written))


def _clean(written: list[str], joined: str) -> bool:
    return text.clean_lines(joined)


def _clean_ascii(written: list[str], joined: str) -> bool:
    return joined.isascii() and text.clean_lines(joined)


def _resident_ids(written: list[str], joined: str) -> bool:
    return (
        bool(_IDS.fullmatch(joined)) and all(map(values.checks, written)) and _real([value[6:14] for value in written])
    )


def _dates(written: list[str], joined: str) -> bool:
    return bool(_DATES.fullmatch(joined)) and _real(written)


def _real(days: list[str]) -> bool:
    try:
        list(map(date.fromisoformat, days))
    except ValueError:
        return False
    return True


def _shaped(shape: re.Pattern[str], written: list[str], joined: str) -> bool:
    return bool(shape.fullmatch(joined))


def _emails(written: list[str], joined: str) -> bool:
    return bool(_EMAILS.fullmatch(joined)) and all(map(values.is_short_email, written))
