"""``strongroom reader``: the people who may ask (SPEC.md section 6.3)."""

from __future__ import annotations

import os

from strongroom.cli import arguments
from strongroom.cli.command import LOCAL, REMOTE, Call, Commands
from strongroom.cli.output import moment
from strongroom.custody import ceremony, readers


def add(commands: Commands, name: str, about: str) -> None:
    group = commands.group(name, about)
    found = group.command(
        "add",
        "make a reader's device key and put it into the roster",
        enrol,
        description="""Make DIR/people/NAME.device and add its key to the roster by a new charter, signed with DIR/steward/steward.key.
The name stays on this machine: the roster and the ledger know a key, a role and a unit. It takes effect after the charter's delay.""",
        examples=["strongroom reader add chen --role clerk --unit registry"],
        exits=REMOTE,
    )
    found.add_argument("name", metavar="NAME", help="what the file is called; it goes nowhere else")
    found.add_argument("--role", metavar="R", required=True, help="a role that a purpose is for")
    found.add_argument("--unit", metavar="U", required=True, help="the unit the reader works in")
    group.command(
        "list",
        "the roster, with the names of devices on this machine",
        listed,
        examples=["strongroom reader list", "strongroom reader list --json"],
        exits=LOCAL,
    )


def enrol(call: Call) -> int:
    args, out = call.args, call.out
    path = arguments.device_path(call, args.name)
    steward = ceremony.load_steward(call.room / "steward" / "steward.key")
    with arguments.opened(call) as room:
        room.sync()
        device, enacted = readers.add(room, steward, path, args.name, args.role, args.unit, os.urandom)
        now = max(room.now(), room.mirror.time)
    out.good(f"{args.name} may ask as {args.role} of {args.unit}: charter version {enacted.charter.version}")
    out.pairs(
        [
            ("device", str(path)),
            ("reader", device.reader.hex()),
            ("takes effect", effect(enacted.effective, now)),
        ]
    )
    out.document(
        {
            "charter": enacted.hash,
            "device": str(path),
            "effective": enacted.effective,
            "name": args.name,
            "reader": device.reader,
            "role": args.role,
            "unit": args.unit,
            "version": enacted.charter.version,
        }
    )
    return 0


def effect(effective: int, now: int) -> str:
    """When a charter takes effect, for people."""
    if effective <= now:
        return f"now (since {moment(effective)} UTC)"
    hours, rest = divmod(effective - now, 3600)
    return f"{moment(effective)} UTC, in {f'{hours} h ' if hours else ''}{rest // 60} min: the public delay"


def listed(call: Call) -> int:
    with arguments.opened(call) as room:
        found = readers.listed(room, call.room / "people")
    call.out.table(
        ["NAME", "ROLE", "UNIT", "READER", ""],
        [
            [
                (one.name or "-", "" if one.name else "dim"),
                one.role,
                one.unit,
                one.id.hex(),
                "" if one.in_force else ("not yet in force", "yellow"),
            ]
            for one in found
        ],
    )
    if not found:
        call.out.line("nobody may ask yet: strongroom reader add NAME --role R --unit U")
    call.out.document(
        {
            "readers": [
                {"in_force": o.in_force, "name": o.name or None, "reader": o.id, "role": o.role, "unit": o.unit}
                for o in found
            ]
        }
    )
    return 0
