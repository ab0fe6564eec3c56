"""``strongroom ledger entries``: the entries of a published ledger that a statement rests on, verified, listed and counted."""

from __future__ import annotations

import json
from collections import deque

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.cli import ledger_source, rendering
from strongroom.cli.command import Call, Commands
from strongroom.cli.output import count
from strongroom.cli.period import add_period, period
from strongroom.errors import StrongroomError
from strongroom.ledger import audit
from strongroom.ledger.entry import CharterEntry, Entry


def add(group: Commands, types: tuple[str, ...]) -> None:
    found = group.command(
        "entries",
        "list and count entries of a published ledger",
        listed,
        description="""Verify a published ledger whole, then list and count the entries of one kind: what a report rests on. It needs the files and a
verifier key, no room.""",
        examples=[
            "strongroom ledger entries --type disclosure --purpose confirm-identity --since 2026-01-01",
            "strongroom ledger entries --from https://ledger.riverton.example --vkeys riverton.vkeys --type expiry",
            "strongroom ledger entries --index 17",
        ],
        development=False,
    )
    ledger_source.add(found)
    add_period(found)
    group_ = found.add_argument_group("which")
    group_.add_argument("--type", metavar="T", choices=types, help=f"one of {', '.join(types)}")
    for option in ("purpose", "unit", "holding"):
        group_.add_argument(f"--{option}", metavar=option[0].upper(), help=f"of this {option}")
    group_.add_argument("--index", metavar="N", type=int, help="this one, whole")
    group_.add_argument(
        "--last",
        metavar="N",
        type=int,
        default=20,
        help="list so many, from the end (default: %(default)s); all are counted",
    )


def listed(call: Call) -> None:
    args, out = call.args, call.out
    since, until = period(call)
    fetch, verifiers, _, _ = ledger_source.of(call)
    known: dict[bytes, Charter] = {}
    kept: deque[tuple[int, Entry]] = deque(maxlen=max(args.last, 1))
    entries = records = 0

    def visit(index: int, found: Entry) -> None:
        nonlocal entries, records
        if isinstance(found, CharterEntry):
            _remember(known, found.document.encode())
        if args.index is not None:
            if index == args.index:
                kept.append((index, found))
            return
        if not since <= found.time < until or args.type not in (None, found.__struct_config__.tag):
            return
        if any(
            getattr(args, each) not in (None, getattr(found, each, None)) for each in ("purpose", "unit", "holding")
        ):
            return
        entries, records = entries + 1, records + getattr(found, "count", 0)
        kept.append((index, found))

    with out.progress("verifying") as progress:
        audit.audit(fetch, verifiers, None, progress, visit)
    if args.index is not None:
        for index, found in kept:
            rendering.whole(out, index, found, known)
            out.document(rendering.document(index, found))
        return
    out.table(rendering.HEADERS, [rendering.row(index, found, known) for index, found in kept], right="ENTRY")
    out.good(f"{count(entries, 'entry', 'entries')}, {count(records, 'record')}; the ledger verifies whole")
    out.document(
        {
            "entries": [json.loads(json.dumps(rendering.document(*one), default=bytes.hex)) for one in kept],
            "matching": entries,
            "records": records,
        }
    )


def _remember(known: dict[bytes, Charter], document: bytes) -> None:
    try:
        known[charters.charter_hash(document)] = charters.parse(document)
    except StrongroomError:
        return  # of a later schema: its entries are listed without the names of compartments
