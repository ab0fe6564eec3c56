"""Rates: one spelling each."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.catalog.rate import MOST, PERIODS, Rate, parse_rate
from strongroom.errors import FormatError


@given(st.integers(1, MOST), st.sampled_from(sorted(PERIODS)))
def test_what_is_written_is_read(count: int, period: str) -> None:
    rate = parse_rate(f"{count}/{period}")
    assert rate == Rate(count, PERIODS[period])
    assert str(rate) == f"{count}/{period}"


@pytest.mark.parametrize(
    "text",
    [
        *[
            "",
            "20",
            "/minute",
            "0/minute",
            "-1/day",
            "+1/day",
            "1_0/day",
            "１/day",
            "01/day",
            "1/Day",
            "1/days",
            "1 / day",
        ],
        *["1/day ", "1/day\n", "1.5/hour", "1e3/day", "100000001/day", "9999999999/day", "1/week"],
    ],
)
def test_nothing_else_is_a_rate(text: str) -> None:
    with pytest.raises(FormatError, match="such as 20/minute"):
        parse_rate(text)


@given(st.text(max_size=20) | st.from_regex(r"\d+/\w+"))
def test_only_our_error_escapes(text: str) -> None:
    with suppress(FormatError):
        assert str(parse_rate(text)) == text
