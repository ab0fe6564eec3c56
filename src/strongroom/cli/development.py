"""A keyholder for the time of one command, as a process of its own: for one machine, demos, drills and tests.

Elsewhere the keyholder is another body's machine and nobody here starts it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from strongroom.errors import InputError, KeyholderUnavailable
from strongroom.keyholder import files
from strongroom.keyholder.client import address_file

START_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Child:
    """A keyholder that we started, and the file of what it says."""

    process: subprocess.Popen[bytes]
    said: IO[bytes]

    def stop(self) -> None:
        """End it in order: what it has committed stays, its address goes."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.said.close()

    def last_words(self) -> str:
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("strongroom: ") if lines else f"it ended with code {self.process.returncode}"


@contextmanager
def keyholder(room: Path, note: Callable[[str], None] = lambda text: None) -> Iterator[None]:
    """A keyholder answers for ``room`` within: the one that runs already, or a child that ends with the block.

    ``note`` is told when one was started. Raises ``InputError`` when there is no keyholder's directory, ``KeyholderUnavailable``
    when it does not start, with what it said.
    """
    directory = room / "keyholder"
    if not (directory / "keys.json").exists():
        raise InputError(f"{directory}: there is no keyholder here to start. Run strongroom init first")
    if files.runs(directory):
        wait(directory)
        yield
        return
    # A keyholder that was killed leaves its address behind.
    (directory / "address").unlink(missing_ok=True)
    child = start(room)
    try:
        wait(directory, child)
        note(f"started a keyholder for this command (pid {child.process.pid})")
        yield
    finally:
        child.stop()


def start(room: Path, *options: str) -> Child:
    """A keyholder on a free port of loopback. It ends when its parent does, even one that was killed."""
    command = [
        sys.executable,
        "-m",
        "strongroom.cli.main",
        "--room",
        str(room),
        "keyholder",
        "--development",
        "--port",
        "0",
        "--with-parent",
    ]
    # A file, no pipe: nobody reads along, and a full pipe would stop the keyholder.
    said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
    # A session of its own: Ctrl-C is for the command, which then stops its keyholder in order.
    process = subprocess.Popen(
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
    )
    return Child(process, said)


def wait(directory: Path, child: Child | None = None) -> None:
    """Until the keyholder answers. Raises ``KeyholderUnavailable`` when the child has ended, or after half a minute."""
    until, address = time.monotonic() + START_SECONDS, address_file(directory)
    while True:
        try:
            host, _, port = address().rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), timeout=5.0).close()
            return
        except (KeyholderUnavailable, OSError, ValueError):
            if child is not None and child.process.poll() is not None:
                raise KeyholderUnavailable(f"the keyholder did not start: {child.last_words()}") from None
            if time.monotonic() > until:
                raise KeyholderUnavailable(
                    f"the keyholder of {directory} does not answer. Look at what it says"
                ) from None
        time.sleep(0.02)
