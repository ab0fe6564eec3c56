"""The reference of all commands in Markdown, out of the parsers themselves: ``strongroom --help-all`` (docs/commands.md)."""

# ruff: noqa: SLF001 - argparse has no public way to ask a parser what it takes

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from strongroom.cli.command import EXITS

_HEAD = """# Commands

Written by `strongroom --help-all` from the commands themselves; a test keeps it current.

Every command takes `--room DIR` (default: `$STRONGROOM_ROOM`, else `./room`), `--json` (one JSON document on stdout, also for an
error: `{"error": {"code", "message"}}`) and `--development` (start a keyholder for this command where none runs; `--help` says where
it does something else, or nothing). Answers go to
stdout; progress, notes and errors to stderr. Colour only on a terminal, and not where `NO_COLOR` is set. Personal values
are read from stdin or asked for, and never printed but as the answer to `disclose`.
"""


def markdown(parser: argparse.ArgumentParser) -> str:
    """The whole reference."""
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXITS.items())
    exits = f"## Exit codes\n\n| code | meaning |\n|---|---|\n{codes}\n"
    return "\n".join([_HEAD, exits, *_commands(parser, 2)]).rstrip() + "\n"


def _commands(parser: argparse.ArgumentParser, depth: int) -> Iterator[str]:
    for name, found in _children(parser).items():
        yield f"{'#' * min(depth, 4)} {parser.prog} {name}\n"
        yield from _command(found)
        yield from _commands(found, depth + 1)


def _children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _command(found: argparse.ArgumentParser) -> Iterator[str]:
    yield " ".join((found.description or "").split()) + "\n"
    own = [action for action in found._actions if _shown(action)]
    if found.get_default("run") is None:
        return
    words = [found.prog, *[_usage(action) for action in own]]
    yield f"```\n{' '.join(words)}\n```\n"
    if own:
        yield "| argument | |\n|---|---|\n" + "".join(f"| {_name(action)} | {_help(action)} |\n" for action in own)
    lines = (found.epilog or "").splitlines()
    if "examples:" in lines:
        examples = [line.strip() for line in lines[lines.index("examples:") + 1 : lines.index("exit codes:")] if line]
        yield "Examples:\n\n```sh\n" + "\n".join(examples) + "\n```\n"
    codes = [line.split()[0] for line in lines[lines.index("exit codes:") + 1 :]] if "exit codes:" in lines else []
    if codes:
        yield f"Exit codes: {', '.join(codes)}.\n"


def _shown(action: argparse.Action) -> bool:
    common = {"help", "room", "json", "development"}
    hidden = action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction)
    return action.dest not in common and not hidden


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    metavar: Any = action.metavar
    return str(metavar) if metavar else "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        value = _value(action)
        return {"?": f"[{value}]", "*": f"[{value} ...]"}.get(str(action.nargs), value)
    text = f"{action.option_strings[-1]} {_value(action)}".strip()
    return text if action.required else f"[{text}]"


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{_value(action)}`"
    return f"`{f'{action.option_strings[-1]} {_value(action)}'.strip()}`".replace("|", "\\|")


def _help(action: argparse.Action) -> str:
    text = (action.help or "") % {"default": action.default} if "%(" in (action.help or "") else action.help or ""
    needed = "required; " if action.option_strings and action.required else ""
    return (needed + text).replace("|", "\\|")
