"""The ledger's own time: never backwards, and no jump believed (SPEC.md section 8.3)."""

from __future__ import annotations

import time
from collections.abc import Callable

from strongroom.errors import Refused

TOLERANCE = 60.0


def _steady() -> float:
    # Goes on through a suspended machine, where CLOCK_MONOTONIC stands still and would look like a jump.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Clock:
    """Whole seconds. ``wall`` may be set by anyone with root; ``steady`` only runs."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = _steady) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()

    def now(self, last: int) -> int:
        """Ledger time, given the last entry's. Raises ``Refused`` with code ``clock``."""
        wall = self._wall()
        drift = wall - self._steady() - self._offset
        if abs(drift) > TOLERANCE:
            raise Refused("clock", f"the clock was moved by {drift:+.0f} s; mend it, then restart the keyholder")
        if last - wall > TOLERANCE:
            raise Refused("clock", f"the clock is {last - wall:.0f} s behind the last entry; mend it, then restart")
        return max(int(wall), last)
