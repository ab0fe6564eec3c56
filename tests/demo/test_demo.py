"""The tour goes through on real processes, and fails where a value lies readable."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.cli.output import Output
from strongroom.demo import command, thief
from strongroom.demo.story import DemoFailed, Tour
from strongroom.errors import InputError


@pytest.mark.timeout(180)
def test_the_whole_tour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    room = tmp_path / "room"
    command.prepare(room)
    shown = io.StringIO()
    Tour(room, 300, Output(stdout=shown)).tell()
    told = shown.getvalue() + capsys.readouterr().out
    assert "0 found" in told
    assert "complete: 5 of 5" in told
    assert "everything recomputed" in told
    assert {"vault", "keyholder", "public"} <= {path.name for path in room.iterdir()}
    assert not (room / "residents.csv").exists()
    for name in ("checkpoint", "vkeys", "tile"):
        assert (room / "public" / name).exists()


@pytest.mark.timeout(180)
def test_on_a_terminal_it_goes_through_as_well(tmp_path: Path) -> None:
    """Colours and progress bars are in what is printed then."""
    ours, theirs = pty.openpty()
    arguments = ["demo", "--people", "50", "--room", str(tmp_path / "room")]
    with subprocess.Popen(
        [sys.executable, "-m", "strongroom.cli.main", *arguments], stdout=theirs, stderr=theirs
    ) as tour:
        os.close(theirs)
        told = b""
        # Linux ends a terminal whose other side is gone with EIO.
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65536):
                told += data
    os.close(ours)
    assert tour.returncode == 0, told.decode(errors="replace")
    assert b"\x1b[1m" in told


def test_a_readable_value_fails_the_tour(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tour = Tour(tmp_path, 20, Output(stdout=io.StringIO()))
    (tmp_path / "vault").mkdir()
    for name in ("vault.db", "vault.db-wal", "vault.db-shm"):
        if (founded / "vault" / name).exists():
            (tmp_path / "vault" / name).write_bytes((founded / "vault" / name).read_bytes())
    tour.steal()
    (tmp_path / "vault" / "left-behind.csv").write_text(f"x,{tour.residents[3]['id-number']},y")
    assert thief.steal(tmp_path / "vault", [tour.residents[3]["id-number"]]).found == 1
    with pytest.raises(DemoFailed, match="1 personal value"):
        tour.steal()


def test_only_a_room_that_a_demo_made_is_replaced(tmp_path: Path) -> None:
    room = tmp_path / "room"
    command.prepare(room)
    (room / "old").touch()
    command.prepare(room)
    assert not (room / "old").exists()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "vault").touch()
    with pytest.raises(InputError, match="not a room that a demo made"):
        command.prepare(tmp_path / "own")
