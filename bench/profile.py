"""What each house spends its processor on while it serves: ``python -m bench.profile --work read``.

The profiler slows what is called often, so its shares are a hint where to look; what something costs, ``make bench`` says.
"""

from __future__ import annotations

import argparse
import os
import pstats
import shutil
import signal
from collections import Counter
from pathlib import Path

from bench import asks, houses, load, room

_SHOWN = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--work", choices=["read", "read-100", "store", "store-100"], default="read")
    parser.add_argument("--requests", type=int, default=1500, help="how many (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rows", type=int, default=20_000, help="records in the room (default: %(default)s)")
    parser.add_argument("--directory", type=Path, default=Path("build/profile"))
    args = parser.parse_args()
    shutil.rmtree(args.directory, ignore_errors=True)
    args.directory.mkdir(parents=True)
    root, rows, requests = (args.directory / name for name in ("room", "rows.csv", "requests"))
    room.make(root)
    room.rows(rows, args.rows)
    room.fill(root, rows, args.rows)
    town, size = asks.town(root), 100 if args.work.endswith("100") else 1
    made = (
        town.records(size, args.requests, 5) if args.work.startswith("store") else town.disclosures(size, args.requests)
    )
    load.write(requests, made)
    with houses.both(root, args.directory) as (vault, keyholder):
        # What both do to begin with is none of it.
        for house in (vault, keyholder):
            os.kill(house.pid, signal.SIGUSR2)
        load.run(vault.address, requests, args.connections, '"receipt":')
    for name in ("vault", "keyholder"):
        _show(name, args.directory / name, args.requests)
    shutil.rmtree(args.directory)


def _show(name: str, path: Path, requests: int) -> None:
    stats = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    by_file: Counter[str] = Counter()
    for (file, line, _), (_, _, own, _, callers) in stats.items():
        if line:
            by_file[_place(file)] += own
        else:
            # What is no Python's own is spent by whoever called it.
            for (caller, _, _), (_, _, part, _) in callers.items():
                by_file[_place(caller)] += part
    total = by_file.total()
    print(
        f"\n{name}: {total / requests * 1e6:,.0f} microseconds a request under the profiler; by file, what it calls in C included"
    )
    for file, own in by_file.most_common(_SHOWN):
        print(f"{own / total:6.1%}  {file}")
    spent = [
        (own, calls, f"{_place(file)}:{line} {function}" if line else function)
        for (file, line, function), (_, calls, own, _, _) in stats.items()
    ]
    print(f"{name}: by function")
    for own, calls, what in sorted(spent, reverse=True)[:_SHOWN]:
        print(f"{own / total:6.1%}  {calls / requests:7.1f} calls  {what}")


def _place(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


if __name__ == "__main__":
    main()
