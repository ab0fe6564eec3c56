"""``strongroom subject``: the person concerned at the desk, and every read of them (SPEC.md section 8.7)."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import closing
from pathlib import Path

from strongroom.catalog.model import Charter
from strongroom.cli import arguments, subject_view, writing
from strongroom.cli.command import FAILED, FINE, REMOTE, Call, Commands
from strongroom.client import anchors, device, enrolments, published, subject
from strongroom.client.device import Device
from strongroom.custody import reception
from strongroom.custody.keys import RoomFile, load_room
from strongroom.errors import InputError, KeyholderUnavailable
from strongroom.keyholder import admission, desk, line
from strongroom.keyholder.client import Client, HttpTransport, Voice, address_file
from strongroom.ledger.directory import Fetch
from strongroom.ledger.note import verifier
from strongroom.seal import person


def add(commands: Commands, name: str, about: str) -> None:
    group = commands.group(name, about)
    admit = group.command(
        "admit",
        "at the desk: a code for the person whose identity was verified",
        admitted,
        description="""At the keyholder's desk, once it has verified who stands before it: make a code, good once and for 15 minutes, with which
that person enrols a device. The identifier stays here; the keyholder gets a blinded name and the code's hash.""",
        examples=[
            "strongroom subject admit --holding residents --by resident-id",
            "strongroom subject admit --holding residents --by phone < number.txt",
        ],
        exits=REMOTE,
    )
    admit.add_argument("--holding", metavar="H", help="the holding (default: the room's only one)")
    admit.add_argument(
        "--bucket", metavar="FILE", type=Path, help="the vault's bucket key, where the vault is elsewhere"
    )
    arguments.add_identifier(admit, required=True)
    bucket = group.command(
        "bucket",
        "at the vault: the bucket key that the desk elsewhere asks for",
        handed_over,
        description="""At the vault, where the keyholder's desk is another machine: write the key of one bucket of 2^20, with its proof, to a file
for the desk. It says which number it needs, and not for whom; with few people in a holding the number says that too.""",
        examples=["strongroom subject bucket 402199 --holding residents --by resident-id --out bucket.json"],
        exits=REMOTE,
    )
    bucket.add_argument("number", metavar="NUMBER", type=_number, help="as strongroom subject admit says it")
    bucket.add_argument("--holding", metavar="H", help="the holding (default: the room's only one)")
    bucket.add_argument("--by", metavar="KIND", required=True, help="kind of identifier: resident-id, phone, ...")
    bucket.add_argument("--out", metavar="FILE", type=Path, required=True)
    enrol = group.command(
        "enrol",
        "bind a device to the person the code stands for",
        enrolled,
        description="Bind a device key to the person that the desk made the code for. Makes the device file when there is none.",
        examples=["strongroom subject enrol --device zhang.device"],
        exits=REMOTE,
    )
    enrol.add_argument("--code", metavar="CODE", help="the desk's code; without it, it is read from stdin or asked for")
    _outside(enrol)
    reads = group.command(
        "reads",
        "every read of me, and proof that none is missing",
        read,
        description="""Show every read of the person this device is enrolled for: what the keyholder counted and signed, held against the whole
published ledger, which is recomputed here. It must be the ledger that the vault has cosigned; what the vault has not confirmed yet is
marked. A missing number is a hidden read, and a ledger silent for two heartbeats proves nothing: then the exit code is 1.""",
        examples=[
            "strongroom subject reads --device zhang.device",
            "strongroom subject reads --device zhang.device --ledger https://ledger.riverton.example --vkeys riverton.vkeys --genesis 68ab...",
        ],
        exits=REMOTE,
    )
    _outside(reads)
    reads.add_argument(
        "--vkey", metavar="VKEY", action="append", default=[], help="a verifier key to trust (default: the room's)"
    )
    reads.add_argument(
        "--vkeys", metavar="FILE", action="append", type=Path, default=[], help="verifier keys, one a line"
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < desk.BUCKETS):
        raise argparse.ArgumentTypeError(f"want a number below {desk.BUCKETS}")
    return int(text)


def _outside(found: object) -> None:
    assert hasattr(found, "add_argument")
    found.add_argument("--device", metavar="FILE", type=Path, required=True, help="the person's own device key")
    found.add_argument(
        "--keyholder", metavar="ADDRESS", help="where the keyholder answers: https://HOST:PORT (default: the room's)"
    )
    found.add_argument("--ledger", metavar="DIR|URL", help="the published ledger (default: the room's public/)")
    found.add_argument("--genesis", metavar="HEX", help="the first charter's hash (default: the room's)")


def admitted(call: Call) -> int:
    if call.args.bucket is None and (call.room / "vault" / "keys.json").exists():
        with arguments.opened(call) as room:
            holding = _holding(call, room.rules().charter)
            value = arguments.identifier(call)
            with arguments.naming(call.args.by), call.out.steps() as progress:
                progress("recomputing who this is from one bucket key and its proof")
                code = reception.admit(room, call.room / "keyholder", holding, call.args.by, value)
    else:
        holding, code = _at_the_desk(call)
    call.out.line((f"{code[:5]}-{code[5:]}", "bold"))
    call.out.note("good once, for 15 minutes: strongroom subject enrol --device FILE")
    call.out.document({"code": code, "holding": holding, "kind": call.args.by})
    return 0


