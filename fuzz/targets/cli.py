"""What people type: handles, names, hashes, codes, and any command line at all."""

from __future__ import annotations

import argparse
import contextlib
import io
from functools import cache

from fuzz.scratch import file
from fuzz.target import Broken, Target, text_of
from strongroom.cli import arguments, main, period
from strongroom.client import anchors
from strongroom.errors import InputError
from strongroom.keyholder import desk

_LINES = (
    b"find\n--as\nana\n--purpose\nconfirm\n--case\n7\n--reason\nwhy\n--by\nphone\n--value\n1", b"ledger\nshow\n--last\n5", b"--help", b"fsck",
    b"ledger\nprove\n7\n--room\nroom\n--json", b"keyholder\nfreeze\nroom", b"audit\n3", b"import\nx.csv\n--workers\n2", b"status\n--json",
)  # fmt: skip


def targets() -> list[Target]:
    return [
        Target(
            name="cli.handle",
            read=lambda data: arguments.handles([text_of(data)], None),
            errors=InputError,
            seeds=lambda: [b"0f" * 16, b"00" * 16],
            of=(arguments.handles,),
        ),
        Target(
            name="cli.handles",
            read=lambda data: arguments.handles([], str(file(data, "handles"))),
            errors=InputError,
            seeds=lambda: [b"0f" * 16 + b"\n" + b"1e" * 16 + b"\n\n"],
            of=(arguments.handles,),
            weight=0.1,
        ),
        Target(
            name="cli.names",
            read=lambda data: arguments.names(text_of(data)),
            errors=InputError,
            seeds=lambda: [b"name", b"name, born,,phone"],
            of=(arguments.names,),
        ),
        Target(
            name="cli.genesis",
            read=lambda data: anchors.genesis(text_of(data)),
            errors=InputError,
            seeds=lambda: [b"0f" * 32],
            of=(anchors.genesis,),
        ),
        Target(
            name="cli.code",
            read=_code,
            seeds=lambda: [b"0123456789", b"oil-ab cd efg"],
            of=(desk.clean_code,),
        ),
        Target(
            name="cli.moment",
            read=lambda data: period._second(text_of(data)),
            errors=InputError,
            silent=False,
            seeds=lambda: [b"2026-01-31", b"2026-01-31T14:00:00Z", b"0001-01-01", b"9999-12-31T23:59:59Z"],
            of=(period._second,),
        ),
        Target(
            name="cli.version",
            read=_version,
            seeds=lambda: [b"1", b"4294967295"],
            of=(arguments.version,),
            silent=False,
        ),
        Target(
            name="cli.line",
            read=_line,
            seeds=lambda: _LINES,
            of=(argparse.ArgumentParser.parse_args,),
            weight=0.02,
        ),
    ]


def _version(data: bytes) -> None:
    # What argparse makes a usage error of.
    with contextlib.suppress(argparse.ArgumentTypeError, ValueError):
        if str(arguments.version(text_of(data))) != text_of(data).lstrip("0"):
            raise Broken("a version is read as another number")


def _code(data: bytes) -> None:
    once = desk.clean_code(text_of(data))
    if desk.clean_code(once) != once:
        raise Broken("a code is cleaned otherwise the second time")


@cache
def _parser() -> argparse.ArgumentParser:
    return main.build()


def _line(data: bytes) -> None:
    """Arguments one a line. The parser may end the process with 0 (help) or 2; the command itself is not run."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            _parser().parse_args(text_of(data).split("\n"))
        except SystemExit as left:
            if left.code not in (0, 2):
                raise Broken(f"the command line ends with {left.code}") from None
