"""``strongroom demo``: registered by its entry point, since the tour stands above the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

from strongroom.cli.command import Call, Commands
from strongroom.demo.story import Tour
from strongroom.errors import InputError

_MARK = ".demo"


def add(commands: Commands, name: str, about: str) -> None:
    found = commands.command(
        name,
        about,
        demo,
        description="""A tour of the whole: a room is founded, residents who do not exist are sealed, read for a purpose, refused, stolen in vain;
one of them sees every read; the ledger is verified from outside. Every step is a real command, shown as typed.
The room stays in --room (default ./room); a room that an earlier demo made there is replaced, any other is left alone.""",
        examples=["strongroom demo", "strongroom demo --room /tmp/riverton --people 1000"],
        development=False,
    )
    found.add_argument("--people", metavar="N", type=int, default=20_000, help="how many residents (default 20,000)")


def demo(call: Call) -> int:
    if not 10 <= call.args.people <= 1_000_000:
        raise InputError("--people takes 10 to 1,000,000")
    prepare(call.room)
    Tour(call.room, call.args.people, call.out).tell()
    return 0


def prepare(room: Path) -> None:
    """An empty directory with our mark in it. Raises ``InputError`` rather than touch what no demo made."""
    if (room / _MARK).exists():
        shutil.rmtree(room)
    elif room.exists() and any(room.iterdir()):
        raise InputError(f"{room}: is not a room that a demo made. Choose another with --room")
    room.mkdir(parents=True, exist_ok=True)
    (room / _MARK).write_text("made by strongroom demo; the next one replaces it\n")
