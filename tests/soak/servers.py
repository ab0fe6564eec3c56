"""Both houses as the servers that they are, to be killed, stopped for a while, and started again where they were."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import processes

_START_SECONDS = 60.0


@dataclass
class Server:
    """``command``: ``serve`` or ``keyholder``; ``prefix``: what brings it onto the disk where its room is."""

    room: Path
    command: str
    log: Path
    prefix: Sequence[str] = ()
    port: int = 0
    starts: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.start()

    def start(self) -> None:
        """It answers when this returns, and always at the same port."""
        program = [*self.prefix, sys.executable, "-m", "strongroom.cli.main", "--room", str(self.room)]
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                [*program, self.command, "--development", "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, f"{self.command} did not start:\n{self.said()}"
            assert time.monotonic() < until, f"{self.command} does not answer:\n{self.said()}"
            time.sleep(0.02)
        self.starts += 1

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """In order."""
        self.resume()
        self.process.terminate()
        assert self.process.wait(60) == 0, self.said()

    def memory_mb(self) -> float:
        return processes.memory_mb(self.process.pid)

    def open_files(self) -> int:
        return processes.open_files(self.process.pid)

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-8000:]
