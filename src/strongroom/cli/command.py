"""How a command is declared: its parser, its help with examples and exit codes, and what runs it."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from strongroom.cli.output import Output

if TYPE_CHECKING:
    _Parsers: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse's only name for it

FINE, FAILED, USAGE, REFUSED, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130

EXITS = {
    FINE: "done, and everything that was checked holds",
    FAILED: "an error, or a check that failed; what, where and the mend stand on stderr",
    USAGE: "the command line is wrong",
    REFUSED: "refused by the gate or the keyholder",
    UNAVAILABLE: "no keyholder answers",
    INTERRUPTED: "interrupted with Ctrl-C",
}

_EVERY = "every command"

LOCAL = (FINE, FAILED, USAGE)
REMOTE = (*LOCAL, REFUSED, UNAVAILABLE)


@dataclass(frozen=True)
class Call:
    """One call of a command: its arguments, the room's directory, where the answer goes."""

    args: argparse.Namespace
    room: Path
    out: Output

    def usage(self, text: str) -> NoReturn:
        """What no parser can tell is wrong with the command line: ends with code 2, as argparse does."""
        self.args.usage(text)
        raise AssertionError("argparse has left")


Run: TypeAlias = Callable[[Call], int | None]
"""Does the command; returns an exit code, None for 0."""


class _Help(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=min(100, shutil.get_terminal_size((100, 24)).columns))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # Prose is wrapped to the terminal; examples and exit codes stand as they are.
        return text if text.endswith("\n") else super()._fill_text(text, width, indent)

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        # The list of commands needs no line of its own that says COMMAND.
        return text.partition("\n")[2] if isinstance(action, argparse._SubParsersAction) else text  # noqa: SLF001


STARTS = "start a keyholder for this command where none runs"
NOTHING = "changes nothing here: this command asks no running keyholder"


class _Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        # What every command takes comes after what is this one's own.
        self._action_groups.sort(key=lambda group: group.title == _EVERY)
        return super().format_help()


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """The parser of the whole command line, with the options that every command takes."""
    found = _Parser(prog=prog, description=description, formatter_class=_Help, allow_abbrev=False)
    _common(found, suppress=False)
    return found


def _common(found: argparse.ArgumentParser, *, suppress: bool, development: str = STARTS) -> None:
    # Taken before the command's name as well as after it; an absent one must not undo the other.
    default: Any = argparse.SUPPRESS if suppress else None
    group = found.add_argument_group(_EVERY)
    group.add_argument(
        "--room", metavar="DIR", type=Path, default=default, help="the room (default: $STRONGROOM_ROOM or ./room)"
    )
    group.add_argument("--json", action="store_true", default=default, help="print one JSON document")
    group.add_argument("--development", action="store_true", default=default, help=development)


def room_of(args: argparse.Namespace) -> Path:
    given: Path | None = args.room
    return given or Path(os.environ.get("STRONGROOM_ROOM") or "room")


class Commands:
    """One level of commands, to which modules add theirs."""

    def __init__(self, parsers: _Parsers) -> None:
        self._parsers = parsers

    def command(
        self,
        name: str,
        about: str,
        run: Run,
        *,
        description: str = "",
        examples: Sequence[str] = (),
        exits: Sequence[int] = LOCAL,
        development: bool = True,
        in_development: str = "",
    ) -> argparse.ArgumentParser:
        """Declare a command; arguments are added to what is returned.

        ``about`` is its line in the list, ``description`` the text of its own help. ``development``: whether the option
        of that name starts a keyholder for it; ``in_development``: what its help says, where it does something else.
        """
        found = self._parsers.add_parser(
            name,
            help=about,
            description=_sentence(description or about),
            epilog=_epilog(examples, exits),
            formatter_class=_Help,
            allow_abbrev=False,
        )
        _common(found, suppress=True, development=in_development or (STARTS if development else NOTHING))
        found.set_defaults(run=run, starts=development, usage=found.error)
        return found

    def group(self, name: str, about: str, *, description: str = "", in_development: str = STARTS) -> Commands:
        """Declare a command that has commands of its own."""
        found = self._parsers.add_parser(
            name, help=about, description=_sentence(description or about), formatter_class=_Help, allow_abbrev=False
        )
        _common(found, suppress=True, development=in_development)
        return Commands(found.add_subparsers(metavar="COMMAND", required=True, title="commands"))

    def under(self, found: argparse.ArgumentParser) -> Commands:
        """Commands below a command that does something by itself too."""
        return Commands(found.add_subparsers(metavar="COMMAND", required=False, title="commands"))

    def stub(self, name: str, about: str) -> None:
        """List a command whose module was not needed this time."""
        self._parsers.add_parser(name, help=about)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _epilog(examples: Sequence[str], exits: Sequence[int]) -> str:
    lines = []
    if examples:
        lines += ["examples:", *[f"  {example}" for example in examples], ""]
    return "\n".join([*lines, "exit codes:", *[f"  {code:<4} {EXITS[code]}" for code in (*exits, INTERRUPTED)], ""])
