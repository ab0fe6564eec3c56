"""The command ``strongroom``: finds the command, runs it, and turns what went wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points

from strongroom import __version__
from strongroom.cli import command, development, reference
from strongroom.cli.command import FAILED, FINE, INTERRUPTED, REFUSED, UNAVAILABLE, USAGE, Call, Commands
from strongroom.cli.output import Output
from strongroom.errors import KeyholderUnavailable, Refused, StrongroomError, of_system

ABOUT = "Personal data, held so that a thief cannot read it and nobody can read it unseen."

# name -> (module, line). Only the module of the command that is called is imported: it decides how fast a command starts.
COMMANDS = {
    "init": ("init", "make a room: both houses, their keys, the first charter"),
    "catalog": ("catalog", "check a catalog; bring records in line with a new one"),
    "charter": ("charter", "show the charter, or bring in the next one"),
    "keyholder": ("keyholder", "run the keyholder; freeze, hold, expire, recover"),
    "reader": ("reader", "add and list the people who may ask"),
    "import": ("intake", "take records in from a file or a table"),
    "find": ("find", "ask whether a person is here"),
    "disclose": ("disclose", "read fields of records, for a purpose"),
    "check": ("check", "ask whether a field is so, without its value"),
    "correct": ("correct", "give fields of a record other values"),
    "erase": ("erase", "have records opened no more, for good from a printed day"),
    "certificate": ("certificate", "proof that a record was erased, and its check by anybody"),
    "export": ("export", "write fields of many records to a file, a receipt a batch"),
    "subject": ("subject", "the person concerned: admit, enrol, every read of me"),
    "witness": ("witness", "cosign other people's ledgers, once they are seen to have only grown"),
    "ledger": ("ledger", "show, prove, verify, publish and watch the book"),
    "audit": ("audit", "open the case and reason behind an entry"),
    "report": ("report", "the record of processing, and evidence of retention and erasure"),
    "synth": ("synth", "make test data for a holding, about people who are nobody"),
    "upkeep": ("upkeep", "what a timer runs every day: move on to keys that live"),
    "status": ("status", "how the room is"),
    "fsck": ("fsck", "check everything that both houses hold"),
    "serve": ("serve", "run the vault: its HTTP API, /docs, the published ledger"),
    "config": ("config", "the servers' settings and where each came from"),
}

# Attacks and stories stand above the command line, which therefore finds them by name (pyproject.toml).
PLUGINS = "strongroom.commands"
_PLUGIN_LINES = {
    "drill": "replay attacks against a room and see what they get",
    "demo": "a room with 20,000 synthetic residents, in under a minute",
}


def build(wanted: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser. Commands named in ``wanted`` are there whole, the others by their line alone; None: all whole."""
    parser = command.parser("strongroom", ABOUT)
    parser.add_argument("--version", action="version", version=f"strongroom {__version__}")
    parser.add_argument("--help-all", action="store_true", help="print the reference of all commands, in Markdown")
    commands = Commands(parser.add_subparsers(metavar="COMMAND", title="commands"))
    for name, (module, about) in COMMANDS.items():
        if wanted is None or name in wanted:
            importlib.import_module(f"strongroom.cli.{module}").add(commands, name, about)
        else:
            commands.stub(name, about)
    for point in _plugins():
        about = _PLUGIN_LINES.get(point.name, "")
        if wanted is None or point.name in wanted:
            add: Callable[[Commands, str, str], None] = point.load()
            add(commands, point.name, about)
        else:
            commands.stub(point.name, about)
    return parser


def _plugins() -> list[EntryPoint]:
    # One whose module was left out of this installation is no command of it.
    here = [point for point in entry_points(group=PLUGINS) if importlib.util.find_spec(point.module)]
    return sorted(here, key=lambda point: point.name, reverse=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code (``command.EXITS``)."""
    given = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A name in a script that this terminal cannot show must not end the command half-way.
            stream.reconfigure(errors="backslashreplace")
    if given == ["--help-all"]:
        sys.stdout.write(reference.markdown(build()))
        return FINE
    # Whatever could be the command's name is loaded; an option's value of that name costs a moment and no more.
    parser = build(given)
    args = parser.parse_args(given)
    if not hasattr(args, "run"):
        parser.print_help(sys.stderr)
        return USAGE
    out = Output(as_json=bool(args.json))
    try:
        return _run(args, out)
    except KeyboardInterrupt:
        # ``resumes`` is set by commands that go on.
        goes_on = "; the same command goes on where it stopped" if getattr(args, "resumes", False) else ""
        out.note(f"interrupted{goes_on}")
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our answer has read enough (`| head`). Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except StrongroomError as error:
        text = f"refused, {error}" if isinstance(error, Refused) else str(error)
        return _failed(out, error.code, text, _exit_code(error))
    except OSError as error:
        return _failed(out, "system", of_system(error), FAILED)
    except Exception as error:  # noqa: BLE001 - the last net: what it says may quote a value, so it is not shown unasked
        if os.environ.get("STRONGROOM_TRACEBACK"):
            traceback.print_exc()
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        text = (
            f"a defect: {type(error).__name__} at {place}. Set STRONGROOM_TRACEBACK=1 to see all of it, then report it"
        )
        return _failed(out, "defect", text, FAILED)


def _run(args: argparse.Namespace, out: Output) -> int:
    call = Call(args, command.room_of(args), out)
    run: command.Run = args.run
    if args.development and args.starts:
        with development.keyholder(call.room, out.note):
            return run(call) or FINE
    return run(call) or FINE


def _exit_code(error: StrongroomError) -> int:
    if isinstance(error, Refused):
        return REFUSED
    return UNAVAILABLE if isinstance(error, KeyholderUnavailable) else FAILED


def _failed(out: Output, code: str, text: str, exit_code: int) -> int:
    out.error(text)
    out.document({"error": {"code": code, "message": text}})
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
