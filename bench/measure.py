"""Clocks, percentiles, memory and lines: what every measurement here is made of."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spread(times: Iterable[float]) -> str:
    """p50, p99 and slowest, in milliseconds."""
    ordered = sorted(times)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1e3 for part in (0.5, 0.99)]
    return f"p50 {at[0]:.2f} ms, p99 {at[1]:.2f} ms, slowest {ordered[-1] * 1e3:.2f} ms ({len(ordered)} times)"


def run(arguments: list[str]) -> tuple[float, float, float]:
    """Run a command to its end: seconds, and the memory (MB, proportional) of all its processes together: peak of the first half, peak."""
    began = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, start_new_session=True)
    seen: list[float] = []
    while process.poll() is None:
        seen.append(_session_mb(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - began, max(seen[: len(seen) // 2] or seen), max(seen)


def _session_mb(session: int) -> float:
    total = 0
    for directory in Path("/proc").iterdir():
        try:
            if directory.name.isdigit() and os.getsid(int(directory.name)) == session:
                rollup = (directory / "smaps_rollup").read_text()
                total += next(int(text.split()[1]) for text in rollup.splitlines() if text.startswith("Pss:"))
        except (OSError, StopIteration):
            continue  # it ended meanwhile
    return total / 1024


def line(what: str, figure: str) -> None:
    print(f"  {what:<46} {figure}", flush=True)


def disk(directory: Path) -> float:
    """The disk's own fsync, beside which all else is to be read. Returns its median in seconds."""
    path, times = directory / "fsync", []
    with path.open("wb") as file:
        for _ in range(300):
            file.write(os.urandom(4096))
            file.flush()
            times.append(seconds(lambda: os.fsync(file.fileno())))
    path.unlink()
    line("fsync after 4 KiB", spread(times))
    database = sqlite3.connect(directory / "commit.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE one (x)")
    line(
        "SQLite commit of one row (WAL, FULL)",
        spread(seconds(lambda: database.execute("INSERT INTO one VALUES (1)")) for _ in range(300)),
    )
    database.close()
    return sorted(times)[len(times) // 2]
