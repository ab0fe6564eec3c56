"""Both houses as the servers that they are, each a process of its own, on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import processes

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


@dataclass
class House:
    """A server: where it answers, where its figures are, and its process."""

    name: str
    address: str
    admin: str
    pid: int

    def processor(self) -> float:
        return processes.processor_seconds(self.pid)

    def memory_mb(self) -> float:
        return processes.memory_mb(self.pid)

    def figures(self) -> dict[str, float]:
        """Of ``/metrics``, those without labels."""
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        pairs = [line.split(" ") for line in lines if not line.startswith("#") and "{" not in line]
        return {name: float(value) for name, value in pairs}


@contextmanager
def both(room: Path, profiles: Path | None = None) -> Iterator[tuple[House, House]]:
    """Vault and keyholder of a room, fresh: nothing is in their caches. ``profiles``: a folder for what each spent its time on."""
    with house(room, "keyholder", "keyholder", profiles) as keyholder, house(room, "serve", "vault", profiles) as vault:
        yield vault, keyholder


@contextmanager
def house(room: Path, command: str, name: str, profiles: Path | None = None) -> Iterator[House]:
    ports = _free(), _free()
    program = ["-m", "bench.profiled", str(profiles / name)] if profiles else ["-m", "strongroom.cli.main"]
    arguments = [sys.executable, *program, "--room", str(room), command, "--development"]
    arguments += ["--port", str(ports[0]), "--admin-port", str(ports[1])]
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            found = House(name, f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}", running.pid)
            if not _answers(running, ports[0]):
                said.seek(0)
                raise SystemExit(f"bench: {name} did not start: {said.read().decode(errors='replace')[-800:]}")
            yield found
        finally:
            running.terminate()
            try:
                running.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(running: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False
