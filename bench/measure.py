"""Clocks, percentiles, memory, and the disk: what every measurement here is made of."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests import processes


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spread_of(times: Iterable[float]) -> str:
    """p50 and p99, in milliseconds."""
    ordered = sorted(times)
    return f"p50 {at(ordered, 0.5) * 1e3:.2f} ms, p99 {at(ordered, 0.99) * 1e3:.2f} ms"


def at(ordered: Sequence[float], part: float) -> float:
    """The percentile: of sorted times, that below which ``part`` of them lie."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


@dataclass(frozen=True)
class Ran:
    """A command at its end: seconds, its own and its children's processor, and their memory together (MB, proportional):
    the peak of the first half, and in all."""

    seconds: float
    processor: float
    half: float
    peak: float


def run(arguments: list[str]) -> Ran:
    """Run a command to its end. Raises ``SystemExit`` where it fails."""
    before, began = _children(), time.perf_counter()
    running = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    seen: list[float] = []
    while running.poll() is None:
        seen.append(processes.memory_mb(running.pid))
        time.sleep(0.2)
    if running.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {running.returncode}")
    took = time.perf_counter() - began
    return Ran(took, _children() - before, max(seen[: len(seen) // 2] or seen), max(seen))


def _children() -> float:
    """Processor seconds of children that have ended, their own included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Disk:
    """Seconds of one fsync after 4 KiB, and of one commit of SQLite (WAL, FULL)."""

    p50: float
    p99: float
    commit: float


def disk(directory: Path) -> Disk:
    """The disk's own fsync, beside which all else is to be read."""
    path, times = directory / "fsync", list[float]()
    with path.open("wb") as file:
        for _ in range(500):
            file.write(os.urandom(4096))
            file.flush()
            times.append(seconds(lambda: os.fsync(file.fileno())))
    path.unlink()
    with closing(sqlite3.connect(directory / "commit.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE one (x)")
        commits = sorted(seconds(lambda: database.execute("INSERT INTO one VALUES (1)")) for _ in range(300))
    (directory / "commit.db").unlink()
    times.sort()
    return Disk(at(times, 0.5), at(times, 0.99), at(commits, 0.5))
