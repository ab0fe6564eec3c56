"""Whether two lists of the same people, each put in some order, agree better than by chance (part of ``links``)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import eq, mul
from random import Random
from statistics import NormalDist
from typing import NamedTuple, TypeAlias

Values: TypeAlias = Sequence[Sequence[int]]
"""For each group of people, what is seen of each of them, in the order that is to be found out."""

CHANCE = 1e-6
"""How often a drill may fail by chance."""


class Best(NamedTuple):
    """The best of ``tried`` pairs of orders: by ``right`` pairs of people, and by correlation (``sigmas`` from none)."""

    tried: int
    people: int
    groups: int
    right: int
    sigmas: float
    named: str

    @property
    def chance(self) -> bool:
        """Whether so much comes about by chance."""
        allowed = CHANCE / max(self.tried, 1)
        return self.sigmas < NormalDist().inv_cdf(1 - allowed / 2) and _tail(self.right, self.groups) > allowed

    def __str__(self) -> str:
        return f"{self.right} of {self.people} pairs right at best, correlation {self.sigmas:.1f} sigma"


class _Ranked(NamedTuple):
    centred: list[float]
    """Rank less the middle of its group; groups one after the other."""
    squares: list[float]
    """Of each group the sum of their squares."""
    distinct: bool


def best(left: Mapping[str, Values], right: Mapping[str, Values]) -> Best:
    """Hold each order of the one list against each of the other. One that tells nobody apart counts as tried."""
    found, sizes = Best(len(left) * len(right), 0, 0, 0, 0.0, ""), [len(group) for group in next(iter(left.values()))]
    found = found._replace(people=sum(sizes), groups=len(sizes))
    ours = {name: _ranked(values) for name, values in left.items()}
    theirs = {name: _ranked(values) for name, values in right.items()}
    for one, a in ours.items():
        for other, b in theirs.items():
            sigmas = abs(_sigmas(a, b, sizes))
            pairs = sum(map(eq, a.centred, b.centred)) if a.distinct and b.distinct else 0
            if sigmas > found.sigmas:
                found = found._replace(sigmas=sigmas, named=f"{one} and {other}")
            if pairs > found.right:
                found = found._replace(right=pairs)
    return found


def by_lot(values: Mapping[str, Values], seed: int = 1) -> dict[str, list[list[int]]]:
    """The same with people drawn by lot within their groups: what chance gives."""
    rng = Random(seed)  # noqa: S311 - it decides nothing
    orders: list[list[int]] = []
    for group in next(iter(values.values())):
        orders.append(list(range(len(group))))
        rng.shuffle(orders[-1])
    return {
        name: [[group[at] for at in order] for group, order in zip(groups, orders, strict=True)]
        for name, groups in values.items()
    }


def _sigmas(a: _Ranked, b: _Ranked, sizes: Sequence[int]) -> float:
    """How far the sum of products is from none, in standard deviations over all ways to pair people within groups."""
    spread = sum(p * q / (n - 1) for p, q, n in zip(a.squares, b.squares, sizes, strict=True) if n > 1)
    return sum(map(mul, a.centred, b.centred)) / math.sqrt(spread) if spread else 0.0


def _ranked(values: Values) -> _Ranked:
    centred: list[float] = []
    squares: list[float] = []
    for group in values:
        own = _ranks(group)
        centred += own
        squares.append(sum(rank * rank for rank in own))
    return _Ranked(centred, squares, all(len(set(group)) == len(group) for group in values))


def _ranks(group: Sequence[int]) -> list[float]:
    """Mean ranks, less their middle."""
    counts, first = Counter(group), dict[int, int]()
    for place, value in enumerate(sorted(group)):
        first.setdefault(value, place)
    return [first[value] + (counts[value] - len(group)) / 2 for value in group]


def _tail(right: int, mean: float) -> float:
    """How often chance pairs so many or more: of a list that is shuffled, one stays in its place on average."""
    return 1 - math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(right))
