"""A bucket never gives more than its rate says, over any sequence (SPEC.md 8.5)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.catalog.rate import MOST, PERIODS, Rate
from strongroom.errors import Refused
from strongroom.gate.budget import MICRO, State, available, level, take

rates = st.builds(Rate, st.integers(1, MOST) | st.integers(1, 30), st.sampled_from(sorted(PERIODS.values())))
small = st.builds(Rate, st.integers(1, 30), st.sampled_from(sorted(PERIODS.values())))
steps = st.lists(st.tuples(st.integers(-100, 4000), st.integers(0, 12)), min_size=1, max_size=80)


@given(small, steps, st.integers(0, 2**40))
def test_never_more_than_the_rate_over_any_stretch(rate: Rate, steps: list[tuple[int, int]], start: int) -> None:
    state: State | None = None
    now = start
    given_out: list[tuple[int, int]] = []
    for step, cost in steps:
        now = max(0, now + step)
        before = state
        held = available(rate, state, now)
        try:
            state = take(rate, state, cost, now)
        except Refused:
            assert (cost > held, state) == (True, before)
            continue
        assert cost <= held
        assert 0 <= state[0] <= rate.count * MICRO
        # Not the latest time that was tried: what was refused has moved no clock.
        given_out.append((state[1], cost))
    for first in range(len(given_out)):
        spent = 0
        for at, cost in given_out[first:]:
            spent += cost
            assert spent * rate.period <= rate.count * (rate.period + at - given_out[first][0])


@given(rates, st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_arithmetic_fits_63_bits(rate: Rate, was: int, since: int, now: int) -> None:
    found = level(rate, (was, since), now)
    assert 0 <= found <= rate.count * MICRO < 2**53
    assert rate.period * rate.count * MICRO < 2**63


@given(small, st.integers(0, 2**40), st.lists(st.integers(0, 200_000), min_size=2, max_size=8).map(sorted))
def test_waiting_never_takes_away(rate: Rate, start: int, waits: list[int]) -> None:
    state = take(rate, None, rate.count, start)
    assert all(available(rate, state, start + a) <= available(rate, state, start + b) for a, b in pairwise(waits))
    assert available(rate, state, start) == 0
    assert available(rate, state, start + rate.period) == rate.count


@given(small, st.integers(0, 2**40), st.integers(0, 30), st.integers(0, 4000), st.integers(1, 40))
def test_who_waits_as_long_as_is_said_is_given_it(rate: Rate, start: int, spent: int, wait: int, cost: int) -> None:
    state, now = take(rate, None, min(spent, rate.count), start), start + wait
    if cost <= available(rate, state, now):
        return
    with pytest.raises(Refused) as caught:
        take(rate, state, cost, now)
    after = caught.value.after
    assert (after is None) == (cost > rate.count)
    if after is not None:
        assert 0 < after <= rate.period
        take(rate, state, cost, now + after)
        # Rounding may cost a second, and no more.
        assert available(rate, state, now + after - 2) < cost


def test_a_clock_gone_back_refills_nothing_twice() -> None:
    rate = Rate(60, 60)
    state = take(rate, None, 60, 1000)
    state = take(rate, state, 10, 1010)
    for now in (1010, 900, 0, 1010):
        assert available(rate, state, now) == 0
    with pytest.raises(Refused, match="spent"):
        take(rate, state, 1, 900)
    assert take(rate, (60 * MICRO, 1000), 1, 5) == (59 * MICRO, 1000)


def test_a_smaller_rate_takes_effect_at_once() -> None:
    assert available(Rate(5, 60), (100 * MICRO, 1000), 1000) == 5


@pytest.mark.parametrize(
    ("rate", "cost", "when"),
    [
        (Rate(2, 86400), 1, "12 h"),
        (Rate(20, 60), 20, "60 s"),
        (Rate(100, 86400), 7, "101 min"),
        (Rate(7, 86400), 1, "4 h"),
    ],
)
def test_it_says_when_there_is_enough_again(rate: Rate, cost: int, when: str) -> None:
    state = take(rate, None, rate.count, 1000)
    with pytest.raises(Refused, match=f"{cost} asked, 0 left; enough in {when}$"):
        take(rate, state, cost, 1000)


def test_what_can_never_be_paid_is_said_so() -> None:
    with pytest.raises(Refused, match="more than 5/minute ever"):
        take(Rate(5, 60), None, 6, 0)
    with pytest.raises(Refused, match="negative"):
        take(Rate(5, 60), None, -1, 0)
