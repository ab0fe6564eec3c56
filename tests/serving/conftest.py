"""Real processes: the sample server, and what it says, line by line."""

from __future__ import annotations

import http.client
import json
import queue
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from tests.serving.certificates import Authority

SECONDS = 30


class Process:
    """A server that was started. ``events``: all it has said so far, parsed."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
        )
        self.raw: list[bytes] = []
        self._said: queue.Queue[bytes | None] = queue.Queue()
        self._printed: queue.Queue[bytes | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._read, args=args, daemon=True)
            for args in ((self.process.stderr, self._said), (self.process.stdout, self._printed))
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream: IO[bytes], into: queue.Queue[bytes | None]) -> None:
        for line in stream:
            self.raw.append(line)
            into.put(line)
        into.put(None)

    def event(self, wanted: str, **members: Any) -> dict[str, Any]:
        """The next thing said that begins with ``wanted`` and has these members; others are passed over."""
        while True:
            line = self._said.get(timeout=SECONDS)
            assert line is not None, f"ended without: {wanted}\n{b''.join(self.raw).decode()}"
            if not line.startswith(b"{"):
                continue
            found: dict[str, Any] = json.loads(line)
            if found["event"].startswith(wanted) and members.items() <= found.items():
                return found

    def printed(self, wanted: str) -> str:
        """The next line on stdout, which begins with ``wanted``."""
        line = self._printed.get(timeout=SECONDS)
        assert line is not None, b"".join(self.raw).decode()
        assert line.decode().startswith(wanted), line
        return line.decode().strip()

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once everything it said is read."""
        code = self.process.wait(SECONDS)
        for thread in self._threads:
            thread.join(SECONDS)
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ended()

    @property
    def said(self) -> bytes:
        return b"".join(self.raw)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(SECONDS)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


class Sample(Process):
    """The sample server; ``port`` and ``admin`` once it is ready."""

    port = admin = local = 0

    def __init__(self, given: dict[str, Any], env: dict[str, str] | None = None) -> None:
        super().__init__([sys.executable, str(Path(__file__).with_name("sample.py")), json.dumps(given)], env)

    def ready(self) -> Sample:
        if found := self.event("health and metrics"):
            self.admin = int(found["event"].rpartition(":")[2])
        said = self.event("sample ready on")["event"]
        self.port = int(said.partition("ready on ")[2].partition(", ")[0].rpartition(":")[2])
        self.local = int(self.printed("started").rpartition(":")[2])
        return self

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        return ask(port or self.port, method, path, body, tls, headers)


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    tls: ssl.SSLContext | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    line = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=SECONDS, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    )
    try:
        line.request(method, path, body, headers or {})
        said = line.getresponse()
        return said.status, said.read()
    finally:
        line.close()


Start = Callable[..., Sample]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a sample server: its settings, beside ``listener`` the other members of ``sample``."""
    begun: list[Sample] = []

    def begin(listener: dict[str, Any] | None = None, env: dict[str, str] | None = None, **given: Any) -> Sample:
        begun.append(Sample({"listener": {"admin-port": 0} | (listener or {}), **given}, env))
        return begun[-1]

    yield begin
    for one in begun:
        one.end()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
