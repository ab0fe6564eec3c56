"""Arguments that several commands share: who asks and why, identifiers, handles, devices, verifier keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from strongroom.cli.command import Call
from strongroom.cli.output import count
from strongroom.client import device
from strongroom.client.device import Device
from strongroom.custody import asking
from strongroom.custody.asking import Mandate
from strongroom.custody.room import Room
from strongroom.errors import InputError, Refused, StrongroomError, ValueRejected


@contextmanager
def opened(call: Call) -> Iterator[Room]:
    """The room's vault, closed at the end."""
    room = Room(call.room / "vault")
    try:
        before = room.mirror.cosignature
        try:
            yield room
        except Refused:
            _hand_over(room, before)
            raise
        _hand_over(room, before)
    finally:
        room.close()


def _hand_over(room: Room, before: str) -> None:
    """The cosignature of what a command brought travels with the next request, and this was the last: a subject would see the
    read as not confirmed until somebody reads again. Where it fails, the next command's first request has it."""
    if room.mirror.cosignature != before:
        with suppress(StrongroomError):
            room.cosign()


def add_ask(found: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Who asks, for what and why: the parts of every ask. Nothing is implied."""
    group = found.add_argument_group("the ask")
    group.add_argument(
        "--as",
        dest="reader",
        metavar="NAME",
        required=required,
        help="the reader, whose device signs: DIR/people/NAME.device",
    )
    group.add_argument(
        "--purpose", metavar="P", required=required, help="a purpose of the charter (see strongroom charter show)"
    )
    group.add_argument("--case", metavar="C", required=required, help="the case or file number this is for")
    group.add_argument(
        "--reason", metavar="R", required=required, help="why, in words: at least 12 letters or 4 Han characters"
    )
    group.add_argument("--holding", metavar="H", help="the holding (default: the purpose's only one)")
    group.add_argument(
        "--countersigner",
        metavar="NAME",
        action="append",
        default=[],
        help="who countersigns it, where the purpose wants that: DIR/people/NAME.device signs too; again for another",
    )


def mandate(call: Call, room: Room) -> Mandate:
    """Who asks, of which holding, for what and why, by the options of ``add_ask``."""
    args = call.args
    who = asking.asker(room, reader(call))
    seconds = tuple(device.load(device_path(call, name)) for name in args.countersigner)
    holding = asking.holding_of(room, args.purpose, args.holding)
    return Mandate(who, holding, args.purpose, args.case, args.reason, seconds)


def add_records(found: argparse.ArgumentParser) -> None:
    """Which records, by handle."""
    found.add_argument("handles", metavar="HANDLE", nargs="*", help="32 hexadecimal digits, as find prints them")
    found.add_argument("--records-from", metavar="FILE", help="handles, one a line; - reads stdin")


def version(text: str) -> int:
    """The number of a version, for argparse."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**32):
        raise argparse.ArgumentTypeError("want a number from 1")
    return int(text)


def add_identifier(found: argparse.ArgumentParser, *, required: bool) -> None:
    group = found.add_argument_group("whom")
    group.add_argument("--by", metavar="KIND", required=required, help="kind of identifier: resident-id, phone, ...")
    group.add_argument(
        "--value",
        metavar="V",
        help="the identifier itself; other users of this machine can see it. Without it, it is read from stdin or asked for",
    )


def identifier(call: Call) -> str:
    """The identifier to look for: asked for on a terminal, else the first line of stdin."""
    given: str | None = call.args.value
    if given is not None:
        call.out.note(
            "--value stands in the process list and the shell's history: leave it out, and it is asked for", "yellow"
        )
        return given
    return secret(call.args.by)


def secret(what: str) -> str:
    """Something that must not stand in the process list: asked for on a terminal, else the first line of stdin."""
    if sys.stdin.isatty():
        sys.stderr.write(f"{what}: ")
        sys.stderr.flush()
    line = sys.stdin.readline().strip()
    if not line:
        raise InputError(f"no {what} was given: write it on stdin, or at the prompt")
    return line


@contextmanager
def naming(what: str) -> Iterator[None]:
    """What is wrong with a value that was given says of which one."""
    try:
        yield
    except ValueRejected as reason:
        raise ValueRejected(f"{what}: {reason}") from None


def confirmed(question: str) -> bool:
    """Whether somebody at a terminal says yes; where there is none, who wrote the command has said so."""
    if not sys.stdin.isatty():
        return True
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def reader(call: Call) -> Device:
    """The device of ``--as``."""
    return device.load(device_path(call, call.args.reader))


def device_path(call: Call, name: str) -> Path:
    """``DIR/people/NAME.device``. Raises ``InputError`` for a name that is no file's name."""
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise InputError("a person's name here names a file: write one without slashes, such as chen")
    return call.room / "people" / f"{name}.device"


def whom(call: Call, room: Room, mandate: Mandate) -> tuple[list[bytes], int | None]:
    """The records a command is about, of ``add_records`` and ``add_identifier``: named by handle, or found, which is an
    entry whose index is given too."""
    args, named = call.args, handles(call.args.handles, call.args.records_from)
    if bool(named) == bool(args.by):
        call.usage("say whose records: handles, --records-from or --by, one of them")
    if named:
        return named, None
    with naming(args.by):
        found = asking.find(room, mandate, args.by, identifier(call))
    records = count(len(found.handles), "record")
    call.out.note(f"{records} found. Entry {found.index} of the ledger.")
    if not found.handles:
        call.out.line("nobody here has that identifier")
    return list(found.handles), found.index


def seen(call: Call, records: int, entries: Sequence[int]) -> None:
    """The note under what was asked: which entries it is, and that it is seen."""
    which = "Entry" if len(entries) == 1 else "Entries"
    # One record may be about several people, and an ask about some of these.
    persons = "whoever it is about" if records == 1 else "the persons concerned"
    whole = len(entries) > 2 and list(entries) == list(range(entries[0], entries[-1] + 1))
    numbers = f"{entries[0]} to {entries[-1]}" if whole else ", ".join(str(index) for index in entries)
    call.out.note(f"{count(records, 'record')}. {which} {numbers} of the ledger; {persons} will see it.")


def handles(given: Sequence[str], file: str | None) -> list[bytes]:
    """Handles from the command line and from a file (``-``: stdin), in order, each once. Raises ``InputError``."""
    found = {_handle(text, f"handle {place}"): None for place, text in enumerate(given, 1)}
    if file is not None:
        for place, line in enumerate(_lines(file), 1):
            if line.strip():
                found[_handle(line.strip(), f"{'stdin' if file == '-' else file}:{place}")] = None
    return list(found)


def _lines(file: str) -> list[str]:
    try:
        return (sys.stdin.read() if file == "-" else Path(file).read_text()).splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: not text. Want handles, one a line") from None


def _handle(text: str, place: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16 or len(text) != 32:
        raise InputError(f"{place}: not a handle. Want 32 hexadecimal digits, as find prints them")
    return found


def names(text: str) -> list[str]:
    """``a,b`` as a list. Raises ``InputError`` when nothing is in it."""
    found = [one.strip() for one in text.split(",") if one.strip()]
    if not found:
        raise InputError("name at least one field")
    return found
