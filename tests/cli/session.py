"""Commands run as a user runs them, and transcripts of them: files of commands with what they print.

A transcript is text. ``$ strongroom ...`` is a command (``< WORD`` at its end is its stdin, `` / `` in it ends a line), what follows
is its stdout, then its stderr with ``! `` before each line, then ``[N]`` for an exit code other than 0. Times, keys and hashes stand as names.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.cli.main import main

_NAMES = [
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "<time>"),
    (r"\b2\d{3}-\d\d-\d\d\b", "<day>"),
    (r"\b\d{10}\b", "<seconds>"),
    (r"\b[0-9a-f]{64}\b", "<hash>"),
    # A handle or a reader.
    (r"\b[0-9a-f]{32}\b", "<handle>"),
    (r"\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b", "<code>"),
    (r"[A-Za-z0-9+/]{15,}={1,2}", "<base64>"),
    (r"[A-Za-z0-9+/]{43,}", "<base64>"),
    (r"pid \d+", "pid <pid>"),
    (r"[\d,]+ characters", "<n> characters"),
    (r"\d+\.\d s, [\d,]+ rows a second", "<speed>"),
    (r"(?m)^published .*$", "published   <so far>"),
]


@dataclass
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str


@contextmanager
def typed(text: str) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


@dataclass
class Session:
    """Runs commands against one room, in this process. ``words`` are what ``{name}`` stands for in a command."""

    room: Path
    words: dict[str, str] = field(default_factory=dict)
    ran: list[Ran] = field(default_factory=list)

    def run(self, *argv: str, stdin: str = "") -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with typed(stdin), redirect_stdout(out), redirect_stderr(err):
            try:
                code = main([*argv, "--room", str(self.room)])
            except SystemExit as left:
                code = int(left.code or 0)
        self.ran.append(Ran(code, out.getvalue(), err.getvalue()))
        for pattern, shown in _NAMES:
            name = shown.strip("<>")
            if name in ("handle", "code", "hash") and (found := re.findall(pattern, out.getvalue())):
                self.words[name] = found[0]
        return self.ran[-1]

    def play(self, transcript: str) -> str:
        """Run a transcript's commands anew; the transcript as it is now."""
        played: list[str] = []
        for line in transcript.splitlines():
            if line.startswith("# ") or (line.startswith("$ ") and not (played and played[-1].startswith("# "))):
                played += [""] if played else []
            if line.startswith("# "):
                played.append(line)
            if line.startswith("$ "):
                played += [line, *self._command(line[2:])]
        return "\n".join(played) + "\n"

    def _command(self, line: str) -> list[str]:
        command, _, stdin = line.partition(" < ")
        words = shlex.split(command.format_map(self.words))
        assert words[0] == "strongroom"
        lines = stdin.format_map(self.words).replace(" / ", "\n")
        ran = self.run(*words[1:], stdin=f"{lines}\n" if stdin else "")
        shown = self.normal(ran.out).splitlines()
        shown += [f"! {one}".rstrip() for one in self.normal(ran.err).splitlines()]
        return [*shown, *([f"[{ran.code}]"] if ran.code else [])]

    def normal(self, text: str) -> str:
        text = text.replace(str(self.room), "ROOM").replace(str(self.room.parent), "TMP")
        for pattern, name in _NAMES:
            text = re.sub(pattern, name, text)
        return text
