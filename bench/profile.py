"""What each house spends its processor on while it serves: ``python -m bench.profile --work read``.

The profiler slows what is called often, so its shares are a hint where to look; what something costs, ``make bench`` says.
"""

from __future__ import annotations

import argparse
import os
import pstats
import shutil
import signal
from pathlib import Path

from bench import asks, houses, load, room

_SHOWN = 25


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
    spent = [
        (own, calls, f"{Path(file).parent.name}/{Path(file).name}:{line} {function}" if line else function)
        for (file, line, function), (_, calls, own, _, _) in stats.items()
    ]
    total = sum(own for own, _, _ in spent)
    print(f"\n{name}: {total / requests * 1e6:,.0f} microseconds a request under the profiler, by own time")
    for own, calls, what in sorted(spent, reverse=True)[:_SHOWN]:
        print(f"{own / total:6.1%}  {own / requests * 1e6:7.1f}  {calls / requests:7.1f} calls  {what}")


if __name__ == "__main__":
    main()
