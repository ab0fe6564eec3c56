"""Kill -9 of the keyholder's own commands, while it destroys keys and while it is recovered, and of a room's founding."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crash.conftest import make, small_charter
from tests.crash.siege import Siege
from tests.custody.life import entries

from strongroom.keyholder import files
from strongroom.ledger import entry
from strongroom.ledger.life import Life

KEYS, LOST = 25, 4000
pytestmark = [pytest.mark.kill, pytest.mark.timeout(3600)]


def test_expiry(besieged: Callable[..., Siege]) -> None:
    """Each key by one entry, and no file of one is left."""
    siege = besieged("expiry", alone=True, page=0)
    keys = siege.room / "keyholder" / "epochs"

    def begin(turn: int) -> list[str]:
        with files.lock(siege.room / "keyholder"):
            keyholder = files.open_keyholder(siege.room / "keyholder", siege.room / "public")
            today = keyholder.now() // 86400
            with keyholder.writing():
                # As many as a neglected keyholder might find.
                for day in range(KEYS):
                    keyholder.epochs.public("residents", today - turn * KEYS - day)
            keyholder.store.close()
        return ["keyholder", "expire"]

    def finished(turn: int, code: int) -> None:
        assert len(list(keys.iterdir())) == 1, "that of today alone"

    turns = siege.storm(begin, finished)
    siege.rest()
    with siege.world() as town:
        gone = Counter(one.epoch for one in entries(town) if isinstance(one, entry.ExpiryEntry))
        assert len(gone) == turns * KEYS
        assert set(gone.values()) == {1}
        assert sorted(gone) == [row.epoch for row in town.keyholder.store.epochs() if row.destroyed]
        life = Life()
        for index, item in enumerate(entries(town)):
            life.add(index, item)


def test_recovery(besieged: Callable[..., Siege], tmp_path: Path) -> None:
    """All that was lost, once; and one generation more, not one for each try. Then reads go on, from either mirror."""
    siege = besieged("recovery", alone=True, page=0)
    old, public = tmp_path / "old", tmp_path / "public"
    shutil.copytree(siege.room / "keyholder", old)
    with siege.world() as town:
        with town.keyholder.writing():
            for _ in range(LOST):
                town.keyholder.book.stage(entry.HeartbeatEntry(v=1, time=town.keyholder.now()))
        people = town.take_in(3, seed=99)
        town.disclose([people[0].handle])
        town.room.sync()
        town.room.publish()
        size = town.keyholder.book.size
    shutil.copytree(siege.room / "public", public)
    shutil.copytree(siege.room / "vault", tmp_path / "vault")

    def begin(turn: int) -> list[str]:
        for name, copy in (("keyholder", old), ("public", public), ("vault", tmp_path / "vault")):
            shutil.rmtree(siege.room / name)
            shutil.copytree(copy, siege.room / name)
        mirror = "vault" if turn % 2 == 0 else str(public)
        return ["keyholder", "recover", "--from", mirror]

    def finished(turn: int, code: int) -> None:
        # What it waits for where it was recovered from what is published.
        later = Siege(siege.name, siege.room, 0)
        later.run("status")
        later.rest()
        with later.world() as town:
            assert town.keyholder.generation() == 2
            notices = [one.code for one in entries(town)[size:] if isinstance(one, entry.NoticeEntry)]
            assert notices.count("generation") == 1
            before = town.keyholder.book.size
            assert town.disclose([people[1].handle]).index == before

    siege.storm(begin, finished)


def test_founding(tmp_path: Path) -> None:
    """A room that is there is whole; what is left of one that is not is said, and can be removed."""
    siege = make("founding", tmp_path / "room", alone=True, page=0)
    (tmp_path / "charter.yaml").write_text(small_charter())

    def begin(turn: int) -> list[str]:
        shutil.rmtree(siege.room, ignore_errors=True)
        return ["init", "--charter", str(tmp_path / "charter.yaml")]

    def meanwhile() -> None:
        if (siege.room / ".founding").exists():
            process = siege._start(begin_again, "")
            assert process.wait(60) == 1
            said = siege.said()
            assert f"{siege.room}: a founding was cut short, or is under way. Remove what it left there" in said
            assert all(name in said.rpartition("left there (")[2] for name in os.listdir(siege.room))
            shutil.rmtree(siege.room)

    begin_again = ["init", "--charter", str(tmp_path / "charter.yaml")]

    def finished(turn: int, code: int) -> None:
        assert code == 0 or "there is a room already" in siege.said()
        siege.rest()
        assert sorted(os.listdir(siege.room)) == ["keyholder", "public", "steward", "vault"]

    siege.storm(begin, finished, meanwhile=meanwhile, good=(0, 1))
