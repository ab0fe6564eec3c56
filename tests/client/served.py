"""A room on the network: its vault and its keyholder processes of their own, and somebody between who may lie."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest

from strongroom import Anchors, AsyncRoom, Room
from strongroom.client.device import Device, load
from strongroom.client.handle import Handle
from strongroom.custody import keys as vault_keys
from strongroom.synth import people

MAIN = "import sys; from strongroom.cli.main import main; sys.exit(main())"
FIELDS = ("id-number", "name", "born", "sex", "phone", "email")
WHY: Any = {"case": "case-17", "reason": "confirming an application for a passport"}


def rows(count: int, seed: int) -> list[dict[str, str | None]]:
    """Residents of the tests' town, who are nobody."""
    return [{name: one.get(name) for name in FIELDS} for one in people.people(count, seed)]


@dataclass
class Served:
    """``address``: of the vault; ``said``: what it has logged."""

    root: Path
    address: str
    said: list[str] = field(default_factory=list)

    @property
    def anchors(self) -> Anchors:
        known = vault_keys.load_room(self.root / "vault")
        return Anchors(genesis=known.genesis, log=known.log, room=vault_keys.load(self.root / "vault").room)

    def device(self, name: str) -> Device:
        return load(self.root / "people" / f"{name}.device")

    def room(self, name: str, state: Path | Any, address: str = "", **more: Any) -> Room:
        return Room(address or self.address, device=self.device(name), anchors=self.anchors, state=state, **more)

    def aroom(self, name: str, state: Path | Any, address: str = "", **more: Any) -> AsyncRoom:
        return AsyncRoom(address or self.address, device=self.device(name), anchors=self.anchors, state=state, **more)


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[Served]:
    """``strongroom serve --development``, with a keyholder where none runs."""
    command = [sys.executable, "-c", MAIN, "serve", "--development", "--room", str(root), *arguments]
    with ran_until_stopped(command) as (address, said):
        yield Served(root, address, said)


@contextmanager
def ran_until_stopped(command: list[str], folder: Path | None = None) -> Iterator[tuple[str, list[str]]]:
    """A server that says its address: that, and the lines that it says."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder)
    said: list[str] = []
    assert process.stderr is not None
    # A pipe that nobody reads would stop the server.
    reader = threading.Thread(target=said.extend, args=[process.stderr], daemon=True)
    try:
        address = _address(process.stderr, said)
        reader.start()
        yield address, said
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        reader.join()
        process.stderr.close()
        assert code == 0, "".join(said)


def _address(lines: IO[str], said: list[str]) -> str:
    found = ""
    while not found:
        line = lines.readline()
        assert line, "".join(said)
        said.append(line)
        match = re.search(r"https?://[\w.:\[\]]+", line)
        found = match[0] if match else ""
    return found


@pytest.fixture(scope="session")
def served(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("served") / "room"
    shutil.copytree(founded, root)
    with serving(root) as found:
        yield found


@dataclass
class Resident:
    """Somebody who was taken in."""

    handle: Handle
    values: dict[str, str | None]


@pytest.fixture(scope="session")
def residents(served: Served, tmp_path_factory: pytest.TempPathFactory) -> list[Resident]:
    taken = rows(12, 7)
    with served.room("rui", tmp_path_factory.mktemp("registrar") / "state") as registrar:
        handles = registrar.take_in("residents", "register", taken, **WHY).records
    return [Resident(handle, values) for handle, values in zip(handles, taken, strict=True)]


@dataclass
class Said:
    """One exchange that passes by."""

    method: str
    path: str
    sent: bytes
    status: int
    headers: dict[str, str]
    body: bytes


Lie = Callable[[Said], Said | None]
"""What is answered instead; None: the connection breaks."""


class Between:
    """Stands before a vault and passes on what is said, or something else."""

    def __init__(self, upstream: str) -> None:
        self.lie: Lie = lambda said: said
        self.seen: list[Said] = []
        where = urlsplit(upstream)
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                sent = self.rfile.read(int(self.headers.get("content-length", 0)))
                real = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
                real.request(self.command, self.path, sent, dict(self.headers))
                response = real.getresponse()
                headers = {name.lower(): value for name, value in response.getheaders()}
                said = Said(self.command, self.path, sent, response.status, headers, response.read())
                real.close()
                between.seen.append(said)
                told = between.lie(said)
                if told is None:
                    self.close_connection = True
                    return
                self.send_response(told.status)
                for name in ("content-type", "retry-after"):
                    if name in told.headers:
                        self.send_header(name, told.headers[name])
                self.send_header("content-length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)

            do_GET = do_POST = _pass  # noqa: N815 - as the library wants them

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def between(served: Served) -> Iterator[Between]:
    made = Between(served.address)
    yield made
    made.close()
