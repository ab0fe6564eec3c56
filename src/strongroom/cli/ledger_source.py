"""Which published ledger a command is about, and the keys to verify it by."""

from __future__ import annotations

import argparse
from pathlib import Path

from strongroom.cli.arguments import opened
from strongroom.cli.command import Call
from strongroom.client import published
from strongroom.custody import book
from strongroom.errors import InputError
from strongroom.ledger.directory import Fetch
from strongroom.ledger.note import Verifier


def add(found: argparse.ArgumentParser) -> None:
    """Which ledger, and by which keys."""
    found.add_argument(
        "--from", dest="source", metavar="DIR|URL", help="the published ledger (default: the room's public/)"
    )
    found.add_argument(
        "--vkey", metavar="VKEY", action="append", default=[], help="a verifier key to trust: the log's, cosigners'"
    )
    found.add_argument(
        "--vkeys", metavar="FILE", action="append", type=Path, default=[], help="verifier keys, one a line"
    )


def of(call: Call) -> tuple[Fetch, list[Verifier], str, bytes | None]:
    """Where the ledger is, the keys to verify it by, how to call it, and the first charter's hash where it is known."""
    args = call.args
    where = args.source or str(call.room / "public")
    fetch = published.fetch_from(where)
    if args.vkey or args.vkeys:
        return fetch, published.verifiers(args.vkey, args.vkeys), where, None
    if not (call.room / "vault" / "room.json").exists():
        raise InputError(
            "no verifier key to verify by: give --vkey or --vkeys, or with --room a room whose ledger it is"
        )
    with opened(call) as room:
        return fetch, book.trusted(room), where, room.anchors.genesis
