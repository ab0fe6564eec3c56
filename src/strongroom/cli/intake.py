"""``strongroom import``: records out of a file or a table (DESIGN sections 4 and 6)."""

from __future__ import annotations

from pathlib import Path

from strongroom.catalog import mapping
from strongroom.cli import arguments
from strongroom.cli.command import FAILED, FINE, REMOTE, Call, Commands
from strongroom.cli.output import Output, count
from strongroom.client import device
from strongroom.custody import asking, upkeep
from strongroom.custody.intake import disposal, importer, place
from strongroom.custody.intake.importer import Feed, Progress, Report, Source, Watch
from strongroom.custody.intake.window import Errand
from strongroom.custody.room import Room
from strongroom.errors import InputError


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        take_in,
        description="""Take records in from CSV, JSON lines, Parquet, or a table of an SQLite or PostgreSQL database. Columns go into the fields
of their name, or as a map says; only those are read of a table. Rows that do not fit the catalog are left out and named in a side file, by
row, field and reason, never by value. The same command goes on where it stopped. A table is read in one transaction, its rows by primary
key or else by all columns that are read; changed meanwhile, it is another source to the next run. PostgreSQL is given as
postgresql://USER@HOST/DATABASE and never with a password: that stands in ~/.pgpass, or where libpq's variables say (PGPASSFILE, PGSERVICE).""",
        examples=[
            "strongroom import residents.csv --as rui --purpose register --case R-2026-1 --reason 'taking in the register'",
            "strongroom import people.csv --map map.yaml --holding residents --dry-run",
            "strongroom import people.parquet --map map.yaml --holding residents --dry-run",
            "strongroom import people.csv --as rui --purpose register --case R-1 --reason 'taking in the register' --destroy-source",
            "strongroom import city.db --table people --holding residents --dry-run",
            "strongroom import postgresql://reader@db.example/city --table registry.people --holding residents --dry-run",
            "strongroom import moved.jsonl --upsert id-number --as rui --purpose update-register --case R-2026-9 --reason 'moves of the week'",
            "strongroom import changes.jsonl --upsert id-number --op op --as rui --purpose update-register --erase-as wu --erase-purpose erase --erase-countersigner rui --case R-2026-9 --reason 'changes of the week'",
        ],
        exits=REMOTE,
    )
    found.set_defaults(resumes=True)
    # No type: argparse would quote what it cannot take, and an address with a password in it is not to be quoted.
    found.add_argument("source", metavar="SOURCE", help="a file, or the address of a PostgreSQL database")
    arguments.add_ask(found, required=False)
    found.add_argument("--table", metavar="NAME", default="", help="of a database: a table or a view, as in SQL")
    found.add_argument("--map", metavar="FILE", type=Path, help="which column goes into which field, in YAML")
    found.add_argument(
        "--upsert",
        metavar="FIELD",
        default="",
        help="an identifier: a row whose value one record has, about the same persons, becomes its next version; for a purpose that tells them",
    )
    found.add_argument(
        "--op",
        metavar="COLUMN",
        default="",
        help="with --upsert: a change feed, and the column that says of each row whether it is so now (upsert) or gone (delete)",
    )
    found.add_argument("--erase-purpose", metavar="P", help="with --op: the purpose for which what is gone is erased")
    found.add_argument("--erase-as", metavar="NAME", help="with --op: the reader who erases (default: that of --as)")
    found.add_argument(
        "--erase-countersigner",
        metavar="NAME",
        action="append",
        default=[],
        help="with --op: who countersigns erasures, where their purpose wants that",
    )
    found.add_argument(
        "--dry-run", action="store_true", help="check every row and store nothing; needs no ask and no keyholder"
    )
    found.add_argument(
        "--destroy-source",
        action="store_true",
        help="read every record back and open it; then overwrite the file and remove it, and say what may be left of it",
    )
    found.add_argument(
        "--lose",
        metavar="COLUMN",
        action="append",
        default=[],
        help="with --destroy-source: a column that no field takes and that may be lost; as often as needed",
    )
    found.add_argument("--again", action="store_true", help="take the same in once more, though it was complete")
    found.add_argument(
        "--format", choices=("csv", "jsonl", "parquet", "sqlite"), help="of the file (default: found out by looking)"
    )
    found.add_argument("--encoding", metavar="E", default="", help="of text, such as gb18030 (default: UTF-8)")
    found.add_argument("--workers", metavar="N", type=int, default=2, help="processes (default: %(default)s)")
    found.add_argument(
        "--errors", metavar="FILE", type=Path, help="where bad rows are listed (default: ./SOURCE.bad.csv)"
    )


