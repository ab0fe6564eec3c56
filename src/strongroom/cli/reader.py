"""``strongroom reader``: the people who may ask (SPEC.md section 6.3)."""

from __future__ import annotations

import os
from pathlib import Path

from strongroom.canonical import encode
from strongroom.cli import arguments, writing
from strongroom.cli.command import LOCAL, REMOTE, Call, Commands
from strongroom.cli.output import count, moment
from strongroom.client import device
from strongroom.client.anchors import Anchors
from strongroom.custody import ceremony, readers
from strongroom.errors import InputError
from strongroom.gate import ask as asks
from strongroom.service.identity import credentials


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
    found = group.command(
        "passkey",
        "print a one-time code by which a reader enrols a passkey",
        passkey,
        description="""Draw a code with which NAME enrols a passkey at the vault (POST /v1/passkeys/offers), for rooms whose charter names no
provider. It is good once, for an hour; an earlier one is void. Who has a passkey gets tokens by it alone. The device key still
signs every ask.""",
        examples=["strongroom reader passkey chen", "strongroom reader passkey chen --forget"],
        exits=LOCAL,
    )
    found.add_argument(
        "name", metavar="NAME", help="DIR/people/NAME.device, or a reader's 32 hexadecimal digits (see reader list)"
    )
    found.add_argument(
        "--forget", action="store_true", help="drop the reader's passkeys and code instead, as when one is lost"
    )
    group.command(
        "list",
        "the roster, with the names of devices on this machine",
        listed,
        examples=["strongroom reader list", "strongroom reader list --json"],
        exits=LOCAL,
    )
    known = group.command(
        "anchors",
        "what a reader's program knows this room by, as a file",
        anchored,
        description="""Write what a client is given by hand, once, and believes whatever answers at the room's address no further than: the room's id,
the hash of its first charter, and the key of its log. Nothing in it is secret; what matters is that it comes from the custodian.""",
        examples=["strongroom reader anchors --out anchors.json"],
        exits=LOCAL,
    )
    known.add_argument("--out", metavar="FILE", type=Path, required=True, help="the file to be written")


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


def anchored(call: Call) -> int:
    with arguments.opened(call) as room:
        known = Anchors(genesis=room.anchors.genesis, log=room.anchors.log, room=room.keys.room)
    writing.put(call.args.out, encode(known) + b"\n")
    call.out.good(f"what this room is known by is in {call.args.out}")
    call.out.pairs([("room", known.room.hex()), ("first charter", known.genesis.hex()), ("log", known.log)])
    call.out.document({"file": str(call.args.out), "genesis": known.genesis, "log": known.log, "room": known.room})
    return 0


def effect(effective: int, now: int) -> str:
    """When a charter takes effect, for people."""
    if effective <= now:
        return f"now (since {moment(effective)} UTC)"
    hours, rest = divmod(effective - now, 3600)
    return f"{moment(effective)} UTC, in {f'{hours} h ' if hours else ''}{rest // 60} min: the public delay"


def passkey(call: Call) -> int:
    name, out = call.args.name, call.out
    with arguments.opened(call) as room:
        roster = asks.readers(ceremony.latest_roster(room))
        reader = next((one for one in roster if one.hex() == name), None)
        if reader is None:
            reader = device.load(arguments.device_path(call, name)).reader
        if reader not in roster:
            raise InputError(f"{name} is no reader of this room's roster: see strongroom reader list")
        if call.args.forget:
            gone = credentials.forget(room.store.notes, reader)
            out.good(f"{count(gone, 'passkey')} of {name} forgotten")
            out.document({"forgotten": gone, "reader": reader})
            return 0
        now = room.now()
        code = credentials.draw_code(room.store.notes, reader, now, os.urandom)
    until = now + credentials.CODE_LIFE
    out.good(f"{name} may enrol a passkey")
    out.pairs([("code", code), ("reader", reader.hex()), ("good until", f"{moment(until)} UTC, once")])
    out.document({"code": code, "reader": reader, "until": until})
    return 0


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
