"""A disk that is really full, or really read-only, under either house, the published ledger, or a file that a command writes.

Wanted each time: one line that names the place and the mend; nothing half-done; and once the disk is right again the same
command goes on to its end.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli import session
from tests.crash.conftest import small_charter
from tests.crash.houses import CHILD, Keyholder, fsck, start
from tests.faults.conftest import ROWS, Command, ask, commands, copy, write_rows
from tests.faults.disk import Disk, Ran, errors_logged, mounted
from tests.serving.said import calm

PLACES = ("vault", "keyholder", "public", "out")
LEAVE = (0, 12, 60, 250)
"""KiB that are left: not even for a database's log; for its head; for part of a transaction; for part of an import."""


@dataclass
class Scene:
    """A room of which one part lies on a disk of its own."""

    disk: Disk
    room: Path
    out: Path
    part: str
    keyholder: Keyholder
    log: Path

    def run(self, command: Command) -> Ran:
        return self.disk.run(*command.argv, "--room", str(self.room), stdin=command.stdin, cwd=self.out)

    @property
    def place(self) -> Path:
        return self.out if self.part == "out" else self.room / self.part


@contextmanager
def scene(held: Path, tmp_path: Path, part: str) -> Iterator[Scene]:
    room, out, log = copy(held, tmp_path), tmp_path / "out", tmp_path / "log"
    out.mkdir()
    log.touch()
    place = out if part == "out" else room / part
    kept = tmp_path / "kept"
    shutil.copytree(place, kept)
    with mounted(place) as disk:
        shutil.copytree(kept, disk.seen, dirs_exist_ok=True)
        keyholder = disk.keyholder(room, log)
        assert keyholder.ensure(), log.read_text()
        try:
            yield Scene(disk, room, out, part, keyholder, log)
        finally:
            keyholder.kill()


def said_well(ran: Ran, place: Path, part: str) -> None:
    """One line; of the vault's own disk and files the place and the mend, of the keyholder's that its operator has to mend it."""
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert "defect" not in ran.err
    if part in ("keyholder", "public"):
        assert ran.code == 4, ran
        assert "its operator has to mend that" in ran.err
    else:
        assert ran.code == 1, ran
        assert ran.err.startswith(f"strongroom: {place}") or "bad.csv: " in ran.err, ran.err
        assert re.search(
            "Free space on its disk|Make its folder writable|Mount its disk writable|Name another", ran.err
        ), ran.err


def done(ran: Ran | session.Ran) -> bool:
    """It did it, or finds it done."""
    return ran.code == 0 or bool(
        re.search(
            "nothing in it differs|was erased before|refused, erased: |synthetic-[0-9]+.csv: is there already", ran.err
        )
    )


def logged_well(scene: Scene) -> None:
    """The keyholder says a line each time, with place and mend, and never a page."""
    said = scene.log.read_text()
    calm(said)
    errors = errors_logged(said)
    assert all(str(scene.place) in line and re.search("Make the disk|Free space|Mount its", line) for line in errors)
    assert bool(errors) == (scene.part in ("keyholder", "public"))


@pytest.mark.parametrize("part", PLACES)
def test_full(held: Path, tmp_path: Path, part: str) -> None:
    with scene(held, tmp_path, part) as s:
        pid = s.keyholder.process.pid if s.keyholder.process else 0
        failed = set()
        for name, command in commands(s.room, s.out).items():
            for leave in LEAVE:
                with s.disk.full(leave):
                    ran = s.run(command)
                if done(ran):
                    break
                failed.add(name)
                said_well(ran, s.place, part)
            again = s.run(command)
            assert done(again), (name, again)
            if part in command.writes:
                assert name in failed, f"{name} writes to {part}, and the full disk did not keep it from that"
        assert s.keyholder.process is not None
        assert (s.keyholder.runs, s.keyholder.process.pid) == (True, pid), "it lived through all of it"
        whole(s)
        logged_well(s)