def take_in(call: Call) -> int:
    args, out = call.args, call.out
    missing = [
        f"--{'as' if name == 'reader' else name}"
        for name in ("reader", "purpose", "case", "reason")
        if not getattr(args, name)
    ]
    if missing and not args.dry_run:
        call.usage(f"an import is asked for like a read; {', '.join(missing)} is missing")
    if args.destroy_source and args.dry_run:
        call.usage("--dry-run stores nothing, so there is nothing yet to destroy")
    if args.lose and not args.destroy_source:
        call.usage("--lose is for --destroy-source")
    _check_feed(call)
    named = place.parse(args.source)
    with arguments.opened(call) as room:
        holding = _holding(call, room)
        declared = room.rules().charter.holdings.get(holding)
        chosen = mapping.load(args.map.read_bytes(), str(args.map), declared) if args.map and declared else None
        source = Source(named, map=chosen, format=args.format, encoding=args.encoding, table=args.table)
        with out.progress("checking" if args.dry_run else "sealing") as advance:
            options = {"upsert": args.upsert, "bad_rows": args.errors, "progress": _watch(advance)}
            if args.dry_run:
                report = importer.check_file(room, source, holding, op=args.op, **options)
            else:
                m = arguments.mandate(call, room)
                errand = Errand(m.asker, m.purpose, m.case, m.reason, m.seconds)
                more = {"workers": max(1, args.workers), "again": args.again, "verify": args.destroy_source}
                if args.op:
                    more["feed"] = Feed(args.op, _erasing(call, room, errand))
                if args.destroy_source:
                    more["ready"] = lambda records: disposal.before(records, args.lose)
                report = importer.import_file(room, source, holding, errand, **options, **more)
        # What is due anyway, while the vault is open and its keyholder answers.
        overdue = [] if args.dry_run else upkeep.after_intake(room, holding)
    _say(out, report, holding, "change" if args.op else "record", dry=args.dry_run)
    for problem in overdue:
        out.warn(problem)
    gone = _destroy(out, report) if args.destroy_source else None
    out.document(_document(report, holding) | {"destroyed": gone})
    return FINE if gone or not args.destroy_source else FAILED


def _check_feed(call: Call) -> None:
    args = call.args
    erasing = args.erase_purpose or args.erase_as or args.erase_countersigner
    if not args.op and erasing:
        call.usage(
            "--erase-purpose, --erase-as and --erase-countersigner are for a change feed: name its column with --op"
        )
    if args.op and not args.upsert:
        call.usage("the rows of a change feed are matched by an identifier: name it with --upsert")
    if args.op and not args.erase_purpose and not args.dry_run:
        call.usage("a change feed says what is gone, too: --erase-purpose names the purpose for which that is erased")


def _erasing(call: Call, room: Room, errand: Errand) -> Errand:
    """Who erases what a change feed says is gone: in the same case and for the same reason, maybe somebody else."""
    args = call.args
    who = asking.asker(room, device.load(arguments.device_path(call, args.erase_as))) if args.erase_as else errand.asker
    seconds = tuple(device.load(arguments.device_path(call, name)) for name in args.erase_countersigner)
    return Errand(who, args.erase_purpose, errand.case, errand.reason, seconds)


def _destroy(out: Output, report: Report) -> dict[str, object] | None:
    """Destroy the source, and tell what is left of it; or tell why it is left, and give nothing."""
    try:
        done = disposal.after(report)
    except InputError as refused:
        out.error(str(refused))
        return None
    out.good(f"every record was read back and opened; {done.path} is overwritten and removed")
    for sentence in done.left:
        out.note(sentence)
    return {"bytes": done.size, "file": str(done.path), "left": list(done.left)}


def _holding(call: Call, room: Room) -> str:
    declared = room.rules().charter.holdings
    if call.args.purpose is None and call.args.holding is None:
        if len(declared) != 1:
            raise InputError(f"name the holding with --holding: {', '.join(sorted(declared))}")
        return next(iter(declared))
    return asking.holding_of(room, call.args.purpose or "", call.args.holding)


def _watch(advance: object) -> Watch:
    assert callable(advance)

    def watch(progress: Progress) -> None:
        # Bytes, since a file of text tells how many it has and not how many rows.
        advance(progress.read, progress.size)

    return watch


def _say(out: Output, report: Report, holding: str, noun: str, *, dry: bool) -> None:
    if report.already:
        what = "file" if report.mark else "table"
        out.good(f"this {what} is in {holding} already, whole; --again takes it in once more")
    else:
        how = "would be taken into" if dry else "taken into"
        again = ", going on where it had stopped" if report.resumed else ""
        out.good(f"{count(report.stored, noun)} {how} {holding}{again}")
    how = f"numbered {report.order}" if report.order else report.encoding
    rows: list[tuple[str, str | tuple[str, str]]] = [("rows", f"{report.rows:,} of {report.format}, {how}")]
    if report.bad:
        where = "listed when it was taken in, and not again" if report.already else report.bad_rows
        rows.append(("bad", (f"{count(report.bad, 'row')} left out: {where}", "yellow")))
    for (name, what), times in sorted(report.odd.items()):
        rows.append(("odd", (f"{name}: {what}, in {count(times, 'value')}", "yellow")))
    if report.entries:
        rows.append(("ledger", f"{'entry' if len(report.entries) == 1 else 'entries'} {_spans(report.entries)}"))
    if report.seconds > 0 and not report.already:
        rows.append(("time", f"{report.seconds:.1f} s, {report.rows / report.seconds:,.0f} rows a second"))
    out.pairs(rows)


def _spans(entries: tuple[int, ...]) -> str:
    first, last = min(entries), max(entries)
    return f"{first}" if first == last else f"{first} to {last}"


def _document(report: Report, holding: str) -> dict[str, object]:
    return {
        "already": report.already,
        "bad": report.bad,
        "bad_rows": str(report.bad_rows) if report.bad_rows else None,
        "encoding": report.encoding,
        "entries": list(report.entries),
        "format": report.format,
        "order": report.order or None,
        "odd": [{"field": name, "values": times, "what": what} for (name, what), times in sorted(report.odd.items())],
        "holding": holding,
        "job": report.job or None,
        "resumed": report.resumed,
        "rows": report.rows,
        "seconds": round(report.seconds, 3),
        "stored": report.stored,
    }
