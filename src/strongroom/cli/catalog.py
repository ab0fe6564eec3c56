"""``strongroom catalog``: is this file a charter, and a wise one? (SPEC.md section 6.7)"""

from __future__ import annotations

from pathlib import Path

from strongroom.catalog import source as sources
from strongroom.catalog.check import Finding
from strongroom.cli import migrate
from strongroom.cli.command import FAILED, FINE, Call, Commands
from strongroom.cli.output import BAD, WARN, count
from strongroom.custody.findings import findings
from strongroom.errors import CatalogError


def add(commands: Commands, name: str, about: str) -> None:
    group = commands.group(name, about)
    found = group.command(
        "check",
        "errors and warnings of a charter in YAML, each with its line and the mend",
        check,
        description="Read a charter in YAML and say what is wrong with it and what should be known before it is signed, with file, line and mend.\n"
        "A warning is the custodian's to weigh; an error must be mended.",
        examples=["strongroom catalog check charter.yaml"],
        development=False,
    )
    found.add_argument("file", metavar="FILE", type=Path)
    migrate.add(group)


def check(call: Call) -> int:
    out, file = call.out, call.args.file
    try:
        source = sources.load(file.read_bytes(), str(file))
        found = findings(source)
    except CatalogError as error:
        source, found = None, [Finding("error", error.place, error.problem, error.mend)]
    for one in found:
        out.line((one.level, BAD if one.level == "error" else WARN), f"  {one.place}")
        out.line(f"{one.problem}.", indent=4)
        out.line((f"{one.mend}.", "dim"), indent=4)
    errors = sum(one.level == "error" for one in found)
    if found:
        out.blank()
    if errors or source is None:
        out.bad(f"{count(errors, 'error')}: this cannot become a charter")
    else:
        holdings, purposes = count(len(source.holdings), "holding"), count(len(source.purposes), "purpose")
        out.good(f"{source.name}: {holdings}, {purposes}, {count(len(found), 'warning')}")
    out.document(
        {
            "errors": errors,
            "file": str(file),
            "findings": [{"level": o.level, "mend": o.mend, "place": o.place, "problem": o.problem} for o in found],
            "warnings": len(found) - errors,
        }
    )
    return FAILED if errors else FINE
