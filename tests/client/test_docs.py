"""The pages about the client and applications, run as they stand: files, commands and programs, in order, in one folder, against a room
that is founded and served by the page's own commands."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest
from tests.client.served import MAIN, ran_until_stopped

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("client.md", "applications.md")
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Reader:
    """Does what a page says. Its port may be in use here, so another stands for it; nothing else is changed."""

    def __init__(self, folder: Path, open_: ExitStack) -> None:
        self._folder, self._open, self._port = folder, open_, str(free_port())
        # Libraries look a class's module up by its name.
        self.module = ModuleType("page")

    def blocks(self, page: str) -> list[tuple[str, str, str]]:
        return _BLOCK.findall((DOCS / page).read_text().replace("7300", self._port))

    def write(self, options: str, content: str) -> None:
        name = options.strip().removeprefix("file=")
        (self._folder / name).write_text(content)

    def type(self, content: str) -> None:
        for line in content.splitlines():
            words = shlex.split(line.removeprefix("$ "))
            assert words[0] == "strongroom"
            command = [sys.executable, "-c", MAIN, *words[1:]]
            if words[-1] == "&":
                self._open.enter_context(ran_until_stopped(command[:-1], self._folder))
                continue
            ran = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stderr

    def run(self, page: str, content: str) -> None:
        program = compile(content, page, "exec", dont_inherit=True)
        exec(program, self.module.__dict__)  # noqa: S102 - the page's own program


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STRONGROOM_")]:
        monkeypatch.delenv(name)
    with ExitStack() as open_:
        made = Reader(tmp_path, open_)
        monkeypatch.setitem(sys.modules, "page", made.module)
        yield made


def test_the_pages_do_what_they_say(reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = set()
    for page in PAGES:
        said = ""
        for kind, options, content in reader.blocks(page):
            kinds.add(kind)
            if kind == "yaml":
                reader.write(options, content)
            elif kind == "console":
                reader.type(content)
            elif kind == "python":
                assert said == "", f"{page}: what a program prints is shown"
                capsys.readouterr()
                reader.run(page, content)
                said = capsys.readouterr().out
            else:
                assert kind == "text"
                wanted = re.escape(content).replace(re.escape("..."), r"[0-9a-f]{32}")
                assert re.fullmatch(wanted, said), f"{page}: said {said!r}"
                said = ""
        assert said == ""
    assert kinds == {"yaml", "console", "python", "text"}
