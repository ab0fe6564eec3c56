"""The houses' room with its keyholder a process of its own, spoken to over HTTP."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.houses import Houses
from tests.serving.said import calm

from strongroom.custody.room import Room

_SERVE = """
import sys
from pathlib import Path
from strongroom.errors import StrongroomError
from strongroom.keyholder.server import serve
from strongroom.serving.config import Listener
from strongroom.serving.run import begin
root = Path(sys.argv[1])
try:
    begin(serve(root / "keyholder", root / "public", Listener(host=sys.argv[2], port=int(sys.argv[3]))))
except StrongroomError as error:
    sys.exit(str(error))
"""


def start(root: Path, host: str = "127.0.0.1", port: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _SERVE, str(root), host, str(port)], stderr=subprocess.PIPE)


def ready(root: Path, process: subprocess.Popen[bytes], not_at: str = "") -> tuple[str, int]:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()[1].decode()
        try:
            text = (root / "keyholder" / "address").read_text().strip()
        except FileNotFoundError:
            text = ""
        if text and text != not_at:
            host, _, port = text.rpartition(":")
            return host, int(port)
        time.sleep(0.02)
    raise AssertionError("the keyholder did not start")


class Served:
    """The houses' room, its keyholder a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process = start(root)
        self.address = ready(root, self.process)

    def room(self) -> Room:
        return Room(self.root / "vault")

    def restart(self) -> None:
        before = (self.root / "keyholder" / "address").read_text().strip()
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        self.process = start(self.root)
        self.address = ready(self.root, self.process, before)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=20)
        calm(said.decode())
        return self.process.returncode

    def raw(self, data: bytes, timeout: float = 10.0) -> bytes:
        """Bytes straight into the socket; what comes back until it closes."""
        with socket.create_connection(self.address, timeout=timeout) as one:
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
            found = b""
            while part := one.recv(65536):
                found += part
        return found

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        try:
            return response.status, response.read()
        finally:
            connection.close()


@pytest.fixture
def served(houses: Houses) -> Iterator[Served]:
    houses.town.keyholder.store.close()
    made = Served(houses.town.root)
    yield made
    try:
        if made.process.poll() is None:
            assert made.stop() == 0
        assert not (made.root / "keyholder" / "address").exists()
    finally:
        made.process.kill()
        houses.town.keyholder = houses.town._keyholder()
