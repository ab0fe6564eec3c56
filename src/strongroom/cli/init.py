"""``strongroom init``: both houses, their keys, the first charter (SPEC.md sections 6 and 9)."""

from __future__ import annotations

import os
from pathlib import Path

from strongroom.catalog import source as sources
from strongroom.cli import examples, writing
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.cli.output import moment
from strongroom.custody import apart, ceremony
from strongroom.custody.room import Room
from strongroom.keyholder import introduction, line


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        init,
        description="""Make a room: the vault, the keyholder, the keys of both, and the first charter in the ledger. On one machine
all of it lies under one directory. In production the houses are two machines under two bodies: the keyholder makes its keys first
(strongroom keyholder create), the vault and the first charter are made here from its public ones, the keyholder is told that charter's
hash by hand (strongroom keyholder genesis), and --enter ends it. Nothing that exists is overwritten.""",
        examples=[
            "strongroom init --example city",
            "strongroom init --charter charter.yaml --keyholder-keys keyholder.json --keyholder-address https://keys.example:7400",
            "strongroom init --enter",
        ],
        exits=REMOTE,
        development=False,
    )
    which = found.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--charter", metavar="FILE", type=Path, help="the charter in YAML (see examples/, and strongroom catalog check)"
    )
    which.add_argument(
        "--example", metavar="NAME", choices=examples.NAMES, help=f"one that comes along: {', '.join(examples.NAMES)}"
    )
    which.add_argument(
        "--enter",
        action="store_true",
        help="send the first charter to a keyholder elsewhere, which knows its hash by now",
    )
    elsewhere = found.add_argument_group("a keyholder elsewhere")
    elsewhere.add_argument(
        "--keyholder-keys", metavar="FILE", type=Path, help="its public keys, as strongroom keyholder create wrote them"
    )
    elsewhere.add_argument("--keyholder-address", metavar="ADDRESS", help="where it will answer: https://HOST:PORT")


def init(call: Call) -> int:
    out, room = call.out, call.room
    elsewhere = (call.args.keyholder_keys, call.args.keyholder_address)
    if call.args.enter:
        return _enter(call)
    if elsewhere.count(None) == 1:
        call.usage("--keyholder-keys and --keyholder-address go together")
    text, name = (
        (call.args.charter.read_bytes(), str(call.args.charter))
        if call.args.charter
        else (examples.charter(call.args.example), f"examples/{call.args.example}/charter.yaml")
    )
    source = sources.load(text, name)
    if None not in elsewhere:
        return _apart(call, source, text)
    with out.steps() as progress:
        genesis = ceremony.found(room, source, os.urandom, progress)
    # The custodian's own words stay beside the keys: the next charter is written by changing them.
    writing.put(room / "steward" / "charter.yaml", text)
    opened = Room(room / "vault")
    enacted = opened.mirror.charters()[0]
    opened.close()
    out.good(f"{source.name} is founded in {room}")
    out.blank()
    out.table(
        ["WHERE", "WHAT"],
        [
            (f"{room}/vault", "its half of every key, the sealed records, a mirror of the ledger"),
            (f"{room}/keyholder", "the other half, and the book; in production another machine under another body"),
            (f"{room}/public", "the ledger as files, for any web server"),
            (f"{room}/steward", "what signs charters, the auditor's key, charter.yaml; take the keys off this machine"),
        ],
    )
    out.blank()
    out.pairs([("charter", f"version 1, in force since {moment(enacted.effective)} UTC"), ("its hash", genesis.hex())])
    out.blank()
    role, unit = _first(source)
    out.line(("next", "dim"))
    out.line(f"strongroom keyholder --development --room {room} &", indent=2)
    out.line(f"strongroom reader add chen --role {role} --unit {unit} --room {room}", indent=2)
    out.line(f"strongroom status --room {room}", indent=2)
    out.document(
        {
            "charter": genesis,
            "effective": enacted.effective,
            "holdings": sorted(source.holdings),
            "name": source.name,
            "purposes": sorted(source.purposes),
            "room": str(room),
        }
    )
    out.note("vault and keyholder lie on one disk: both houses in one hand are for trying out only")
    return 0


def _apart(call: Call, source: sources.Source, text: bytes) -> int:
    """The vault and the first charter, of a keyholder elsewhere."""
    out, room = call.out, call.room
    keyholder = introduction.load(call.args.keyholder_keys)
    with out.steps() as progress:
        genesis = apart.found(room, source, keyholder, call.args.keyholder_address, os.urandom, progress)
    writing.put(room / "steward" / "charter.yaml", text)
    out.good(f"{source.name}: the vault is made in {room}, and the first charter is signed")
    out.blank()
    out.pairs([("its hash", genesis.hex()), ("keyholder", call.args.keyholder_address)])
    out.blank()
    out.line(("next, once it was read out to the keyholder, and its certificate is trusted here", "dim"))
    out.line(f"there: strongroom keyholder genesis {genesis.hex()}", indent=2)
    out.line(f"here:  cp keyholder-ca.pem {room / 'vault' / line.CA_FILE}", indent=2)
    out.line(f"here:  strongroom init --enter --room {room}", indent=2)
    out.document({"charter": genesis, "keyholder": call.args.keyholder_address, "name": source.name, "room": str(room)})
    return 0


def _enter(call: Call) -> int:
    index = apart.enter(call.room)
    call.out.good(f"the first charter is entry {index} of the ledger, and both houses know it.")
    call.out.document({"entry": index})
    return 0


def _first(source: sources.Source) -> tuple[str, str]:
    intake = [purpose for purpose in source.purposes.values() if "intake" in purpose.actions]
    chosen = (intake or list(source.purposes.values()))[0]
    return chosen.roles[0], chosen.units[0]
