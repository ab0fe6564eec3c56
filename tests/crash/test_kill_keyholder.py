"""Kill -9 of the keyholder while it destroys keys and while it is recovered: the book and the disk agree when it is done.

``make kill N=200`` runs these as often as wished.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from tests import world
from tests.crash.houses import STRONGROOM, fsck, kill, soon, start, until

from strongroom.keyholder import files
from strongroom.ledger import entry
from strongroom.ledger.life import Life

KEYS = 150
pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]


def _whole(room: Path, log: Path) -> None:
    checked = fsck(room)
    assert checked.returncode == 0, checked.stdout + checked.stderr + log.read_text(errors="replace")


def _due(room: Path, before: int) -> None:
    """Keys whose day has come: as many as a neglected keyholder might find, up to the day ``before`` today."""
    with files.lock(room / "keyholder"):
        keyholder = files.open_keyholder(room / "keyholder", room / "public")
        today = keyholder.now() // 86400
        with keyholder.writing():
            for day in range(KEYS):
                keyholder.epochs.public("residents", today - before - day)
        keyholder.store.close()


def test_expiry_survives_kills(founded: Path, tmp_path: Path, kills: int) -> None:
    room, log = tmp_path / "room", tmp_path / "log"
    shutil.copytree(founded, room)
    chooser, killed, rounds = random.Random(kills), 0, 0
    wanted = kills // 3 + 1
    while killed < wanted or rounds == 0:
        if not list((room / "keyholder" / "epochs").glob("*.key")):
            _due(room, rounds * KEYS)
        process = start([*STRONGROOM, "keyholder", "expire", "--room", str(room)], log)
        if killed < wanted and not until(process, 0.3 + soon(chooser, 1.2)):
            kill(process)
            killed += 1
        elif process.wait(60) == 0:
            rounds += 1
    while list((room / "keyholder" / "epochs").glob("*.key")):
        assert start([*STRONGROOM, "keyholder", "expire", "--room", str(room)], log).wait(60) == 0
    _whole(room, log)
    keyholder = files.open_keyholder(room / "keyholder", room / "public")
    items = [entry.parse(data) for data in keyholder.store.entries(0, keyholder.book.size)]
    gone = Counter(one.epoch for one in items if isinstance(one, entry.ExpiryEntry))
    assert set(gone.values()) == {1}
    assert sorted(gone) == [row.epoch for row in keyholder.store.epochs()]
    assert all(row.destroyed for row in keyholder.store.epochs())
    life = Life()
    for index, item in enumerate(items):
        life.add(index, item)
    keyholder.store.close()


def test_recovery_survives_kills(founded: Path, tmp_path: Path, kills: int) -> None:
    room, log, old = tmp_path / "room", tmp_path / "log", tmp_path / "old"
    town = world.copy(founded, room)
    people = town.take_in(5)
    town.keyholder.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(room / "keyholder", old)
    with town.keyholder.writing():
        for _ in range(4000):
            town.keyholder.book.stage(entry.HeartbeatEntry(v=1, time=town.keyholder.now()))
    town.disclose([people[0].handle])
    town.room.sync()
    size = town.keyholder.book.size
    town.close()
    chooser, killed, done = random.Random(kills), 0, 0
    wanted = kills // 3 + 1
    while killed < wanted or done == 0:
        shutil.rmtree(room / "keyholder")
        shutil.copytree(old, room / "keyholder")
        while True:
            process = start([*STRONGROOM, "keyholder", "recover", "--from", "vault", "--room", str(room)], log)
            if killed < wanted and not until(process, 0.3 + soon(chooser, 1.2)):
                kill(process)
                killed += 1
                continue
            assert process.wait(60) == 0, log.read_text(errors="replace")
            done += 1
            break
        keyholder = files.open_keyholder(room / "keyholder", room / "public")
        # All that was lost, and one generation more: not one for each try.
        assert (keyholder.book.size, keyholder.generation()) == (size + 1, 2)
        keyholder.store.close()
        shutil.rmtree(room / "public", ignore_errors=True)
    _whole(room, log)
