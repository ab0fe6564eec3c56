"""``strongroom report``: what a custodian owes in writing, from the charter and the public ledger."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

from strongroom.cli import ledger_source, writing
from strongroom.cli.command import Call, Commands
from strongroom.cli.period import add_period, period
from strongroom.errors import InputError
from strongroom.ledger import audit
from strongroom.report import about, html, markdown
from strongroom.report.evidence import moment
from strongroom.report.facts import Facts, digest
from strongroom.report.sections import report

__all__ = ["add"]


def add(commands: Commands, name: str, about_: str) -> None:
    found = commands.command(
        name,
        about_,
        made,
        description="""The record of processing (GDPR article 30; the items of PIPL articles 55 and 56), evidence of retention and erasure, and the reads by
purpose and unit, of a period: from the charter and the public ledger, which is verified first. Each section ends with the commands by which
anybody can check it. What neither of the two can know (who the controller is) comes from a file given with --about.""",
        examples=[
            "strongroom report --year 2026 --about about.yaml --out report.html",
            "strongroom report --since 2026-01-01 --until 2026-07-01 --out report.md",
            "strongroom report --from https://ledger.riverton.example --vkeys riverton.vkeys --year 2026",
        ],
        development=False,
    )
    ledger_source.add(found)
    add_period(found)
    found.add_argument("--about", metavar="FILE", type=Path, help=f"a YAML table of: {', '.join(about.MEMBERS)}")
    found.add_argument(
        "--format", choices=("markdown", "html"), help="default: by the name of --out, otherwise markdown"
    )
    found.add_argument("--out", metavar="FILE", type=Path, help="write it there (default: stdout)")


def made(call: Call) -> None:
    args, out = call.args, call.out
    since, until = period(call)
    told = about.load(args.about.read_bytes(), str(args.about)) if args.about else about.NOTHING
    fetch, verifiers, where, genesis = ledger_source.of(call)
    facts = Facts(since, until)
    with out.progress("verifying") as progress:
        found = audit.audit(fetch, verifiers, None, progress, facts.visit)
    if genesis is not None and (not found.charters or found.charters[0].hash != genesis):
        raise InputError(f"{where}: it does not begin with the first charter of this room")
    charter = facts.charter
    if charter is None:
        raise InputError("no charter that this program can read was in force in this period")
    html_wanted = (
        args.format or ("html" if args.out and args.out.suffix in (".html", ".htm") else "markdown")
    ) == "html"
    text = (html if html_wanted else markdown).render(report(facts, charter, told, _source(call, where)))
    if args.out:
        writing.put(args.out, text)
        out.good(f"{charter.name}, {moment(since)} to {moment(until)}: {args.out}")
    else:
        out.raw(text)
    out.document(
        {
            "charter": charter.version,
            "counts": digest(facts).decode(),
            "entries": facts.entries,
            "file": str(args.out) if args.out else None,
            "since": datetime.fromtimestamp(since, UTC).isoformat(),
            "size": found.size,
            "until": datetime.fromtimestamp(until, UTC).isoformat(),
        }
    )


def _source(call: Call, where: str) -> str:
    """The options that name the ledger, as a reader of the report would give them."""
    keys = [f"--vkeys {shlex.quote(str(each))}" for each in call.args.vkeys]
    keys += [f"--vkey {shlex.quote(each)}" for each in call.args.vkey]
    return " ".join([f"--from {shlex.quote(where)}", *(keys or ["--vkeys FILE"])])
