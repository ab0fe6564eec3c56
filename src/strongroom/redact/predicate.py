"""An answer without the value: is adult, lives in the district, is this value (SPEC.md section 7.5).

Questions are a way of guessing, so what bounds them is not here but in the purpose: its tests, and its budgets.
"""

from __future__ import annotations

from datetime import date, timedelta

from strongroom.catalog.fields import normal, parse
from strongroom.catalog.model import Field, Test
from strongroom.catalog.text import clean, folded
from strongroom.catalog.types import TYPES
from strongroom.errors import ValueRejected
from strongroom.redact.mask import HIDDEN, apply

ADULT_YEARS = 18
_EPOCH = date(1970, 1, 1)
_NAMES = frozenset({"person-name", "address"})  # types without a normal form, yet written in more ways than one


def question(test: Test, field: Field, asked: str | None) -> str | None:
    """What the field's values will be compared with, of what a reader typed; ``None`` for ``adult``, which compares with
    nothing. To be called before the ask is sent: what can never be answered should cost no mark.

    Raises ``ValueRejected``, without the value, for a test that does not fit the field or a value that it could not have.
    """
    if test not in TYPES[field.type].tests:
        raise ValueRejected(f"the test {test} does not fit a field of type {field.type}")
    if (asked is None) != (test == "adult"):
        raise ValueRejected(f"the test {test} compares with {'nothing' if test == 'adult' else 'a value'}")
    if asked is None:
        return None
    if test == "district":
        district = folded(clean(asked))
        if not district or district == HIDDEN:
            raise ValueRejected("names no district")
        return district
    value = parse(field, asked)
    if value is None:
        raise ValueRejected("is missing, and there is nothing to compare with")
    return _compared(field, value)


def answer(test: Test, field: Field, value: str | None, asked: str | None, now_day: int) -> bool | None:
    """Whether ``test`` holds of the stored ``value`` on ``now_day`` (days since 1970-01-01 UTC); ``None`` where there is
    no value, or an address whose district nobody can tell. ``asked`` is as the reader typed it.

    Raises ``ValueRejected`` as ``question`` does, whatever the value.
    """
    wanted = question(test, field, asked)
    if value is None:
        return None
    if test == "adult":
        return _adult(value if field.type == "date" else f"{value[6:10]}-{value[10:12]}-{value[12:14]}", now_day)
    if test == "district":
        district = apply("district", field, value)
        return None if district in (None, HIDDEN) else folded(district or "") == wanted
    return _compared(field, value) == wanted


def _adult(born: str, now_day: int) -> bool:
    year, month, day = map(int, born.split("-"))
    today = _EPOCH + timedelta(days=now_day)
    # Compared as it is written: of a 29 February, 18 years later there is none, and 1 March is the first day past it.
    return (today.year, today.month, today.day) >= (year + ADULT_YEARS, month, day)


def _compared(field: Field, value: str) -> str:
    if TYPES[field.type].identifier:
        return normal(field, value)
    return folded(value) if field.type in _NAMES else value
