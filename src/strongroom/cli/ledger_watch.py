"""``strongroom ledger watch``: remember a checkpoint, and see that the next one only adds to it."""

from __future__ import annotations

import time
from pathlib import Path

from strongroom.cli import ledger_source, rendering
from strongroom.cli.command import Call, Commands
from strongroom.cli.output import count, moment
from strongroom.client.watch import News, Watcher
from strongroom.errors import TileError

PATIENCE = 5
"""Looks in a row at which something may be missing or unreachable."""


def add(group: Commands) -> None:
    found = group.command(
        "watch",
        "see that a ledger only grows, from now on",
        watched,
        description="""Remember the last checkpoint in a state file, and verify at each look that the ledger still begins with all of it and
what is new. Anyone can run this against a URL. Where the vault's key is known, the ledger must be the one that the vault has cosigned.
With --json it looks once. It ends with 1 at a fork, a rewind or a rewritten entry, which it never forgets.""",
        examples=[
            "strongroom ledger watch",
            "strongroom ledger watch --once --from https://ledger.riverton.example --vkeys riverton.vkeys --state riverton.state",
        ],
    )
    ledger_source.add(found)
    found.add_argument(
        "--state", metavar="FILE", type=Path, help="where to remember (default: watch.state beside the room)"
    )
    found.add_argument("--once", action="store_true", help="look once and end")
    found.add_argument(
        "--interval", metavar="S", type=float, default=10.0, help="seconds between looks (default: %(default)s)"
    )


def watched(call: Call) -> int:
    args, out = call.args, call.out
    fetch, verifiers, where, _ = ledger_source.of(call)
    watcher = Watcher(args.state or call.room / "watch.state", fetch, verifiers)
    once, failed = args.once or out.as_json, 0
    while True:
        try:
            with out.progress("verifying") as progress:
                news = watcher.look(progress)
        except TileError as error:
            # A server that is away for a minute proves nothing; one that stays away, or lacks a file for good, does.
            failed += 1
            if once or failed >= PATIENCE:
                raise
            out.note(f"{error}; looking again in {args.interval:g} s")
            time.sleep(max(args.interval, 0.2))
            continue
        failed = 0
        if once or news.added or news.before is None:
            _say(call, news)
        if once:
            out.document(_document(where, news))
            return 0
        time.sleep(max(args.interval, 0.2))


def _say(call: Call, news: News) -> None:
    size, new = (
        count(news.now.size, "entry", "entries"),
        ", ".join(f"{n:,} {name}" for name, n in sorted(news.counts.items())),
    )
    when = (f"{moment(int(time.time()))}  ", "dim")
    if news.confirmed and news.confirmed.size < news.now.size:
        size += f", {news.confirmed.size:,} of them confirmed by the vault"
    if news.before is None:
        call.out.line(when, ("first look", "green"), f"  {news.now.origin}: {size}, everything recomputed")
    elif news.added:
        call.out.line(when, ("grew", "green"), f"  by {news.added:,} to {size}: {new}")
    else:
        call.out.line(when, ("same", "green"), f"  {size}")
    for index, item in news.told:
        name = str(item.__struct_config__.tag)
        call.out.line(f"entry {index}  {name}  {rendering.what(item, {})}", indent=2)


def _document(where: str, news: News) -> dict[str, object]:
    return {
        "added": news.added,
        "before": news.before.size if news.before else None,
        "confirmed": news.confirmed.size if news.confirmed else None,
        "counts": news.counts,
        "from": where,
        "origin": news.now.origin,
        "root": news.now.root,
        "signers": list(news.signers),
        "size": news.now.size,
        "told": [rendering.document(*one) for one in news.told],
    }
