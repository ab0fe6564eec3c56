"""What a job reckons that budgets allow: never less than they do, and after a refusal nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strongroom.catalog.rate import Rate, parse_rate
from strongroom.custody.pace import Pace
from strongroom.errors import Refused
from strongroom.gate import budget

RATES = st.sampled_from([1, 60, 3600, 86400]).flatmap(
    lambda period: st.builds(Rate, st.integers(1, 5000), st.just(period))
)


def test_full_spent_and_filling_again() -> None:
    pace = Pace([(parse_rate("100/hour"), 1), (parse_rate("40/minute"), 2)])
    assert (pace.most, pace.allowed(0)) == (20, 20)
    pace.spend(20, 0)
    assert (pace.allowed(0), pace.wait(20, 0), pace.wait(5, 0)) == (0, 60, 15)
    assert pace.allowed(15) == 5
    pace.refused(60)
    assert pace.allowed(60) == 0
    assert pace.wait(20, 60) == 720  # 20 of 100 an hour


def test_without_budgets_nothing_waits() -> None:
    pace = Pace([])
    assert pace.allowed(0) > 10**6
    assert (pace.wait(10**6, 0), pace.least_seconds(10**6)) == (0, 0)
    pace.spend(10**6, 0)
    pace.refused(0)
    assert pace.allowed(0) > 10**6


def test_what_is_never_allowed() -> None:
    assert Pace([(parse_rate("3/day"), 4)]).most == 0


def test_how_long_it_takes_at_the_least() -> None:
    pace = Pace([(parse_rate("1000/day"), 1)])
    assert [pace.least_seconds(n) for n in (1, 1000, 1001, 3000)] == [0, 0, 87, 2 * 86400]


@given(
    prices=st.lists(st.tuples(RATES, st.integers(1, 4)), min_size=1, max_size=4),
    steps=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 50)), max_size=20),
)
def test_alone_it_is_never_refused(prices: list[tuple[Rate, int]], steps: list[tuple[int, int]]) -> None:
    """The keyholder's own buckets, of which nobody else takes anything."""
    pace, now = Pace(prices), 1000
    states: list[budget.State | None] = [None] * len(prices)
    for seconds, wanted in steps:
        now += seconds
        records = min(wanted, pace.allowed(now))
        states = [
            budget.take(rate, state, records * cost, now) for (rate, cost), state in zip(prices, states, strict=True)
        ]
        pace.spend(records, now)


@given(prices=st.lists(st.tuples(RATES, st.integers(1, 4)), min_size=1, max_size=4), records=st.integers(1, 5000))
def test_after_the_wait_it_is_allowed(prices: list[tuple[Rate, int]], records: int) -> None:
    pace = Pace(prices)
    records = min(records, pace.most)
    pace.refused(0)
    seconds = pace.wait(records, 0)
    assert pace.allowed(seconds) >= records
    if seconds:
        assert pace.allowed(seconds - 1) < records
    for rate, cost in prices:
        try:
            budget.take(rate, (0, 0), records * cost, seconds)
        except Refused:  # pragma: no cover - the wait was too short
            raise AssertionError from None
