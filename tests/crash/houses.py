"""Both houses as real processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from strongroom.cli import development
from strongroom.keyholder import files

STRONGROOM = [sys.executable, "-m", "strongroom.cli.main"]


def start(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """A process in a group of its own, so that a kill takes its workers along, as a power cut would."""
    with log.open("ab") as file:
        return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Keyholder:
    """The keyholder's process, started again whenever it is not there."""

    def __init__(self, room: Path, log: Path) -> None:
        self._room, self._log = room, log
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        if self._process is None or self._process.poll() is not None:
            directory = self._room / "keyholder"
            (directory / "address").unlink(missing_ok=True)
            self._process = start([*STRONGROOM, "keyholder", "--room", str(self._room)], self._log)
            development.wait(directory)

    def kill(self) -> None:
        if self._process is not None:
            kill(self._process)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)
        with files.lock(self._room / "keyholder"):
            pass


def soon(chooser: random.Random, longest: float) -> float:
    """A moment to kill at: short ones are as likely as long ones on a logarithmic scale."""
    return float(longest * chooser.random() ** 2)


def fsck(room: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STRONGROOM, "fsck", "--room", str(room)], capture_output=True, text=True, check=False, timeout=300
    )


def until(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ended by itself within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return True
        time.sleep(0.01)
    return process.poll() is not None
