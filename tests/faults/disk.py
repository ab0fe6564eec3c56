"""A small disk of one's own: really full, or really read-only, when told; for real processes of both houses.

It is a tmpfs in a mount namespace that a process of ours holds open; with that process it is gone, whatever happened. Root
needs nothing for that, others a kernel that lets them have a user namespace; where there is neither, the test is skipped,
and says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from tests.crash.houses import CHILD, Keyholder
from tests.faults import inside

_ROOT = os.geteuid() == 0
_UNSHARE = ["unshare", "--mount", "--propagation", "private", *([] if _ROOT else ["--user", "--map-root-user"])]


@dataclass
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


def errors_logged(said: str) -> list[str]:
    """What a server has said went wrong, but for its lines of requests."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if line["level"] == "error" and line["event"] != "request"]


class Disk:
    """Mounted at ``place`` for whoever is started by ``run``, ``start`` and ``keyholder``; others find an empty folder."""

    def __init__(self, place: Path, kilobytes: int) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        script = f'mount -t tmpfs -o size={kilobytes}k,mode=700 tmpfs "{place}" && echo ready && read line'
        self._holder = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            why = self._holder.communicate()[1].strip()
            pytest.skip(f"no disk can be made here to fill: {why}")
        self.seen = Path(f"/proc/{self._holder.pid}/root") / str(place).lstrip("/")
        """The same folder, from outside."""
        self._session: subprocess.Popen[str] | None = None

    @property
    def prefix(self) -> list[str]:
        user = [] if _ROOT else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self._holder.pid}", "--mount", *user, "--"]

    # --- what is done to it ---------------------------------------------------------------------------------------------
    def fill(self, leave: int = 0) -> None:
        """Until there is no room left but ``leave`` KiB."""
        self.free()
        with (self.seen / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        with (self.seen / "filler").open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.truncate(max(0, size - 1024 * leave))

    def free(self) -> None:
        (self.seen / "filler").unlink(missing_ok=True)

    @contextmanager
    def full(self, leave: int = 0) -> Iterator[None]:
        self.fill(leave)
        try:
            yield
        finally:
            self.free()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nothing may have a file of it open for writing."""
        self._mount("ro")
        try:
            yield
        finally:
            self._mount("rw")

    def grow(self, kilobytes: int) -> None:
        self._mount(f"size={kilobytes}k")

    def _mount(self, how: str) -> None:
        subprocess.run([*self.prefix, "mount", "-o", f"remount,{how}", str(self.place)], check=True)

    # --- what runs on it ------------------------------------------------------------------------------------------------
    def run(self, *argv: str, cwd: Path | None = None, stdin: str = "") -> Ran:
        """A command, in a process that runs all of them."""
        if self._session is None:
            self._session = subprocess.Popen(
                [*self.prefix, sys.executable, inside.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        to, answers = _pipes(self._session)
        to.write(json.dumps({"argv": argv, "cwd": str(cwd or self.place), "stdin": stdin}) + "\n")
        to.flush()
        return Ran(*json.loads(answers.readline()))

    def start(self, *argv: str, told: Mapping[str, Any] | None = None, log: Path) -> subprocess.Popen[bytes]:
        """A process of its own."""
        environment = {**os.environ, "STRONGROOM_CHILD": json.dumps(told or {})}
        with log.open("ab") as file:
            return subprocess.Popen(
                [*self.prefix, *CHILD, *argv],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                env=environment,
            )

    def keyholder(self, room: Path, log: Path) -> Keyholder:
        return Keyholder(room, log, command=[*self.prefix, *CHILD], seen=self.outside(room))

    def outside(self, path: Path) -> Path:
        """A path as those in the namespace have it, for us."""
        return Path(f"/proc/{self._holder.pid}/root") / str(path).lstrip("/")

    def close(self) -> None:
        for process in (self._session, self._holder):
            if process is not None:
                to, answers = _pipes(process)
                to.close()
                process.wait(30)
                answers.close()
        if self._holder.stderr is not None:
            self._holder.stderr.close()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


@contextmanager
def mounted(place: Path, kilobytes: int = 1024 * 16) -> Iterator[Disk]:
    if any(shutil.which(one) is None for one in ("unshare", "nsenter", "mount")):
        pytest.skip("no disk can be made here to fill: it wants unshare, nsenter and mount of util-linux")
    disk = Disk(place, kilobytes)
    try:
        yield disk
    finally:
        disk.close()
