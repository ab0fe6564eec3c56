"""Seeds and their mutations, the same on every run: what the tests do, and what is left to do without atheris."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass

from fuzz.mutate import large, mutations
from fuzz.target import Target


@dataclass(frozen=True)
class Swept:
    """How many inputs there were, how many of them were accepted, and the seconds it took."""

    inputs: int
    accepted: int
    seconds: float


def replay(target: Target) -> Swept:
    """Every seed. Raises what the target breaks with, the input beside it."""
    return _swept(target, target.corpus())


def sweep(target: Target, count: int, start: int = 0) -> Swept:
    """``count`` mutations of the seeds in turn; another ``start`` gives others."""
    return _swept(target, mutations(target.corpus(), random.Random(f"{target.name} {start}"), count))


def swell(target: Target, size: int) -> Swept:
    """Inputs of ``size`` bytes."""
    return _swept(target, large(target.corpus()[0], size))


def _swept(target: Target, inputs: Iterable[bytes]) -> Swept:
    began, accepted, count = time.perf_counter(), 0, 0
    for data in inputs:
        count += 1
        try:
            accepted += target.check(data)
        except Exception as error:
            error.add_note(f"{target.name}, input {count}: {data[:2000]!r}")
            raise
    return Swept(count, accepted, time.perf_counter() - began)
