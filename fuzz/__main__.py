"""``python -m fuzz``: search each parser for an input that breaks it, and say how far the search came."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import importlib
import io
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzz.known import KNOWN

# Nothing of the project may be imported before atheris can instrument it.
if TYPE_CHECKING:
    from fuzz.run import Ran
    from fuzz.target import Target

FINE, BROKEN, USAGE = 0, 1, 2
_AT_ONCE = 500


def main() -> int:
    args = _arguments()
    atheris = _atheris()
    targets = _loaded(atheris)
    wanted = [
        one for name, one in targets.items() if any(fnmatch.fnmatch(name, each) for each in args.targets or ["*"])
    ]
    if not wanted:
        print(f"no target is called that; there are: {', '.join(targets)}", file=sys.stderr)
        return USAGE
    if args.list:
        print("\n".join(one.name for one in wanted))
        return FINE
    if args.replay:
        return _replayed(wanted, args.replay)
    if atheris is None:
        print(
            "atheris has no wheel for this Python and machine, or is not installed (make fuzz does it): mutations without"
            " coverage instead",
            file=sys.stderr,
        )
    return _summary(_all(atheris, wanted, args))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__, allow_abbrev=False)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="names, * allowed (default: all)")
    parser.add_argument("--seconds", metavar="S", type=int, default=10, help="for each target (default: %(default)s)")
    parser.add_argument(
        "--runs", metavar="N", type=int, default=0, help="inputs for each target instead, always the same"
    )
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="targets at once (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="print the targets' names")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="give the targets this one input")
    return parser.parse_args()


def _atheris() -> Any:
    """The module, untyped as it is; None where it is not installed."""
    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


def _loaded(atheris: Any) -> dict[str, Target]:
    if atheris is None:
        watched: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    else:
        watched = atheris.instrument_imports(include=["strongroom"])
    # It names every module it instruments.
    with contextlib.redirect_stderr(io.StringIO()), watched:
        found: dict[str, Target] = importlib.import_module("fuzz.targets").ALL
    return found


def _replayed(wanted: list[Target], file: Path) -> int:
    data = file.read_bytes()
    for one in wanted:
        print(f"{one.name}: {'accepted' if one.check(data) else 'refused'}")
    return FINE


def _all(atheris: Any, wanted: list[Target], args: argparse.Namespace) -> list[Ran]:
    if atheris is None:
        return [_told(_swept(one, args)) for one in wanted]
    from fuzz import run  # noqa: PLC0415 - after atheris

    budget = run.Budget(args.seconds, args.runs)
    waiting = list(reversed(wanted))
    running: dict[int, tuple[Target, float]] = {}
    found: list[Ran] = []
    while waiting or running:
        while waiting and len(running) < max(1, args.jobs):
            one = waiting.pop()
            sys.stdout.flush()
            running[run.start(atheris, one, budget)] = one, time.monotonic()
        child, status = os.wait()
        target, began = running.pop(child)
        found.append(_told(run.finish(target, status, began)))
    return found


def _swept(target: Target, args: argparse.Namespace) -> Ran:
    from fuzz import run, sweep  # noqa: PLC0415 - after atheris

    began, count, broken = time.monotonic(), 0, ""
    try:
        count += sweep.replay(target).inputs
        while not broken and (count < args.runs if args.runs else time.monotonic() - began < args.seconds):
            count += sweep.sweep(target, _AT_ONCE, start=count).inputs
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        broken = "\n    ".join([f"{type(error).__name__}: {error}", *error.__notes__])
    return run.Ran(target.name, count, time.monotonic() - began, None, broken)


def _told(one: Ran) -> Ran:
    new = "-" if one.new is None else f"+{one.new}"
    rate = one.executions / one.seconds if one.seconds else 0
    print(
        f"{one.name:<42} {one.executions:>10,} inputs {one.seconds:>6.1f} s {rate:>8,.0f}/s {new:>6} edges  {_outcome(one)}",
        flush=True,
    )
    return one


def _outcome(one: Ran) -> str:
    if not one.broken:
        return "held"
    return f"known: {KNOWN[one.name]}" if one.name in KNOWN else "BROKEN"


def _summary(found: list[Ran]) -> int:
    """The exit code: of what is known to be broken the tests see to it that it is mended."""
    known = [one for one in found if one.broken and one.name in KNOWN]
    broken = [one for one in found if one.broken and one.name not in KNOWN]
    for one in broken:
        print(f"\n{one.name}: {one.broken}")
    total, seconds = sum(one.executions for one in found), sum(one.seconds for one in found)
    held = len(found) - len(known) - len(broken)
    print(
        f"\n{len(found)} targets, {total:,} inputs, {seconds:,.0f} s: {held} held, {len(broken)} broke"
        + (f", {len(known)} known to break" if known else "")
    )
    if broken:
        print(
            "Its input belongs into fuzz/corpus/TARGET, where the tests replay it. To try it: python -m fuzz --replay FILE TARGET"
        )
    return BROKEN if broken else FINE


if __name__ == "__main__":
    sys.exit(main())
