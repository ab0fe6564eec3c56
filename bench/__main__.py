"""``make bench``: what this machine does, its disk's own fsync printed beside. Ratios in one run are what counts."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
from pathlib import Path

from bench import ledger, measure, reads, room


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="records to import (default: %(default)s)")
    parser.add_argument("--directory", type=Path, default=Path("build/bench"), help="on the disk to be measured")
    args = parser.parse_args()
    shutil.rmtree(args.directory, ignore_errors=True)
    args.directory.mkdir(parents=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    print(f"Strongroom {commit.stdout.strip()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print("disk")
    measure.disk(args.directory)
    print("room")
    root, rows = args.directory / "room", args.directory / "rows.csv"
    room.make(root)
    # A second room for the ledger alone, so that its size is the same however many rows are taken in.
    book = args.directory / "book"
    shutil.copytree(root, book)
    print("import")
    room.rows(rows, args.rows)
    room.fill(root, rows, args.rows)
    print("reads (HTTP on loopback, reader's signature, receipt, mirror)")
    reads.reads(root, single=500, batches=50)
    print("ledger")
    ledger.appends(book, 100_000)
    ledger.verify(book)
    shutil.rmtree(args.directory)


if __name__ == "__main__":
    main()
