"""``make bench``: what this machine does, its disk's own fsync and its peers beside. Ratios in one run are what counts."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench import beside, ledger, room, table
from bench.asks import FIELDS
from bench.measure import Disk, disk, spread_of
from bench.table import Row
from bench.works import Works
from strongroom.synth.people import people

_PAGE = Path("docs/benchmarks.md")
_SMALL = 10_000
_PEER_ROWS = 20_000
_SUBMITTERS, _OPEN_RATE = 64, 10_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000, help="records to import (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=6.0, help="of each work over HTTP, about (default: %(default)s)"
    )
    parser.add_argument("--directory", type=Path, default=Path("build/bench"), help="on the disk to be measured")
    parser.add_argument("--peers", type=Path, default=Path("build/peers"), help="virtual environment of the peers")
    parser.add_argument(
        "--only", choices=["import", "http", "ledger"], help="one part alone, without keeping the table"
    )
    args = parser.parse_args()
    shutil.rmtree(args.directory, ignore_errors=True)
    args.directory.mkdir(parents=True)
    rows: list[Row] = []

    def tell(row: Row) -> None:
        rows.append(row)
        mark = "" if row.reached is None else " (reached)" if row.reached else " (MISSED)"
        print(f"{row.work:<52} {row.figure}{f'; to reach: {row.target}{mark}' if row.target else ''}", flush=True)
        if row.beside:
            print(f"{'':<52} beside: {row.beside}", flush=True)

    title, measured = _title(), disk(args.directory)
    print(title)
    tell(
        Row(
            "the disk: one fsync after 4 KiB",
            f"p50 {measured.p50 * 1e3:.2f} ms, p99 {measured.p99 * 1e3:.2f} ms; SQLite commit {measured.commit * 1e3:.2f} ms",
        )
    )
    root = args.directory / "room"
    room.make(root)
    # A second room for the ledger alone, and a third for its few records: sizes of theirs whatever is done in the first.
    book, small = args.directory / "book", args.directory / "small"
    for other in (book, small):
        shutil.copytree(root, other)
    works = Works(args.directory, measured, args.seconds, tell)
    if args.only in (None, "import"):
        _import(root, args.directory, args.rows, args.peers, tell)
    if args.only == "http":
        room.rows(args.directory / "rows.csv", args.rows)
        room.fill(root, args.directory / "rows.csv", args.rows)
    if args.only in (None, "http"):
        _http(works, root, small, args.peers, args.rows)
    if args.only in (None, "ledger"):
        _ledger(book, args.directory, measured, tell)
    if args.only is None:
        table.keep(_PAGE, table.markdown(title, rows, works.costs))
    else:
        print(table.markdown(title, [], works.costs))
    shutil.rmtree(args.directory)


def _title() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "",
    )
    return (
        f"Strongroom {commit.stdout.strip()}, {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores ({processor or platform.machine()}), load before it {os.getloadavg()[0]:.1f}"
    )


def _import(root: Path, directory: Path, count: int, peers: Path, tell: Callable[[Row], None]) -> None:
    path, few = directory / "rows.csv", directory / "few.csv"
    room.rows(path, count)
    plain = room.plain(directory / "plain.db", path, count)
    (directory / "plain.db").unlink()
    room.rows(few, _PEER_ROWS)
    others = beside.in_process(peers, few, os.cpu_count() or 1)
    filled = room.fill(root, path, count)
    path.unlink()
    words = "; ".join([f"plain import of the same file into SQLite, one process: {plain:,.0f}/s", *others])
    tell(
        Row(
            "import, 2 compartments, 2 identifiers",
            f"{filled.rate:,.0f} records/s ({count:,}); {filled.processor:,.0f} µs of processor and {filled.bytes:,.0f} bytes of disk each",
            "40,000/s",
            filled.rate >= 40_000,
            words,
        )
    )
    tell(
        Row(
            "- memory of all its processes: first half, peak",
            f"{filled.ran.half:,.0f} MB, {filled.ran.peak:,.0f} MB",
            "flat",
            filled.ran.peak <= 1.1 * filled.ran.half,
        )
    )


def _http(works: Works, root: Path, small: Path, peers: Path, count: int) -> None:
    values = [json.dumps({name: one[name] for name in FIELDS}).encode() for one in people(400, 3)]
    words = beside.over_http(peers, works.directory, values, works.seconds / 2)
    for what, more in (("encrypt 1", beside.DATABUNKER["store"]), ("decrypt 1", beside.DATABUNKER["read"])):
        words[what] = "; ".join(filter(None, (words.get(what), more)))
    few = works.directory / "few.csv"
    room.rows(few, _SMALL)
    room.fill(small, few, _SMALL)
    # Before anything is stored in the large one beyond what it was filled with.
    (few_cost, few_rate), (cost, rate) = (
        works.read_cost(one, f"read one among {size:,}") for one, size in ((small, _SMALL), (root, count))
    )
    works.stores_and_reads(root, words)
    works.tell(
        Row(
            f"a read among {count:,} records, against {_SMALL:,}",
            f"{cost / few_cost:.2f} x the processor time ({cost:,.0f} against {few_cost:,.0f} µs); {rate:,.0f}/s against {few_rate:,.0f}/s",
            "1.3 x",
            cost <= 1.3 * few_cost,
        )
    )


def _ledger(place: Path, directory: Path, measured: Disk, tell: Callable[[Row], None]) -> None:
    with ledger.book(place) as keyholder:
        for submitters, total in ((1, 3_000), (8, 20_000), (_SUBMITTERS, 120_000)):
            done = ledger.closed(keyholder, submitters, total)
            target = 30_000 if submitters == _SUBMITTERS else 0
            tell(
                Row(
                    f"durable ledger appends, {submitters} submitter{'s' if submitters > 1 else ''}",
                    f"{done.rate:,.0f}/s; {spread_of(done.times)}; {done.group:.1f} a commit; {done.processor / len(done.times) * 1e6:.0f} µs each",
                    f"{target:,}/s" if target else "",
                    done.rate >= target if target else None,
                    "Tessera on 12 cores, measured elsewhere: 2,900/s" if target else "",
                )
            )
        done, most = ledger.open_loop(keyholder, _OPEN_RATE, 5 * _OPEN_RATE), 5 * measured.p50
        p50 = sorted(done.times)[len(done.times) // 2]
        tell(
            Row(
                f"the same, {_OPEN_RATE:,}/s whoever waits",
                f"{done.rate:,.0f}/s; {spread_of(done.times)}; {done.group:.1f} a commit",
                f"p50 within 5 fsyncs = {most * 1e3:.2f} ms",
                p50 <= most and done.rate >= 0.99 * _OPEN_RATE,
            )
        )
        done, most = ledger.closed(keyholder, 8, 10_000, receipts=True), 2 * measured.p50 + 0.005
        p50 = sorted(done.times)[len(done.times) // 2]
        tell(
            Row(
                "from append to verifiable receipt, 8 submitters",
                spread_of(done.times),
                f"p50 2 fsyncs + 5 ms = {most * 1e3:.2f} ms",
                p50 <= most,
                "Tessera, measured elsewhere: 1 to 6 s",
            )
        )
        keyholder.publish(int(time.time()))
    size, took, processor = ledger.verify(place)
    others = ledger.go_verify(place, directory)
    words = f"the Go program, one core: {size / others:,.0f}/s" if others else ""
    tell(
        Row(
            "verify a published ledger, one core",
            f"{size / took:,.0f} entries/s ({size:,}); {processor / size * 1e6:.1f} µs of processor each",
            "200,000/s",
            size / took >= 200_000,
            words,
        )
    )


if __name__ == "__main__":
    main()
