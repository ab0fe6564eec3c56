"""``strongroom upkeep``: what the custodian's timer runs every day (docs/operations.md)."""

from __future__ import annotations

from strongroom.cli import arguments
from strongroom.cli.command import FAILED, FINE, REMOTE, Call, Commands
from strongroom.cli.output import BAD, WARN, Output, count, moment
from strongroom.custody import upkeep
from strongroom.custody.schedule import Outlook
from strongroom.custody.upkeep import Kept
from strongroom.errors import InputError
from strongroom.seal.epoch import epoch_text

Row = tuple[str, str | tuple[str, str]]


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        keep,
        description="""What a timer runs every day: tell the keyholder of newer versions, have batches sealed to keys that live before theirs
are destroyed, leave erased records behind, delete the rows of what has expired. The keys are destroyed on their day whether this runs or not.
It may be stopped anywhere; the next run goes on.""",
        examples=[
            "strongroom upkeep",
            "strongroom upkeep --dry-run",
            "strongroom upkeep --holding residents --all --json",
        ],
        exits=REMOTE,
    )
    found.add_argument("--holding", metavar="H", action="append", help="only this one; may be given more than once")
    found.add_argument(
        "--all", dest="everything", action="store_true", help="reseal also what has more than a rotation left"
    )
    found.add_argument(
        "--believe-erasures",
        dest="believed",
        metavar="INDEX",
        type=int,
        nargs="+",
        default=(),
        help="erasures of the ledger that this vault does not know to have asked for, after it was restored from an older copy; you have "
        "looked, and each was",
    )
    found.set_defaults(resumes=True)
    found.add_argument("--dry-run", action="store_true", help="say what would be done; asks nobody and changes nothing")


def keep(call: Call) -> int:
    args, out = call.args, call.out
    with arguments.opened(call) as room:
        declared = room.rules().charter.holdings
        for name in args.holding or ():
            if name not in declared:
                raise InputError(f"the charter has no holding {name}; it has: {', '.join(sorted(declared))}")
        with out.progress("resealing") as advance:
            found = upkeep.run(
                room,
                holdings=args.holding,
                everything=args.everything,
                dry=args.dry_run,
                believed=args.believed,
                progress=lambda _, done, total: advance(done, total),
            )
    _show(out, found, dry=args.dry_run)
    problems = [problem for one in found for problem in one.problems]
    out.document(
        {
            "dry_run": args.dry_run,
            "holdings": {one.holding: _document(one) for one in found},
            "problems": problems,
        }
    )
    return FAILED if problems else FINE


def _show(out: Output, found: list[Kept], *, dry: bool) -> None:
    would = "would be " if dry else ""
    if not found:
        out.line("nothing is held yet")
    for one in found:
        done = [
            f"{text} {would}{how}"
            for number, text, how in (
                (one.told, count(one.told, "newer version"), "told of"),
                (one.resealed, _batches(one.resealed), "resealed"),
                (one.removed, count(one.removed, "erased version"), "removed"),
                (one.purged, _batches(one.purged) if dry else count(one.purged, "expired version"), "deleted"),
            )
            if number
        ]
        out.line((one.holding, "bold"), f"  {', '.join(done) or 'nothing was due'}")
        rows = outlook_rows(one.outlook, one.held_until)
        if one.strangers:
            rows.append(
                (
                    "erased",
                    (
                        f"{count(one.strangers, 'record')} of which this vault did not know it; was it restored from an older copy?",
                        WARN,
                    ),
                )
            )
        out.pairs(rows)
        for problem in one.problems:
            out.bad(problem)


def outlook_rows(outlook: Outlook, held_until: int | None) -> list[Row]:
    """How a holding's batches stand, for people."""
    rows: list[Row] = []
    if outlook.destruction is not None:
        day, batches = epoch_text(outlook.destruction), _batches(outlook.waiting)
        rows.append(
            ("keys", (f"RUN strongroom upkeep NOW: {batches} cannot be read any more from {day} on", BAD))
            if outlook.urgent
            else ("keys", (f"{batches} to be resealed by strongroom upkeep before {day}", WARN))
        )
    if outlook.lost:
        rows.append(("lost", (f"{_batches(outlook.lost)} whose key is destroyed: they cannot be read any more", BAD)))
    if outlook.batches.get("expired"):
        rows.append(("expired", f"{_batches(outlook.batches['expired'])} to be deleted"))
    if held_until is not None:
        rows.append(("hold", (f"until {moment(held_until)} UTC: no key is destroyed, nothing is deleted", WARN)))
    if outlook.backups is not None:
        rows.append(("backups", f"one made today is whole until {epoch_text(outlook.backups)}"))
    return rows


def _batches(number: int) -> str:
    return count(number, "batch", "batches")


def _document(one: Kept) -> dict[str, object]:
    return {
        **outlook_document(one.outlook, one.held_until),
        "problems": list(one.problems),
        "purged": one.purged,
        "removed": one.removed,
        "resealed": one.resealed,
        "strangers": one.strangers,
        "told": one.told,
    }


def outlook_document(outlook: Outlook, held_until: int | None) -> dict[str, object]:
    """The same for programs."""
    return {
        "backups": None if outlook.backups is None else epoch_text(outlook.backups),
        "batches": dict(outlook.batches),
        "destruction": None if outlook.destruction is None else epoch_text(outlook.destruction),
        "held_until": held_until,
        "urgent": outlook.urgent,
    }