@pytest.mark.parametrize("part", PLACES)
def test_read_only(held: Path, tmp_path: Path, part: str) -> None:
    with scene(held, tmp_path, part) as s:
        if part == "keyholder":
            s.keyholder.stop()
            with s.disk.read_only():
                assert not s.keyholder.ensure()
                for argv in (("keyholder", "expire"), ("keyholder", "recover", "--from", "vault")):
                    ran = s.run(Command(argv))
                    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
                    assert str(s.place) in ran.err
                    assert "Mount its disk writable" in ran.err
            (last,) = [line for line in s.log.read_text().splitlines() if line.startswith("strongroom: ")]
            assert last == f"strongroom: {s.place}/lock: Read-only file system. Mount its disk writable"
            assert s.keyholder.ensure()
            whole(s)
            return
        for name, command in commands(s.room, s.out).items():
            with s.disk.read_only():
                ran = s.run(command)
            if part in command.writes or part == "vault":
                # Nothing of the vault is read without its log's index, which lies beside it.
                if name != "freeze":
                    said_well(ran, s.place, part)
            else:
                assert ran.code == 0, (name, ran)
            again = s.run(command)
            assert done(again), (name, again)
        whole(s)
        logged_well(s)


def test_the_keyholders_own_commands_on_a_full_disk(held: Path, tmp_path: Path) -> None:
    with scene(held, tmp_path, "keyholder") as s:
        s.keyholder.stop()
        files = s.disk.outside(s.room / "keyholder")
        kept = {path.name: path.read_bytes() for path in files.iterdir() if path.is_file()}
        with s.disk.full():
            assert not s.keyholder.ensure()
            for argv in (("keyholder", "expire"), ("keyholder", "recover", "--from", "vault")):
                ran = s.run(Command(argv))
                assert (ran.code, len(ran.err.splitlines())) == (1, 1)
                assert f"{s.place}/keyholder.db: " in ran.err
                assert "Make the disk writable, with room on it" in ran.err
            assert {name: (files / name).read_bytes() for name in kept} == kept
        assert s.keyholder.ensure()
        whole(s)


def test_no_room_to_be_founded_in(tmp_path: Path) -> None:
    charter = tmp_path / "charter.yaml"
    charter.write_text(small_charter())
    with mounted(tmp_path / "disk", 150) as disk:
        command = ("init", "--charter", str(charter), "--room", str(disk.place / "room"))
        ran = disk.run(*command)
        assert ran.code == 1
        (said,) = [line for line in ran.err.splitlines() if line.startswith("strongroom: ")]
        assert re.search(f"{disk.place}/.*(Free space on its disk|Make the disk writable, with room on it)", said), said
        assert list((disk.seen / "room").iterdir()) == []
        disk.grow(8000)
        assert disk.run(*command).code == 0
        assert disk.run("fsck", "--room", str(disk.place / "room")).code == 0


def test_files_that_may_not_grow(held: Path, tmp_path: Path) -> None:
    """Where no disk can be made to fill: a limit on how long a file gets (RLIMIT_FSIZE), under an import and then under the
    keyholder."""
    room, log = copy(held, tmp_path), tmp_path / "log"
    file = write_rows(tmp_path / "rows.csv")
    argv = [*CHILD, "import", str(file), *ask("rui", "register"), "--workers", "1", "--room", str(room)]
    keyholder = Keyholder(room, log)
    assert keyholder.ensure()
    limit = {"limit": 400_000, "rows": 200}
    assert start(argv, log, limit, tmp_path).wait(60) == 1
    assert re.search(rf"strongroom: {room}/vault/vault.db: .*Free space on its disk", log.read_text())
    keyholder.stop()
    # And not much more for the keyholder either, which says so and goes on saying it.
    keyholder.told = {"limit": 60_000}
    assert keyholder.ensure()
    assert start(argv, log, {"rows": 200}, tmp_path).wait(60) == 4
    assert keyholder.runs
    keyholder.stop()
    keyholder.told = {}
    assert keyholder.ensure()
    assert start(argv, log, {"rows": 200}, tmp_path).wait(60) == 0
    keyholder.stop()
    said = log.read_text()
    assert f"{ROWS:,} records taken into residents" in said
    calm(said)
    assert fsck(room).returncode == 0


def whole(s: Scene) -> None:
    for argv in (("status",), ("ledger", "publish"), ("ledger", "verify")):
        ran = s.run(Command(argv))
        assert ran.code == 0, ran
    s.keyholder.stop()
    ran = s.run(Command(("fsck",)))
    assert ran.code == 0, ran
    left = [str(path) for path in s.disk.seen.rglob("*draft*")] + [str(path) for path in s.disk.seen.rglob("*.new")]
    assert left == []
