"""``strongroom export``: records into a file, a receipt a batch (SPEC.md sections 7.2 and 8.5)."""

from __future__ import annotations

import argparse
from pathlib import Path

from strongroom.cli import arguments
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import count
from strongroom.custody.export import Wanted
from strongroom.custody.export import export as exported
from strongroom.custody.outfile import FORMS, Form


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        export,
        description="""Write fields of records to a file, masked as the purpose says, at most as many as the charter lets it export: those that are
named or found, or else all of the holding. It goes in batches of 500: each is an entry in the ledger, and its receipt is kept in FILE.receipts; the persons concerned will see it. Stopped
anywhere, the same command goes on. From then on nothing but its mode (0600) guards the file.""",
        examples=[
            "strongroom export --as wu --purpose copy --holding calls --fields day,began,seconds --by phone --to calls.csv --case S-4 --reason 'asks for a copy of what is held'",
            "strongroom export --as wu --purpose copy --holding residents --fields name,address --records-from handles.txt --to copy.jsonl --case S-4 --reason 'asks for a copy of what is held'",
        ],
        exits=REMOTE,
    )
    arguments.add_ask(found)
    found.add_argument("--fields", metavar="A,B", required=True, help="the fields, parted by commas")
    found.add_argument(
        "--to", metavar="FILE", type=Path, required=True, help="the file to be written; images as base64"
    )
    found.add_argument(
        "--format", choices=FORMS, help="what is written (default: csv for a FILE called so, otherwise jsonl)"
    )
    found.add_argument("--records-from", metavar="FILE", help="handles, one a line; - reads stdin")
    arguments.add_identifier(found, required=False)
    found.set_defaults(handles=[], resumes=True)
    found.add_argument("--count", metavar="N", type=_count, help="at most so many records (default: all)")


def export(call: Call) -> int:
    args, out = call.args, call.out
    if str(args.to) == "-":
        call.usage("an export goes on where it stopped: --to wants a file, not stdout")
    form: Form = args.format or ("csv" if args.to.suffix.lower() == ".csv" else "jsonl")
    fields, searched = tuple(arguments.names(args.fields)), None
    with arguments.opened(call) as room:
        mandate = arguments.mandate(call, room)
        named: list[bytes] | None = None
        if args.by or args.records_from:
            named, searched = arguments.whom(call, room, mandate)
            if not named:
                out.document({"file": None, "find": searched, "holding": mandate.holding, "records": 0})
                return 0
        wanted = Wanted(args.to, form, fields, None if named is None else tuple(named), args.count)
        with out.progress("exporting") as progress:
            done = exported(room, mandate, wanted, progress)
    if done.records == done.before:
        out.good(f"{args.to} was complete already: {count(done.records, 'record')}")
    else:
        out.good(f"{count(done.records, 'record')} of {mandate.holding} in {args.to}")
    rows = [("receipts", f"{args.to}.receipts, of {count(len(done.entries), 'entry', 'entries')}")]
    if done.expired:
        rows.append(("expired", f"{count(done.expired, 'record')} left out"))
    out.pairs(rows)
    arguments.seen(call, done.records, done.entries)
    out.document(
        {
            "before": done.before,
            "entries": list(done.entries),
            "expired": done.expired,
            "file": str(args.to),
            "find": searched,
            "format": form,
            "holding": mandate.holding,
            "records": done.records,
        }
    )
    return 0


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 100_000_000):
        raise argparse.ArgumentTypeError("want a number from 1 to 100,000,000")
    return int(text)
