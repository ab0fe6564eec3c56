"""``strongroom drill``: replay attacks on rooms made for it, and say what they got."""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from strongroom.cli.command import FAILED, FINE, LOCAL, Call, Commands
from strongroom.cli.output import BAD, FAINT, GOOD, STRONG, count
from strongroom.drill import table
from strongroom.drill.drills import DRILLS, chosen, perform
from strongroom.drill.report import Finding, Progress, Report
from strongroom.drill.stage import Theatre

MANY = 20
"""A drill of more attacks than this has those that ended alike put together, unless --detail is given."""


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        run,
        description="""Replay attacks, each against a fresh room in a temporary directory, with real keys, records and asks. Your own room
is never touched. Each drill says what was tried, what the attacker got, what was seen, and PASS or FAIL; any FAIL ends with exit code 1.""",
        examples=[
            "strongroom drill --list",
            "strongroom drill --all",
            "strongroom drill stolen-disk no-receipt",
            "strongroom drill --all --table docs/promises.md",
        ],
        exits=LOCAL,
        development=False,
    )
    found.add_argument(
        "names", metavar="NAME", nargs="*", help="drills to run; where none is named, all that take seconds"
    )
    found.add_argument("--all", action="store_true", help="run all drills, those that take minutes too")
    found.add_argument("--detail", action="store_true", help="every attack on a line of its own")
    found.add_argument(
        "--table", metavar="FILE", type=Path, help="write what was promised and what the attacks got there, as Markdown"
    )
    found.add_argument("--list", action="store_true", help="say which drills there are, and run none")


def run(call: Call) -> int:
    if call.args.list:
        return _list(call)
    every = [drill for drill in DRILLS.values() if call.args.all or not drill.long]
    drills = every if call.args.all or not call.args.names else chosen(call.args.names)
    reports = []
    # What the houses log while they are attacked says nothing beyond the report.
    logging.getLogger("strongroom").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="strongroom-drill-") as directory:
        theatre = Theatre(Path(directory))
        for drill in drills:
            with call.out.steps() as step:
                step(f"{drill.name} ...")
                # Where nobody watches, one line a drill is enough.
                progress = _named(drill.name, step) if sys.stderr.isatty() else _silent
                report = perform(drill, theatre, progress)
            _show(call, report)
            reports.append(report)
    if call.args.table:
        call.args.table.write_text(table.render(reports, int(time.time())), encoding="utf-8")
    failed = [report.name for report in reports if not report.passed]
    if failed:
        call.out.bad(f"{count(len(failed), 'drill')} of {len(reports)} failed: {', '.join(failed)}")
    else:
        call.out.good(f"{count(len(reports), 'drill')} passed")
    document: dict[str, Any] = {"drills": [report.document() for report in reports], "passed": not failed}
    call.out.document(document)
    return FAILED if failed else FINE


def _named(name: str, step: Progress) -> Progress:
    return lambda text: step(f"{name}: {text}")


def _silent(_: str) -> None:
    return


def _show(call: Call, report: Report) -> None:
    call.out.line((report.name, STRONG), f"  {report.attack}")
    rows = report.findings if call.args.detail or len(report.findings) <= MANY else grouped(report.findings)
    call.out.table(
        ("", "attack", "tries", "the attacker got", "what was seen"),
        [
            (("ok", GOOD) if one.passed else ("NO", BAD), one.attack, f"{one.tried:,}", one.got, (one.seen, FAINT))
            for one in rows
        ],
        right="tries",
    )
    for text in report.limits:
        call.out.line(("   all the same: ", FAINT), (text, FAINT))
    call.out.line((report.verdict, GOOD if report.passed else BAD), (f"  ({report.seconds:.1f} s)", FAINT))
    call.out.blank()


def grouped(findings: Sequence[Finding]) -> list[Finding]:
    """Those that passed with the same outcome on one line; whatever failed stands alone."""
    groups: dict[tuple[str, str] | int, list[Finding]] = {}
    for number, one in enumerate(findings):
        groups.setdefault((one.got, one.seen) if one.passed else number, []).append(one)
    return [
        replace(
            found[0],
            attack=found[0].attack + (f", and {len(found) - 1} more" if len(found) > 1 else ""),
            tried=sum(one.tried for one in found),
        )
        for found in groups.values()
    ]


def _list(call: Call) -> int:
    rows = [(drill.name, ", ".join(map(str, drill.promises)), drill.attack) for drill in DRILLS.values()]
    call.out.table(("drill", "promises", "attack"), rows)
    call.out.document(
        {"drills": [{"name": name, "promises": promises, "attack": attack} for name, promises, attack in rows]}
    )
    return FINE
