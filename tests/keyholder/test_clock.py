"""The ledger's time never goes back, and no jump is believed (SPEC.md 8.3)."""

from __future__ import annotations

import pytest

from strongroom.drill.stage import Hands
from strongroom.errors import Refused
from strongroom.keyholder.clock import TOLERANCE, Clock


@pytest.fixture
def hands() -> Hands:
    hands = Hands()
    hands.wall_time = 1_000_000.5
    return hands


@pytest.fixture
def clock(hands: Hands) -> Clock:
    return Clock(hands.wall, hands.steady)


def test_whole_seconds_of_the_wall(clock: Clock, hands: Hands) -> None:
    assert clock.now(0) == 1_000_000
    hands.wait(0.5)
    assert clock.now(0) == 1_000_001


def test_never_before_the_last_entry(clock: Clock) -> None:
    assert clock.now(1_000_040) == 1_000_040


@pytest.mark.parametrize("seconds", [TOLERANCE + 1, -TOLERANCE - 1, 86_400 * 365, -1_000_000])
def test_a_jump_stops_it_and_putting_it_right_mends_it(clock: Clock, hands: Hands, seconds: float) -> None:
    hands.jump(seconds)
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            clock.now(0)
        assert caught.value.code == "clock"
    hands.jump(-seconds)
    assert clock.now(0) == 1_000_000


@pytest.mark.parametrize("seconds", [TOLERANCE - 1, 1 - TOLERANCE])
def test_small_steps_are_let_pass(clock: Clock, hands: Hands, seconds: float) -> None:
    hands.jump(seconds)
    assert clock.now(0) == int(1_000_000.5 + seconds)


def test_far_behind_the_last_entry(clock: Clock) -> None:
    with pytest.raises(Refused, match="behind the last entry"):
        clock.now(1_000_000 + int(TOLERANCE) + 1)


def test_a_restart_believes_the_wall_but_not_behind_the_ledger(hands: Hands) -> None:
    hands.jump(-3600)
    again = Clock(hands.wall, hands.steady)
    assert again.now(0) == 1_000_000 - 3600
    with pytest.raises(Refused):
        again.now(1_000_000)


def test_a_real_clock_runs() -> None:
    assert Clock().now(0) > 1_700_000_000
