"""``strongroom correct``: other values in a record, sealed as its next version (SPEC.md sections 3.1 and 7.2)."""

from __future__ import annotations

import argparse
import base64
from pathlib import Path

from strongroom.cli import arguments
from strongroom.cli.command import REMOTE, Call, Commands
from strongroom.custody import asking
from strongroom.custody.correct import correct as revised
from strongroom.custody.room import Room
from strongroom.errors import InputError


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        correct,
        description="""Put a record right. Its other fields stay as they are, and nobody is shown them. Each value is asked for, or read from stdin,
a line each in the order of --set (after the identifier, where --by asks for one). The record gets another version, which expires when
the one before it would have; that one stays for those who may read old versions. The persons concerned will see it. An identifier that says whom
a record is about is given a value where it has none, and not changed: a record under the wrong number is erased and taken in anew.""",
        examples=[
            "strongroom correct --as wu --purpose mend --holding residents --set name --by resident-id --case R-2031 --reason 'misspelt when it was taken in'",
            "strongroom correct --as wu --purpose mend --holding residents --set-from address=address.txt --clear phone --case R-2031 --reason '按本人申请更正' --records-from handle.txt",
        ],
        exits=REMOTE,
    )
    arguments.add_ask(found)
    group = found.add_argument_group("what")
    group.add_argument(
        "--set", metavar="FIELD", action="append", default=[], help="a field whose value is read; again for more"
    )
    group.add_argument(
        "--set-from",
        metavar="FIELD=FILE",
        action="append",
        default=[],
        type=_field_and_file,
        help="a field, and the file that is its value: an image, or text; again for more",
    )
    group.add_argument("--clear", metavar="FIELD", action="append", default=[], help="a field that is to be empty")
    group.add_argument(
        "--intake-purpose",
        metavar="P",
        default="",
        help="what indexes its identifiers anew (default: the same purpose)",
    )
    arguments.add_records(found)
    arguments.add_identifier(found, required=False)


def correct(call: Call) -> int:
    args, out = call.args, call.out
    named = [*args.set, *(name for name, _ in args.set_from), *args.clear]
    if not named or len(set(named)) != len(named):
        call.usage("name each field that changes once: --set, --set-from or --clear")
    with arguments.opened(call) as room:
        mandate = arguments.mandate(call, room)
        handles, searched = arguments.whom(call, room, mandate)
        if len(handles) > 1:
            raise InputError(f"{len(handles)} records are meant; correct one at a time, by its handle")
        if not handles:
            out.document({"find": searched, "handle": None, "holding": mandate.holding})
            return 0
        changes: dict[str, str | None] = {name: arguments.secret(f"new {name}") for name in args.set}
        changes |= {name: _content(room, mandate.holding, name, path) for name, path in args.set_from}
        changes |= dict.fromkeys(args.clear)
        if mandate.seconds:
            # What they sign for; a value as long as an image by its beginning.
            for name, value in changes.items():
                out.note(f"countersigned: {name} " + ("is emptied" if value is None else f"= {_short(value)}"))
        done = revised(room, mandate, handles, changes, args.intake_purpose)
    out.good(f"record {handles[0].hex()} has a new version: {done.versions[0]}")
    arguments.seen(call, 1, [done.index, *done.indexed])
    if not done.settled:
        out.warn("the keyholder could not yet be told that the version before is an old one; strongroom upkeep does")
    out.document(
        {
            "entry": done.index,
            "find": searched,
            "handle": handles[0],
            "holding": mandate.holding,
            "indexed": list(done.indexed),
            "receipt": done.receipt,
            "settled": done.settled,
            "version": done.versions[0],
        }
    )
    return 0


def _short(text: str) -> str:
    return text if len(text) <= 500 else f"{text[:500]}... ({len(text):,} characters)"


def _field_and_file(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not name or not sign or not path:
        raise argparse.ArgumentTypeError("want FIELD=FILE")
    return name, Path(path)


def _content(room: Room, holding: str, name: str, path: Path) -> str:
    """A file as a field's value: base64 of an image, of anything else its text."""
    data = path.read_bytes()
    if name in asking.images(room, holding):
        return base64.b64encode(data).decode()
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not text, and {name} is no image") from None
