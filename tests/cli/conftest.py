"""A room with a keyholder in a process of its own, and a session to run commands in."""

from __future__ import annotations

import csv
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli import sources
from tests.cli.session import Session

from strongroom.cli import development
from strongroom.synth.people import people

COUNT = 30
SEED = 11


def residents() -> list[dict[str, str]]:
    """Nobody who exists, with the fields of the tests' charter."""
    names = ("id-number", "name", "born", "sex", "phone", "email")
    return [{name: one[name] for name in names} for one in people(COUNT, SEED)]


@pytest.fixture
def alone(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A founded room whose keyholder does not run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRONGROOM_ROOM", raising=False)
    shutil.copytree(founded, tmp_path / "room")
    _without_heartbeat(tmp_path / "room")
    with (tmp_path / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(residents()[0]))
        writer.writeheader()
        writer.writerows(residents())
    with (tmp_path / "mistyped.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(residents()[0]))
        writer.writeheader()
        writer.writerows([*residents()[:2], {**residents()[2], "born": "31.12.1999"}])
    sources.write(tmp_path, residents())
    one = residents()[3]
    soon = (datetime.now(UTC) + timedelta(days=100)).date().isoformat()
    words = {"id": one["id-number"], "phone": one["phone"], "soon": soon, "tmp": str(tmp_path)}
    return Session(tmp_path / "room", words)


def _without_heartbeat(room: Path) -> None:
    """The first comes some seconds after the keyholder has heard from the vault; between which entries, is not foreseen."""
    with closing(sqlite3.connect(room / "keyholder" / "keyholder.db")) as book, book:
        book.execute("INSERT OR REPLACE INTO state VALUES ('heartbeat', ?)", (str(int(time.time())).encode(),))


@pytest.fixture
def session(alone: Session) -> Iterator[Session]:
    """A founded room with its keyholder answering."""
    with development.keyholder(alone.room):
        yield alone


@pytest.fixture
def full(session: Session) -> Session:
    """The same, with 30 residents taken in."""
    ran = session.run(
        *("import", "people.csv", "--as", "rui", "--purpose", "register"),
        *("--case", "R-1", "--reason", "taking in the register of residents"),
    )
    assert ran.code == 0, ran.err
    return session
