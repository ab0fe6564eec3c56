"""Both houses as real processes that can be killed, or whose disk fails (``child.py``)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from strongroom.cli import development
from strongroom.errors import KeyholderUnavailable
from strongroom.keyholder import files

STRONGROOM = [sys.executable, "-m", "strongroom.cli.main"]
CHILD = [sys.executable, str(Path(__file__).with_name("child.py"))]
"""The same command, to which things can be done: what, is for ``start`` to say."""


def start(
    arguments: list[str], log: Path, told: Mapping[str, Any] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """A process in a group of its own, so that a kill takes its workers along, as a power cut would."""
    environment = {**os.environ, "STRONGROOM_CHILD": json.dumps(told or {}), "STRONGROOM_TRACEBACK": "1"}
    with log.open("ab") as file:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env=environment,
            cwd=cwd,
        )
    _started.append(process)
    return process


_started: list[subprocess.Popen[bytes]] = []


def end_all() -> None:
    """What a test that failed has left running."""
    while _started:
        kill(_started.pop())


def kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Keyholder:
    """The keyholder's process, started again whenever it is not there. ``told``: what is done to it from the next start on.
    ``seen``: where its room is for us, if that is elsewhere."""

    def __init__(
        self,
        room: Path,
        log: Path,
        told: Mapping[str, Any] | None = None,
        command: Sequence[str] = CHILD,
        seen: Path | None = None,
    ) -> None:
        self._room, self._log, self._command = room, log, command
        self._directory = (seen or room) / "keyholder"
        self.told = dict(told or {})
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ensure(self) -> bool:
        """Whether it answers now: false where it ended at once."""
        if not self.runs:
            with contextlib.suppress(OSError):  # of a disk that is read-only
                (self._directory / "address").unlink(missing_ok=True)
            self.process = start(
                [*self._command, "keyholder", "--development", "--room", str(self._room)], self._log, self.told
            )
            with self._log.open("rb") as said, contextlib.suppress(KeyholderUnavailable):
                development.wait(self._directory, development.Child(self.process, said))
        return self.runs

    def kill(self) -> None:
        if self.process is not None:
            kill(self.process)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        with files.lock(self._directory):
            pass


def fsck(room: Path, told: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHILD, "fsck", "--room", str(room)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "STRONGROOM_CHILD": json.dumps(told or {})},
    )


def until(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ended by itself within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return True
        time.sleep(0.01)
    return process.poll() is not None
