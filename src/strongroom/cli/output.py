"""What commands print: calm text for people, or one JSON document for programs.

Colour only on a terminal, and not where ``NO_COLOR`` is set. Answers go to stdout, everything else to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

Advance = Callable[[int, int], None]
"""(done, total); a total of 0 means that it is not known."""

GOOD, BAD, WARN, FAINT, STRONG = "green", "bold red", "yellow", "dim", "bold"

_JOINERS = "\u200c\u200d"  # scripts of India and Iran need them within words


def printable(text: str) -> str:
    """``text`` without what could steer a terminal: control characters, escapes, changes of direction."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _JOINERS else _stand_in(one) for one in text)


def _stand_in(one: str) -> str:
    return " " if unicodedata.category(one)[0] == "Z" or one in "\t\n" else "\ufffd"


def moment(time: int) -> str:
    """A POSIX second for people, in UTC."""
    try:
        return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{time}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 record``, ``2,000 records``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _console(file: TextIO) -> Console:
    terminal = file.isatty()
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    # A pipe gets lines as long as they are; only a terminal has an edge to wrap at.
    return Console(
        file=file,
        force_terminal=terminal,
        color_system="auto" if colour else None,
        width=None if terminal else 10_000,
        highlight=False,
        markup=False,
        emoji=False,
    )


class Output:
    """Where one command's answer goes. With ``as_json`` the text methods are silent and ``document`` speaks."""

    def __init__(self, *, as_json: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out, self._err = _console(stdout or sys.stdout), _console(stderr or sys.stderr)
        self._documented = False

    # --- the answer ---------------------------------------------------------------------------------------------
    def document(self, value: dict[str, Any]) -> None:
        """The answer as JSON, bytes in lower-case hex. Only the first of a command is printed."""
        if self.as_json and not self._documented:
            self._documented = True
            text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
            self._out.file.write(text + "\n")

    def line(self, *parts: str | tuple[str, str], indent: int = 0) -> None:
        """One line out of texts and (text, style) pairs."""
        if not self.as_json:
            self._out.print(_text(parts, indent), soft_wrap=True)

    def raw(self, text: str) -> None:
        """Text for programs, exactly as it is."""
        if not self.as_json:
            self._out.file.write(text)

    def blank(self) -> None:
        if not self.as_json:
            self._out.print()

    def good(self, text: str) -> None:
        self.line((f"{_mark(self._out, '✓', 'ok')} ", GOOD), text)

    def bad(self, text: str) -> None:
        self.line((f"{_mark(self._out, '✗', '!!')} ", BAD), (text, BAD))

    def warn(self, text: str) -> None:
        self.line(("! ", WARN), text)

    def pairs(self, rows: Iterable[tuple[str, str | tuple[str, str]]]) -> None:
        """Labels in one column, what they are in the next."""
        table = _table()
        table.add_column(style=FAINT, no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in rows:
            table.add_row(printable(label), _text([value]))
        self._print(table)

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[str | tuple[str, str]]], right: str = "") -> None:
        """A table. ``right`` names the columns whose numbers stand right-aligned, by header, parted by spaces."""
        table = _table(show_header=True)
        numbers = right.split()
        for header in headers:
            table.add_column(printable(header), justify="right" if header in numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*[_text([cell]) for cell in row])
        self._print(table)

    def _print(self, table: Table) -> None:
        if self.as_json:
            return
        with self._out.capture() as captured:
            self._out.print(table)
        for line in captured.get().splitlines():
            self._out.file.write(line.rstrip() + "\n")

    # --- beside the answer ----------------------------------------------------------------------------------------
    def note(self, text: str, style: str = FAINT) -> None:
        """A line to stderr; it is no part of the answer."""
        self._err.print(_text([(text, style)]), soft_wrap=True)

    def error(self, text: str) -> None:
        """What went wrong, where, and the mend: to stderr."""
        self._err.print(_text([("strongroom: ", BAD), text]), soft_wrap=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Advance]:
        """A bar on stderr while something long runs; nothing where nobody looks."""
        if not self._err.is_terminal:
            yield lambda done, total: None
            return
        columns = (
            SpinnerColumn(style=FAINT),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28, style=FAINT, complete_style=GOOD, finished_style=GOOD, pulse_style=FAINT),
            TaskProgressColumn("[dim]{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[counted]}", style=FAINT),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:
            task = bar.add_task(label, total=None, counted="")

            def advance(done: int, total: int) -> None:
                counted = f"{done:,} of {total:,}" if total else f"{done:,}"
                bar.update(task, completed=done, total=total or None, counted=counted)

            yield advance

    @contextmanager
    def steps(self) -> Iterator[Callable[[str], None]]:
        """What is being done just now, on stderr: a spinner on a terminal, a line each elsewhere."""
        if not self._err.is_terminal:
            yield self.note
            return
        with self._err.status("") as status:
            yield lambda text: status.update(Text(printable(text), style=FAINT))


def _table(*, show_header: bool = False) -> Table:
    return Table(box=None, show_header=show_header, header_style=FAINT, padding=(0, 2, 0, 0), pad_edge=False)


def _text(parts: Iterable[str | tuple[str, str]], indent: int = 0) -> Text:
    text = Text(" " * indent)
    for part in parts:
        written, style = part if isinstance(part, tuple) else (part, "")
        text.append(printable(written), style or None)
    return text


def _mark(console: Console, sign: str, plain: str) -> str:
    try:
        sign.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return plain
    return sign


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"a {type(value).__name__} has no place in a document")
