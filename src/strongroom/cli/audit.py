"""``strongroom audit``: what stands behind an entry, for whoever has the auditor's key (SPEC.md section 7.1)."""

from __future__ import annotations

from pathlib import Path

from strongroom.cli import arguments, rendering
from strongroom.cli.command import Call, Commands
from strongroom.cli.output import moment
from strongroom.custody import book
from strongroom.gate import cedar
from strongroom.gate.ask import CheckAsk, CorrectAsk, DiscloseAsk


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        audit,
        description="""Open what the vault keeps sealed behind an entry: who asked, for which case and reason, as the reader's device signed it.
It must be what the entry in the public ledger commits to. Whom a find was for, what a check compared with, and what a
correction wrote, is shown only with --whom.""",
        examples=["strongroom audit 17", "strongroom audit 17 --key /media/auditor/auditor.key"],
        development=False,
    )
    found.add_argument("index", metavar="INDEX", type=int, help="of the entry (see strongroom ledger show)")
    found.add_argument("--key", metavar="FILE", type=Path, help="the auditor's key (default: DIR/steward/auditor.key)")
    found.add_argument(
        "--whom",
        action="store_true",
        help="show the value that a find or a check was about, or what a correction wrote, too",
    )


def audit(call: Call) -> int:
    args, out = call.args, call.out
    with arguments.opened(call) as room:
        found = book.opened(room, args.index, args.key or call.room / "steward" / "auditor.key")
        charters = rendering.known(room.mirror.charters())
    name = str(found.entry.__struct_config__.tag)
    out.line((f"entry {args.index}", "bold"), f"   {name}   {rendering.what(found.entry, charters)}")
    out.blank()
    rows: list[tuple[str, str | tuple[str, str]]] = [
        ("case", found.private.case),
        ("reason", found.private.reason),
        ("reader", f"{found.ask.reader.hex()}, {found.line.role} of {found.line.unit}"),
        ("asked", f"{moment(found.ask.time)} UTC, for {found.ask.purpose}"),
    ]
    document = {
        "case": found.private.case,
        "entry": args.index,
        "purpose": found.ask.purpose,
        "reader": found.ask.reader,
        "reason": found.private.reason,
        "role": found.line.role,
        "time": found.ask.time,
        "type": name,
        "unit": found.line.unit,
        "countersigners": [
            {"reader": reader, "role": line.role, "unit": line.unit} for reader, line in found.countersigners.items()
        ],
    }
    rows += [
        ("countersigned", f"{reader.hex()}, {line.role} of {line.unit}")
        for reader, line in found.countersigners.items()
    ]
    if fields := cedar.fields(found.ask):
        rows.append(("fields", ", ".join(fields)))
        document["fields"] = fields
    if isinstance(found.ask, DiscloseAsk) and found.ask.version:
        rows.append(("version", str(found.ask.version)))
        document["version"] = found.ask.version
    if isinstance(found.ask, CheckAsk):
        rows.append(("test", found.ask.test))
        document["test"] = found.ask.test
    whom = found.private.subject
    if whom is not None and isinstance(found.ask, CorrectAsk):
        rows.append(("written", whom.value if args.whom else "--whom shows what"))
        document["written"] = {"kind": whom.kind, **({"value": whom.value} if args.whom else {})}
    elif whom is not None:
        rows.append(("whom", f"{whom.kind}: {whom.value}" if args.whom else f"one {whom.kind}; --whom shows which"))
        document["whom"] = {"kind": whom.kind, **({"value": whom.value} if args.whom else {})}
    out.pairs(rows)
    out.blank()
    whose = "the devices of reader and countersigner" if found.countersigners else "the reader's device"
    out.good(f"it is what the entry commits to, signed by {whose}")
    out.document(document)
    return 0