def _at_the_desk(call: Call) -> tuple[str, str]:
    """Holding and code. On the keyholder's machine, where no vault is: its bucket key comes in a file."""
    directory, kind = call.room / "keyholder", call.args.by
    charter = admission.charter(directory, call.room / "public")
    holding = _holding(call, charter)
    value = arguments.identifier(call)
    with arguments.naming(kind):
        nf = desk.normal_form(charter, holding, kind, value)
    number = person.bucket(kind, nf)
    if call.args.bucket is None:
        raise InputError(
            f"the vault is not on this machine. Have it run: strongroom subject bucket {number} --holding {holding} --by {kind}"
            " --out FILE, then give --bucket FILE"
        )
    given = admission.load(call.args.bucket)
    if (given.bucket, given.holding, given.kind) != (number, holding, kind):
        raise InputError(
            f"{call.args.bucket}: the key of another bucket. This person's is {number} of {holding} by {kind}"
        )
    return holding, admission.admit(directory, charter, nf, given, int(time.time()), os.urandom)


def handed_over(call: Call) -> int:
    args = call.args
    with arguments.opened(call) as room:
        holding = _holding(call, room.rules().charter)
        with call.out.steps() as progress:
            progress("recomputing a million bucket keys for the proof of one")
            given = reception.bucket(room, holding, args.by, args.number)
    writing.put(args.out, admission.marshal(given), 0o600)
    call.out.good(
        f"{args.out}: the key of bucket {args.number}, for the keyholder's desk alone. Remove it once it was used"
    )
    call.out.document({"bucket": args.number, "file": str(args.out), "holding": holding, "kind": args.by})
    return 0


def _holding(call: Call, charter: Charter) -> str:
    given: str | None = call.args.holding
    if given is None and len(charter.holdings) != 1:
        raise InputError(f"name the holding with --holding: {', '.join(sorted(charter.holdings))}")
    return given or next(iter(charter.holdings))


def enrolled(call: Call) -> int:
    args, out = call.args, call.out
    code = desk.clean_code(args.code or arguments.secret("code"))
    own = device.load(args.device) if args.device.exists() else device.create(args.device, args.device.stem, os.urandom)
    first = anchors.first_charter(_ledger(call), _genesis(call, _anchors(call)))
    with closing(_client(call, own, first)) as client:
        enrolments.add(args.device, subject.enrol(client, own, code, int(time.time())))
    out.good(f"enrolled: {args.device} shows this person every read of them")
    out.line((f"strongroom subject reads --device {args.device}", "dim"))
    out.document({"device": str(args.device), "enrolled": True})
    return 0


def _anchors(call: Call) -> RoomFile | None:
    # Nothing secret is read: a subject has no business with the vault's keys.
    directory = call.room / "vault"
    return load_room(directory) if (directory / "room.json").exists() else None


def _genesis(call: Call, known: RoomFile | None) -> bytes:
    given: str | None = call.args.genesis
    if given is None and known is None:
        raise InputError("which room? Give --room, or --genesis with the first charter's hash")
    return anchors.genesis(given) if given is not None else known.genesis if known else b""


def _ledger(call: Call) -> Fetch:
    return published.fetch_from(call.args.ledger or str(call.room / "public"))


def _client(call: Call, own: Device, first: Charter) -> Client:
    voice = Voice(first.room, lambda: first.keyholder.message)
    given: str | None = call.args.keyholder
    if given is not None:
        try:
            line.parse(given)
        except KeyholderUnavailable:
            raise InputError("--keyholder: want https://HOST:PORT; HOST:PORT on this machine") from None
        return Client(HttpTransport(lambda: given, voice), own.key, first.room)
    return Client(HttpTransport(address_file(call.room / "keyholder"), voice), own.key, first.room)


def read(call: Call) -> int:
    args, out = call.args, call.out
    own, known = device.load(args.device), _anchors(call)
    genesis, fetch = _genesis(call, known), _ledger(call)
    if args.vkey or args.vkeys:
        verifiers = published.verifiers(args.vkey, args.vkeys)
    elif known is not None:
        verifiers = [verifier(known.log)]
    else:
        raise InputError("no verifier key to verify the ledger by: give --vkey or --vkeys")
    first = anchors.first_charter(fetch, genesis)
    room, now = first.room, int(time.time())
    with closing(_client(call, own, first)) as client:
        said = subject.ask_reads(client, own, room, now, os.urandom)
    with out.progress("verifying the whole ledger") as progress:
        kept = enrolments.load(args.device)
        view = subject.verify_reads(said, own, room, genesis, fetch, verifiers, now, progress, kept)
    subject_view.show(out, view)
    out.document(subject_view.document(view))
    return FINE if view.complete else FAILED
