"""What the houses hold of memory and files while they work, and whether it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.soak.servers import Server

_EVERY = 0.25
WARM_SECONDS = 4.0
"""Of a process's life: until then its caches fill."""
_FEWEST = 9


@dataclass(frozen=True)
class Sample:
    """``life``: which start of the house it is; ``age``: seconds since that."""

    life: int
    age: float
    memory_mb: float
    files: int


@dataclass
class Watch:
    """Samples a house until it is told to stop."""

    server: Server
    samples: list[Sample] = field(default_factory=list)
    _halt: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        born = dict[int, float]()
        while not self._halt.wait(_EVERY):
            life = self.server.starts
            memory, files = self.server.memory_mb(), self.server.open_files()
            if memory and life == self.server.starts:
                age = time.monotonic() - born.setdefault(life, time.monotonic())
                self.samples.append(Sample(life, age, memory, files))

    def stop(self) -> None:
        self._halt.set()
        self._thread.join()


def growth(samples: Sequence[Sample], *, share: float, mb: float, files: int) -> list[str]:
    """Of each life: its first third against its last, medians, once it is warm. What grew by more than ``share`` and ``mb``, or by more
    than so many ``files``, in words. Raises ``AssertionError`` when no life was long enough to tell: nothing would be proved."""
    found, judged = list[str](), 0
    for life in sorted({one.life for one in samples}):
        warm = [one for one in samples if one.life == life and one.age > WARM_SECONDS]
        if len(warm) < _FEWEST:
            continue
        judged += 1
        third = len(warm) // 3
        first, last = warm[:third], warm[-third:]
        before, after = (median(one.memory_mb for one in part) for part in (first, last))
        if after > before * (1 + share) + mb:
            found.append(f"memory grew from {before:.0f} to {after:.0f} MB")
        before, after = (median(one.files for one in part) for part in (first, last))
        if after > before + files:
            found.append(f"open files grew from {before:.0f} to {after:.0f}")
    assert judged, "no process lived long enough to be judged"
    return found
