"""The pages about the client, the API and applications, run as they stand: files, commands and programs, in order, in one folder, against a room
that is founded and served by the page's own commands."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.client.served import MAIN, ran_until_stopped

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("client.md", "api.md", "applications.md")
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


# One process for all programs of the pages, since each goes on where the one before ended. Libraries look a class's module up by its name.
_PROGRAMS = """
import contextlib, io, json, sys, types
module = sys.modules["page"] = types.ModuleType("page")
for line in sys.stdin:
    page, program = json.loads(line)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(program, page, "exec"), module.__dict__)
    print(json.dumps(said.getvalue()), flush=True)
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def pattern(shown: str) -> str:
    """What a page shows may differ in: handles (``...``), the rest of a string (``…``), the index of an entry."""
    found = re.escape(shown).replace(re.escape("..."), r"[0-9a-f]{32}").replace("…", r'[^"]+')
    return re.sub(r'("entry":|index\\ )\d+', r"\1\\d+", found)


class Reader:
    """Does what a page says. Its port may be in use here, so another stands for it; nothing else is changed."""

    def __init__(self, folder: Path, open_: ExitStack) -> None:
        self._folder, self._open, self._port = folder, open_, str(free_port())
        self._programs: subprocess.Popen[str] | None = None
        (folder / "bin").mkdir()
        # As it is installed, but with the package that is tested.
        installed = folder / "bin" / "strongroom"
        installed.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(MAIN)} "$@"\n')
        installed.chmod(0o755)
        self._environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def blocks(self, page: str) -> list[tuple[str, str, str]]:
        return _BLOCK.findall((DOCS / page).read_text().replace("7300", self._port))

    def write(self, options: str, content: str) -> None:
        name = options.strip().removeprefix("file=")
        (self._folder / name).write_text(content)

    def type(self, content: str) -> str:
        """What the last of the page's commands prints."""
        said = ""
        for line in content.splitlines():
            words = shlex.split(line.removeprefix("$ "))
            if words[-1] == "&":
                assert words[0] == "strongroom"
                command = [sys.executable, "-c", MAIN, *words[1:-1]]
                self._open.enter_context(ran_until_stopped(command, self._folder))
                continue
            command = ["bash", "-o", "pipefail", "-euc", line.removeprefix("$ ")]
            ran = subprocess.run(
                command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
            )
            assert ran.returncode == 0, ran.stderr
            said = ran.stdout
        return said

    def run(self, page: str, content: str) -> str:
        """What the page's program prints."""
        if self._programs is None:
            command = [sys.executable, "-W", "error", "-c", _PROGRAMS]
            self._programs = subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            self._open.callback(self._end, self._programs)
        assert self._programs.stdin is not None
        assert self._programs.stdout is not None
        self._programs.stdin.write(json.dumps([page, content]) + "\n")
        self._programs.stdin.flush()
        said = self._programs.stdout.readline()
        assert said, self._programs.communicate()[1]
        return str(json.loads(said))

    @staticmethod
    def _end(programs: subprocess.Popen[str]) -> None:
        said = programs.communicate()[1]
        assert programs.returncode == 0, said


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    for name in [name for name in os.environ if name.startswith("STRONGROOM_")]:
        monkeypatch.delenv(name)
    with ExitStack() as open_:
        yield Reader(tmp_path, open_)


def test_the_pages_do_what_they_say(reader: Reader) -> None:
    kinds = set()
    for page in PAGES:
        said = ""
        blocks = [one for one in reader.blocks(page) if one[0] != "json"]
        for (kind, options, content), (after, _, _) in zip(blocks, [*blocks[1:], ("", "", "")], strict=True):
            kinds.add(kind)
            if kind == "yaml":
                reader.write(options, content)
            elif kind == "console":
                shown = reader.type(content)
                said = shown if after == "text" else ""
            elif kind == "python":
                assert said == "", f"{page}: what a program prints is shown"
                said = reader.run(page, content)
            else:
                assert kind == "text"
                assert re.fullmatch(pattern(content.rstrip()), said.rstrip()), f"{page}: said {said!r}"
                said = ""
        assert said == ""
    assert kinds == {"yaml", "console", "python", "text"}
