"""A span of time on the command line: a year, or from one moment to another, in UTC."""

from __future__ import annotations

import argparse
import re
import time
from datetime import UTC, datetime

from strongroom.cli.command import Call
from strongroom.errors import InputError

_DAY, _MOMENT = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def add_period(found: argparse.ArgumentParser) -> None:
    group = found.add_argument_group("when (UTC)")
    group.add_argument("--year", metavar="YYYY", type=int, help="a calendar year")
    group.add_argument("--since", metavar="T", help="from this day or moment on: 2026-01-31, 2026-01-31T14:00:00Z")
    group.add_argument("--until", metavar="T", help="up to, and without, this day or moment (default: now)")


def period(call: Call) -> tuple[int, int]:
    """(since, until) in POSIX seconds. Raises ``InputError``."""
    args = call.args
    if args.year is not None:
        if args.since or args.until:
            call.usage("argument --year: not together with --since or --until")
        if not 1970 <= args.year <= 9998:
            raise InputError(f"{args.year}: not a year from 1970 on")
        return _second(f"{args.year:04}-01-01"), _second(f"{args.year + 1:04}-01-01")
    since = _second(args.since) if args.since else 0
    until = _second(args.until) if args.until else int(time.time()) + 1
    if since >= until:
        raise InputError("the period ends before it begins")
    return since, until


def _second(text: str) -> int:
    form = "%Y-%m-%d" if _DAY.fullmatch(text) else "%Y-%m-%dT%H:%M:%SZ" if _MOMENT.fullmatch(text) else ""
    try:
        return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise InputError(f"{text}: not a day such as 2026-01-31, nor a moment such as 2026-01-31T14:00:00Z") from None
