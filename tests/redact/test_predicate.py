"""Answers without the value, and that they say no more than asked (SPEC.md 7.5)."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.catalog.fields import parse
from strongroom.catalog.model import Test as Asked
from strongroom.catalog.types import TYPES
from strongroom.errors import ValueRejected
from strongroom.redact.mask import HIDDEN, apply
from strongroom.redact.predicate import answer, question

VECTORS: list[dict[str, Any]] = json.loads(Path("vectors/check.json").read_text("utf-8"))["checks"]
EPOCH = date(1970, 1, 1)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['test']} {v['type']}: {v['why']}")
def test_vector(vector: dict[str, Any]) -> None:
    field = sample.field(vector["type"], **vector.get("field", {}))
    asked = vector["test"], field, vector["value"], vector["asked"], vector["day"]
    if "reason" in vector:
        with pytest.raises(ValueRejected, match=f"^{re.escape(vector['reason'])}$"):
            answer(*asked)
        with pytest.raises(ValueRejected):
            question(vector["test"], field, vector["asked"])
    else:
        assert answer(*asked) is vector["answer"]


def test_vectors_ask_every_test_of_every_type_that_has_it() -> None:
    wanted = {(test, name) for name, found in TYPES.items() for test in found.tests}
    assert wanted == {(vector["test"], vector["type"]) for vector in VECTORS if "answer" in vector}


def test_a_test_that_does_not_fit_is_refused_whatever_is_asked() -> None:
    for name, found in TYPES.items():
        for test in set(get_args(Asked)) - found.tests:
            for asked in (None, "2000-01-01"):
                with pytest.raises(ValueRejected, match="does not fit"):
                    answer(test, sample.field(name), None, asked, 0)


@given(st.dates(), st.dates(min_value=EPOCH))
def test_adult_is_what_a_calendar_says(born: date, today: date) -> None:
    birthday = (born.month, born.day) if (born.month, born.day) != (2, 29) else (3, 1)
    years = today.year - born.year - ((today.month, today.day) < birthday)
    day = (today - EPOCH).days
    assert answer("adult", sample.field("date"), born.isoformat(), None, day) is (years >= 18)


@given(st.dates(max_value=date(9000, 1, 1)))
def test_nobody_grows_younger(born: date) -> None:
    """The answer turns once, from no to yes, and by no more than a day around the eighteenth birthday."""
    turn = (born - EPOCH).days + 18 * 365 + 4
    said = [answer("adult", sample.field("date"), born.isoformat(), None, turn + d) for d in range(-4, 5)]
    assert said == sorted(said, key=bool)


@given(st.integers(0, 999_999), st.integers(0, 9), st.dates(date(1900, 1, 1), date(2030, 1, 1)))
def test_a_resident_id_says_what_its_date_says(region: int, turn: int, born: date) -> None:
    value = f"{region:06}{born:%Y%m%d}00{turn}X"  # its check character plays no part here
    day = (date(2026, 11, 23) - EPOCH).days
    of_date = answer("adult", sample.field("date"), born.isoformat(), None, day)
    assert answer("adult", sample.field("resident-id"), value, None, day) is of_date
    assert answer("district", sample.field("resident-id"), value, f"{region:06}", day) is True
    assert answer("district", sample.field("resident-id"), value, f"{(region + 1) % 10**6:06}", day) is False


@given(st.sampled_from(["person-name", "address", "text", "number", "date", "email", "phone"]), st.text(max_size=30))
def test_every_value_matches_itself_as_it_was_written(name: str, raw: str) -> None:
    field = sample.field(name)
    try:
        stored = parse(field, raw)
    except ValueRejected:
        return
    if stored is not None:
        assert answer("matches", field, stored, raw, 0) is True
        assert answer("matches", field, stored, stored, 0) is True


@given(st.text(max_size=60))
def test_a_district_is_what_its_mask_shows(raw: str) -> None:
    field = sample.field("address")
    try:
        stored = parse(field, raw)
    except ValueRejected:
        return
    shown = apply("district", field, stored)
    if stored is not None and shown is not None and shown != HIDDEN:
        assert answer("district", field, stored, shown, 0) is True
        assert answer("district", field, stored, shown + " x", 0) is False


@given(st.sampled_from(sorted(TYPES)), st.sampled_from(get_args(Asked)), st.none() | st.text(max_size=40))
def test_only_our_error_escapes_and_it_never_quotes(name: str, test: Asked, asked: str | None) -> None:
    field = sample.field(name, values=["a", "bb"] if name == "enum" else [])
    try:
        said = answer(test, field, None, asked, 20_000)
    except ValueRejected as found:
        text = str(found)
    else:
        text = ""
        assert said is None
    assert asked is None or len(asked) < 3 or asked not in text
