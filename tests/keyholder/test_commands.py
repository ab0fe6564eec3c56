"""``strongroom keyholder``: hold, lift, expire and recover as an operator runs them, beside a keyholder that runs and one that does not."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.session import Session
from tests.houses import Houses
from tests.keyholder import asked
from tests.keyholder.asked import DAY, WHY, Sealed

from strongroom.cli import development
from strongroom.custody import erase
from strongroom.custody.room import Room
from strongroom.keyholder import files
from strongroom.ledger import entry
from strongroom.seal.epoch import epoch_text


class Operator:
    """The houses' directories, with nobody at home."""

    def __init__(self, houses: Houses, tmp_path: Path) -> None:
        self.houses, self.town, self.root = houses, houses.town, houses.town.root
        self.session = Session(self.root)
        self.old = tmp_path / "old"

    def leave(self) -> None:
        self.town.keyholder.store.close()

    def come_back(self) -> None:
        # The commands ran by the clock on the wall, which has gone on.
        self.town.hands.wait(max(time.time() - self.town.hands.wall(), 0) + 1)
        self.town.keyholder = self.town._keyholder()

    def copy(self) -> None:
        self.town.keyholder.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(self.root / "keyholder", self.old)

    def restore(self) -> None:
        shutil.rmtree(self.root / "keyholder")
        shutil.copytree(self.old, self.root / "keyholder")

    def json(self, *argv: str) -> Any:
        ran = self.session.run("keyholder", *argv, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    def fails(self, *argv: str, code: int = 1) -> str:
        ran = self.session.run("keyholder", *argv)
        assert (ran.code, ran.out) == (code, "")
        return ran.err


@pytest.fixture
def operator(houses: Houses, tmp_path: Path) -> Operator:
    return Operator(houses, tmp_path)


@pytest.fixture
def late(operator: Operator) -> str:
    """A key whose day has come by the clock on the wall; the name of that day."""
    today = operator.town.room.now() // DAY
    operator.town.keyholder.epochs.public("residents", today)
    operator.town.room.publish()
    operator.leave()
    return epoch_text(today)


# --- expire ----------------------------------------------------------------------------------------------------------
def test_expire_shows_then_destroys(operator: Operator, late: str) -> None:
    before = operator.json("expire", "--dry-run")["keys"]
    assert before[0]["epoch"] == late
    assert {one["holding"] for one in before} == {"residents"}
    shown = operator.session.run("keyholder", "expire", "--dry-run").out
    assert [line.split()[:3] for line in shown.splitlines()[1:2]] == [["residents", late, "now"]]
    assert operator.json("expire", "--yes") == {"destroyed": [{"epoch": late, "holding": "residents"}]}
    assert operator.json("expire") == {"destroyed": []}
    assert [one["epoch"] for one in operator.json("expire", "--dry-run")["keys"]] == [
        one["epoch"] for one in before[1:]
    ]
    operator.come_back()
    assert isinstance(operator.houses.entries()[-1], entry.ExpiryEntry)
    assert operator.town.keyholder.store.state("published_size") == str(operator.town.keyholder.book.size).encode()


def test_expire_beside_a_keyholder_that_runs(operator: Operator, late: str) -> None:
    with development.keyholder(operator.root):
        # It has just started, and is quiet until it has heard the vault.
        room = Room(operator.root / "vault")
        room.sync()
        room.close()
        ran = operator.session.run("keyholder", "expire")
        assert ran.code == 0, ran.err
        assert operator.json("expire", "--dry-run")["keys"][0]["epoch"] != late
    operator.come_back()
    assert isinstance(operator.houses.entries()[-1], entry.ExpiryEntry)


def test_expire_of_a_book_behind_what_it_has_published(operator: Operator, late: str) -> None:
    operator.come_back()
    operator.copy()
    operator.houses.send(operator.houses.good())
    operator.town.keyholder.publish(operator.town.keyholder.now())
    operator.leave()
    operator.restore()
    assert "strongroom keyholder recover" in operator.fails("expire")
    operator.json("recover", "--from", "vault")
    operator.come_back()


# --- hold and lift ---------------------------------------------------------------------------------------------------
def test_hold_and_lift(operator: Operator, late: str) -> None:
    court, until = "Riverton District Court, 41 C 7", epoch_text(operator.town.room.now() // DAY + 30)
    hold = ("hold", "residents", "--authority", court)
    with development.keyholder(operator.root):
        said = operator.session.run("keyholder", *hold, "--until", until)
        assert (said.code, until in said.out) == (0, True)
        plan = operator.json("expire", "--dry-run")["keys"]
        assert plan[0]["held_until"] == (operator.town.room.now() // DAY + 30) * DAY
        assert operator.json("expire") == {"destroyed": []}
        for wrong in ("30.6.2027", "2020-01-01", "9999-12-31"):
            operator.fails(*hold, "--until", wrong)
        operator.fails("hold", "patients", "--authority", court, "--until", until, code=3)
        operator.fails("lift", "residents", "--authority", "another")
        operator.json("lift", "residents", "--authority", court)
        # It destroys nothing by its own clock alone: the vault's has to agree.
        assert operator.session.run("status").code == 0
        assert operator.session.run("keyholder", "expire").code == 0
    operator.come_back()
    kinds = (entry.HoldEntry, entry.ExpiryEntry)
    lives = [one for one in operator.houses.entries() if isinstance(one, kinds)]
    assert [type(one) for one in lives] == [entry.HoldEntry, entry.HoldEntry, entry.ExpiryEntry]


# --- recover ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def restored(operator: Operator) -> Operator:
    """A keyholder's directory from before a read and an erasure, a published ledger and a mirror with them."""
    operator.town.room.publish()
    operator.copy()
    town, handles = operator.town, operator.houses.handles
    town.disclose(handles[:1])
    erase.erase(town.room, town.asker("rui").erase("residents", "forget", handles[3:4], *WHY, town.room.now()))
    operator.town.room.publish()
    operator.leave()
    operator.restore()
    return operator


def test_recover_from_the_vault(restored: Operator) -> None:
    with pytest.raises(Exception, match="strongroom keyholder recover"), development.keyholder(restored.root):
        pass
    found = restored.json("recover", "--from", "vault")
    assert found | {"size": 0} == {
        "asks": 2,
        "charters": 0,
        "entries": 2,
        "erasures": 1,
        "expiries": 0,
        "generation": 2,
        "room_frozen": False,
        "size": 0,
    }
    again = restored.session.run("keyholder", "recover", "--from", "vault")
    assert "nothing is missing" in again.out
    with development.keyholder(restored.root):
        room = Room(restored.root / "vault")
        room.publish()
        room.close()
    assert restored.session.run("fsck").code == 0
    restored.come_back()


def test_recover_from_a_published_ledger(restored: Operator, tmp_path: Path) -> None:
    # Of its own it takes what there is, whatever other mirror it is given.
    shutil.move(restored.root / "public", tmp_path / "mirror")
    ran = restored.session.run("keyholder", "recover", "--from", str(tmp_path / "mirror"))
    assert (ran.code, "until the vault has shown" in ran.out) == (0, True)
    assert "waits for the vault" in restored.fails("expire")
    with development.keyholder(restored.root):
        assert restored.session.run("keyholder", "freeze", "room").code == 4
        room = Room(restored.root / "vault")
        room.publish()
        room.close()
        assert restored.session.run("keyholder", "freeze", "room").code == 0
        assert restored.session.run("keyholder", "thaw", "room").code == 0
    restored.come_back()
    codes = [one.code for one in restored.houses.entries() if isinstance(one, entry.NoticeEntry)]
    assert codes[-4:] == ["generation", "start", "freeze", "thaw"]
    restored.town.room.sync()


def test_what_cannot_be_recovered(restored: Operator, tmp_path: Path) -> None:
    assert "published ledger" in restored.fails("recover", "--from", str(tmp_path))
    with files.lock(restored.root / "keyholder"):
        assert "runs on this already" in restored.fails("recover", "--from", "vault")
    (restored.root / "vault").rename(tmp_path / "vault")
    assert "there is no vault here" in restored.fails("recover", "--from", "vault")
    (tmp_path / "vault").rename(restored.root / "vault")
    restored.fails("recover", code=2)
    restored.json("recover", "--from", "vault")
    restored.come_back()


def test_a_sealed_batch_is_read_after_a_recovery(restored: Operator) -> None:
    """The whole of it once, with an own key that was made in the time before."""
    restored.json("recover", "--from", "vault")
    restored.come_back()
    made = Sealed(restored.houses, restored.houses.handles[:1])
    restored.town.hands.wait(60)
    request = asked.request(restored.houses, restored.houses.ask(), made.pieces((1,)))
    assert restored.houses.open(request, restored.houses.send(request)).shares
