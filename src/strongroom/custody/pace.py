"""How fast a job may go under the charter's budgets, reckoned here so that it seldom has to be refused (SPEC.md section 8.5).

Only the keyholder knows how full a bucket is, since others draw on it too. What is reckoned is the most that it can hold; after a
refusal, that it is empty. Pure: handed the time.
"""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.catalog.model import Charter, Purpose
from strongroom.catalog.rate import Rate, parse_rate
from strongroom.gate.budget import MICRO, State, available, level

_UNBOUNDED = 10**9


class Pace:
    """``prices``: each rate that bounds the job, and what one record costs of it (from 1)."""

    def __init__(self, prices: Iterable[tuple[Rate, int]]) -> None:
        self._prices = list(prices)
        self._states: list[State | None] = [None] * len(self._prices)

    @property
    def most(self) -> int:
        """Records that all budgets, when full, allow at once; 0 where one never allows even one."""
        return min((rate.count // cost for rate, cost in self._prices), default=_UNBOUNDED)

    def allowed(self, now: int) -> int:
        """Records that may go now, as far as is known here."""
        return min(
            (
                available(rate, state, now) // cost
                for (rate, cost), state in zip(self._prices, self._states, strict=True)
            ),
            default=_UNBOUNDED,
        )

    def spend(self, records: int, now: int) -> None:
        """They went."""
        self._states = [
            (max(level(rate, state, now) - records * cost * MICRO, 0), now)
            for (rate, cost), state in zip(self._prices, self._states, strict=True)
        ]

    def refused(self, now: int) -> None:
        """One of the buckets had too little, and nobody says which."""
        self._states = [(0, now)] * len(self._prices)

    def wait(self, records: int, now: int) -> int:
        """Seconds until so many may go; at most ``most``."""
        return max(
            (
                -(-(records * cost * MICRO - level(rate, state, now)) * rate.period // (rate.count * MICRO))
                for (rate, cost), state in zip(self._prices, self._states, strict=True)
            ),
            default=0,
        )

    def least_seconds(self, records: int) -> int:
        """How long so many take at the least, from full buckets."""
        return max(
            (-(-max(records * cost - rate.count, 0) * rate.period // rate.count) for rate, cost in self._prices),
            default=0,
        )


def of_corrections(charter: Charter, holding: str, purpose: str, intake: str, identifiers: int) -> Pace:
    """Of corrections under ``purpose`` whose records' ``identifiers`` (so many each) are indexed anew under ``intake``."""
    prices: list[tuple[Rate, int]] = []
    own, indexing = charter.purposes.get(purpose), charter.purposes.get(intake)
    if own is not None:
        # One purpose for both draws on its buckets twice.
        cost = 1 + (identifiers if intake == purpose else 0)
        prices += [(parse_rate(text), cost) for text in _rates(own)]
        shared = [*charter.budgets.holdings.get(holding, []), *charter.budgets.room]
        prices += [(parse_rate(text), 1) for text in shared]
    if indexing is not None and identifiers and intake != purpose:
        prices += [(parse_rate(text), identifiers) for text in _rates(indexing)]
    return Pace(prices)


def _rates(purpose: Purpose) -> list[str]:
    return [*purpose.budgets.reader, *purpose.budgets.unit, *purpose.budgets.purpose]
