"""Token buckets in whole micro-units of ledger time (SPEC.md section 8.5). Pure: state in, state out."""

from __future__ import annotations

from typing import TypeAlias

from strongroom.catalog.rate import Rate
from strongroom.errors import Refused

MICRO = 1_000_000

State: TypeAlias = tuple[int, int]
"""(level in micro-units, POSIX second it held at). ``None`` stands for a bucket never touched, which is full."""


def level(rate: Rate, state: State | None, now: int) -> int:
    """Micro-units in the bucket at ``now``. A clock standing still or gone back refills nothing."""
    full = rate.count * MICRO
    if state is None:
        return full
    was, since = state
    # Rounding down loses under one micro-unit a debit and never gives any; more than a period fills it anyway,
    # and the limit keeps the product under 2^63.
    elapsed = min(max(now - since, 0), rate.period)
    # The lower of both: a new charter may have made the bucket smaller since.
    return min(max(was, 0) + elapsed * full // rate.period, full)


def available(rate: Rate, state: State | None, now: int) -> int:
    """Whole units that could be taken at ``now``."""
    return level(rate, state, now) // MICRO


def take(rate: Rate, state: State | None, cost: int, now: int) -> State:
    """The bucket after ``cost`` units are taken at ``now``. Takes all or raises ``Refused`` (code ``budget``)."""
    if cost < 0:
        raise Refused("budget", "a cost is never negative")
    left = level(rate, state, now) - cost * MICRO
    if left < 0:
        if cost > rate.count:
            raise Refused("budget", f"{cost} is more than {rate} ever allows at once")
        after = -(left * rate.period // (rate.count * MICRO))
        raise Refused(
            "budget",
            f"{rate} is spent: {cost} asked, {cost + left // MICRO} left; enough in {_span(after)}",
            after=after,
        )
    # Time never goes back either, or the same seconds would refill twice.
    return left, now if state is None else max(now, state[1])


def _span(seconds: int) -> str:
    """A time to wait, for people: never shorter than it is."""
    minutes = -(-seconds // 60)
    if seconds < 120:
        return f"{seconds} s"
    return f"{minutes} min" if minutes < 120 else f"{-(-minutes // 60)} h"
