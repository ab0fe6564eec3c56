"""``strongroom catalog migrate``: fields of records that are there, filled from other fields (SPEC.md section 6.9)."""

from __future__ import annotations

import time
from pathlib import Path

from strongroom.catalog import migration
from strongroom.cli import arguments
from strongroom.cli.command import FAILED, FINE, REFUSED, REMOTE, Call, Commands
from strongroom.cli.output import WARN, Output, count, moment
from strongroom.custody import migrate as migrations
from strongroom.custody.migrate import Migrated, Work
from strongroom.errors import InputError


def add(commands: Commands) -> None:
    found = commands.command(
        "migrate",
        "fill new fields of the records that are there from old ones",
        migrate,
        description="""Bring the records that are there in line with a charter that has new fields. A field keeps its compartment for ever, so what
is renamed, split or moved is a new field, filled from old ones as a map says. Each record gets another version; the persons concerned see it. It
keeps to the budgets: where these are spent it ends with code 3 and says when to go on, or waits. The same command goes on where it stopped.""",
        examples=[
            "strongroom catalog migrate --map map.yaml --dry-run --as rui --purpose amend-register --case M-1 --reason 'names in two fields from now on'",
            "strongroom catalog migrate --map map.yaml --wait --as rui --purpose amend-register --case M-1 --reason 'names in two fields from now on'",
        ],
        exits=REMOTE,
    )
    found.set_defaults(resumes=True)
    arguments.add_ask(found)
    group = found.add_argument_group("what")
    group.add_argument(
        "--map",
        metavar="FILE",
        type=Path,
        required=True,
        help="which field is filled from which, in YAML (docs/operations.md)",
    )
    group.add_argument(
        "--intake-purpose",
        metavar="P",
        default="",
        help="what indexes its identifiers anew (default: the same purpose)",
    )
    group.add_argument(
        "--bad", metavar="FILE", type=Path, help="where records that do not fit are listed (default: ./MAP.bad.csv)"
    )
    group.add_argument("--dry-run", action="store_true", help="count, and say how long it takes; opens nothing")
    group.add_argument("--wait", action="store_true", help="where budgets are spent, wait and go on")
    group.add_argument("--again", action="store_true", help="go through all records once more, though it was complete")


def migrate(call: Call) -> int:
    args, out = call.args, call.out
    bad = args.bad or Path(f"{args.map.name}.bad.csv")
    if bad.resolve() == args.map.resolve():
        raise InputError(f"{bad}: the list of bad records would take the place of the map")
    with arguments.opened(call) as room:
        room.sync()
        mandate = arguments.mandate(call, room)
        declared = room.rules().charter.holdings.get(mandate.holding)
        if declared is None:
            raise InputError(f"the charter has no holding {mandate.holding}")
        found = migration.load(args.map.read_bytes(), str(args.map), declared)
        if mandate.seconds and not args.dry_run:
            out.note(f"countersigned, for every page of records: the map {args.map}\n{found.text}")
        work = Work(room, mandate, found, bad, args.intake_purpose, args.again)
        if args.dry_run:
            done = migrations.look(work)
        else:
            with out.progress("migrating") as advance:
                done = migrations.migrate(work, advance, _sleeper(out) if args.wait else None)
    _say(out, done, mandate.holding, dry=args.dry_run)
    out.document(_document(done, mandate.holding) | {"dry_run": args.dry_run})
    if done.resume_at:
        return REFUSED
    return FAILED if done.bad else FINE


def _sleeper(out: Output) -> migrations.Sleep:
    def sleep(seconds: float) -> None:
        out.note(f"budgets are spent: going on in {seconds:,.0f} s")
        time.sleep(seconds)

    return sleep


def _say(out: Output, done: Migrated, holding: str, *, dry: bool) -> None:
    if done.already:
        out.good(f"{holding}: this migration is complete already; --again goes through all records once more")
    elif dry:
        out.good(f"{count(done.left, 'record')} of {holding} to go through")
    elif done.resume_at:
        out.warn(f"the budgets are spent: the same command goes on from {moment(done.resume_at)} UTC")
    else:
        out.good(f"{holding}: all records are migrated")
    rows: list[tuple[str, str | tuple[str, str]]] = []
    for label, number, what in (
        ("migrated", done.migrated, "given another version"),
        ("same", done.same, "already as they should be"),
        ("expired", done.expired, "past their day, and left to it"),
        ("left", done.left, "still to go through"),
    ):
        if number and not (dry and label == "left"):
            rows.append((label, f"{count(number, 'record')}, {what}"))
    if done.bad:
        rows.append(("bad", (f"{count(done.bad, 'record')} left as they were: {done.bad_file}", WARN)))
    if dry and done.seconds:
        hours, rest = divmod(done.seconds, 3600)
        rows.append(("time", f"at least {hours} h {rest // 60} min, by the budgets"))
    if done.entries:
        first, last = done.entries[0], done.entries[-1]
        rows.append(("ledger", f"entry {first}" if first == last else f"entries {first} to {last}"))
    out.pairs(rows)


def _document(done: Migrated, holding: str) -> dict[str, object]:
    return {
        "already": done.already,
        "bad": done.bad,
        "bad_file": str(done.bad_file) if done.bad_file else None,
        "entries": list(done.entries),
        "expired": done.expired,
        "holding": holding,
        "left": done.left,
        "migrated": done.migrated,
        "resume_at": done.resume_at or None,
        "same": done.same,
        "seconds": done.seconds,
    }
