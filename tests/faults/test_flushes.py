"""A disk that fails when it is to keep what it was given: every flush and every commit of every command, one after the other.

SQLite's own flushes cannot be reached from here; its commit fails in their place, as it does when one of them does.
"""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pytest
from tests.cli.session import Ran, Session
from tests.crash import child
from tests.crash.houses import Keyholder
from tests.faults.conftest import commands, copy
from tests.faults.disk import errors_logged
from tests.faults.test_disks import done
from tests.serving.said import calm

MOST = 8
"""Of its flushes, so many of each command fail."""
FLUSHES = "fsync|COMMIT"
MANY = 400


class Broken:
    """Makes this process's disk fail at its flush of a number."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        patch.setattr(os, "fsync", child._stepped("fsync", os.fsync))
        patch.setattr(sqlite3, "connect", child._connect)
        self.whole()

    def at(self, number: int) -> None:
        self._patch.setattr(child, "_tried", 0)
        self._patch.setattr(child, "TOLD", {"fail": [FLUSHES, "", number, 0]})

    def whole(self) -> None:
        self._patch.setattr(child, "TOLD", {})

    @property
    def struck(self) -> list[str]:
        found: list[str] = child.TOLD.get("failed", [])
        return found


def test_each_flush_of_each_command(held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room, out, log = copy(held, tmp_path), tmp_path / "out", tmp_path / "log"
    out.mkdir()
    monkeypatch.chdir(out)
    keyholder, session, broken = Keyholder(room, log), Session(room), Broken(monkeypatch)
    monkeypatch.setattr("strongroom.custody.intake.rows.MAX_ROWS", 150)
    assert keyholder.ensure()
    struck: dict[str, set[str]] = {}
    through = set()  # with all its flushes
    for number in range(1, MOST + 1):
        for name, command in commands(room, out, number - 1, 600).items():
            if name in through:
                continue
            broken.at(number)
            ran = session.run(*command.argv, stdin=command.stdin)
            places = broken.struck
            broken.whole()
            if not places:
                through.add(name)
                continue
            struck.setdefault(name, set()).add(re.sub(r"\d+", "N", places[0].replace(str(tmp_path), "")))
            if ran.code != 0:
                said_well(ran, name, places)
            else:
                # What comes after, as the upkeep after an import, or is only tidied up, may fail.
                assert name == "import" or not places[0].startswith("COMMIT"), (name, places, ran)
            again = session.run(*command.argv, stdin=command.stdin)
            assert done(again), (name, places, again)
    both = {"find", "disclose", "check", "correct", "erase", "import", "export", "migrate", "reader", "charter"}
    assert struck.keys() >= both | {"certificate", "prove", "watch", "report", "synth"}
    assert all(any("COMMIT /room/vault/vault.db" in place for place in struck[name]) for name in both)
    for argv in (("ledger", "publish"), ("ledger", "verify")):
        assert session.run(*argv).code == 0
    keyholder.stop()
    assert session.run("fsck").code == 0
    calm(log.read_text())


def said_well(ran: Ran, name: str, places: list[str]) -> None:
    lines = ran.err.strip().splitlines()
    assert ran.code == 1, (name, places, ran)
    assert len(lines) == 1, (name, places, ran)
    place = places[0].partition(" ")[2]
    assert os.path.dirname(place) in lines[0] or os.path.basename(place) in lines[0], (name, places, ran)
    assert "the system's log" in lines[0], (name, places, ran)


@pytest.mark.parametrize("chance", [0.2, 0.05])
def test_the_keyholder_whose_disk_fails_now_and_then(held: Path, tmp_path: Path, chance: float) -> None:
    """It says a line and lives on; whoever asked is told, and gets it when it is asked again. What was given is in the book."""
    room, out, log = copy(held, tmp_path), tmp_path / "out", tmp_path / "log"
    out.mkdir()
    keyholder, session = Keyholder(room, log, {"fail": [FLUSHES, "", 4, chance]}), Session(room)
    assert keyholder.ensure()
    failed = 0
    for command in commands(room, out, rows=300).values():
        while not done(ran := session.run(*command.argv, stdin=command.stdin)):
            assert ran.code == 4, ran
            assert "its operator has to mend that" in ran.err
            failed += 1
            assert failed < MANY, log.read_text()
    assert failed > 3
    assert keyholder.runs
    keyholder.stop()
    said = log.read_text()
    calm(said)
    assert errors_logged(said)
    assert all(str(room) in line for line in errors_logged(said)), said
    keyholder.told = {}
    assert keyholder.ensure()
    for argv in (("ledger", "publish"), ("ledger", "verify")):
        assert session.run(*argv).code == 0
    keyholder.stop()
    assert session.run("fsck").code == 0
