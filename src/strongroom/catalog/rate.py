"""How much may be read in how long: ``20/minute`` (SPEC.md sections 6.2 and 8.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from strongroom.errors import FormatError

PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MOST = 100_000_000  # with 86,400 s and micro-units the largest product still fits 63 bits

_FORM = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` units (1 to 100,000,000), filling again within ``period`` seconds."""

    count: int
    period: int

    def __str__(self) -> str:
        return f"{self.count}/{next(name for name, seconds in PERIODS.items() if seconds == self.period)}"


def parse_rate(text: str) -> Rate:
    """``N/second``, ``N/minute``, ``N/hour`` or ``N/day``; nothing else. Raises ``FormatError``."""
    # int() takes "+1", "1_0" and full-width digits, hence the form first.
    found = _FORM.fullmatch(text)
    if found is None or int(found[1]) > MOST:
        raise FormatError(f"want a rate such as 20/minute: 1 to {MOST:,} (no comma), then second, minute, hour or day")
    return Rate(int(found[1]), PERIODS[found[2]])
