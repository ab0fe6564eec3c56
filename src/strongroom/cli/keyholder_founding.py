"""``strongroom keyholder create`` and ``genesis``: the keyholder's half of the ceremony, on its own machine (SPEC.md section 9)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from strongroom.cli import writing
from strongroom.cli.command import Call, Commands
from strongroom.errors import InputError
from strongroom.keyholder import files, introduction


def add(actions: Commands) -> None:
    made = actions.command(
        "create",
        "draw the keys of a keyholder that has a machine of its own",
        create,
        description="""Draw the keys of a keyholder that has a machine of its own, and write its public ones to a file for the custodian,
who makes the first charter from them. Tell the custodian the number that is printed by another way than the file goes.""",
        examples=["strongroom keyholder create riverton.example --out keyholder.json"],
        development=False,
    )
    made.add_argument("name", metavar="NAME", help="the room's, as its charter says it")
    made.add_argument("--out", metavar="FILE", type=Path, required=True, help="the public keys")
    told = actions.command(
        "genesis",
        "be told the first charter's hash, once and for all",
        genesis,
        description="""Be told the hash of the first charter, which its steward reads out to you: from then on this keyholder takes that
charter as its first, and no other. It cannot be changed.""",
        examples=["strongroom keyholder genesis 68ab4c0f6ee54a2f1fb8d1d0e7c2f4a96a0d4bd8e6a2b7d3f2a5c9e01b7d8f36"],
        development=False,
    )
    told.add_argument("hash", metavar="HASH", help="64 hexadecimal digits, as strongroom init printed them")


def create(call: Call) -> int:
    out, directory = call.out, call.room / "keyholder"
    made = introduction.create(directory, call.args.name, os.urandom)
    writing.put(call.args.out, made)
    number = hashlib.sha256(made).hexdigest()
    out.good(f"the keys are in {directory}, and the public ones in {call.args.out}")
    out.pairs([("its number", number)])
    out.line(("next: strongroom keyholder genesis HASH, with what the custodian reads out to you", "dim"))
    out.document({"file": str(call.args.out), "sha256": number})
    return 0


def genesis(call: Call) -> int:
    try:
        told = bytes.fromhex(call.args.hash)
    except ValueError:
        told = b""
    if len(told) != 32 or len(call.args.hash) != 64:
        raise InputError("the hash of a charter is 64 hexadecimal digits, as strongroom init printed them")
    directory = call.room / "keyholder"
    files.begin(directory, told)
    call.out.good(
        f"this keyholder will take the charter {told.hex()} as its first, and no other. Start it: strongroom keyholder"
    )
    call.out.document({"genesis": told})
    return 0
