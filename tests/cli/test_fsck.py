"""fsck finds each damage and names it; a whole room has none."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import world
from tests.cli.session import Session

from strongroom.custody import fsck


@pytest.fixture
def used(founded: Path, tmp_path: Path) -> Path:
    """A room with records, reads and a published ledger, which nobody has open."""
    town = world.copy(founded, tmp_path / "room")
    people = town.take_in(12)
    town.disclose([person.handle for person in people[:5]])
    town.disclose([people[0].handle], ["phone"], "reach")
    town.find("phone", people[3].values["phone"] or "")
    town.room.publish()
    town.close()
    return tmp_path / "room"


def problems(room: Path) -> list[str]:
    found: list[str] = []
    fsck.check(room, lambda what, done, total: None, found.append)
    return found


def vault(sql: str, *values: object) -> Callable[[Path], None]:
    return lambda room: _run(room / "vault" / "vault.db", sql, *values)


def keyholder(sql: str, *values: object) -> Callable[[Path], None]:
    return lambda room: _run(room / "keyholder" / "keyholder.db", sql, *values)


def _run(path: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        assert db.execute(sql, values).rowcount
    db.close()


def key(room: Path) -> Path:
    return next((room / "keyholder" / "epochs").glob("*.key"))


def test_a_used_room_is_whole(used: Path) -> None:
    assert problems(used) == []


ONE_SLOT = b"\1\0\1" + b"\0\1" + bytes(16) + b"\0\0\0\1" + b"\1"
RECOUNT = (
    "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT), ?1, ?2) AS BLOB) WHERE instr(CAST(entry AS TEXT), ?1)",
    '"count":5',
    '"count":4',
)

DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a body cut": (vault("UPDATE records SET body = substr(body, 1, 40)"), "a sealed compartment is empty or cut off"),
    "a compartment gone": (vault("UPDATE records SET body = ?", ONE_SLOT), "it has not every declared compartment"),
    "a token gone": (vault("DELETE FROM tokens WHERE handle IN (SELECT min(handle) FROM tokens)"), "tokens"),
    "a batch altered": (
        vault("UPDATE batches SET sealed = ?", b"\1" + bytes(1168)),
        "does not open it as of these records",
    ),
    "an expiry put off": (vault("UPDATE batches SET expires = expires + 1"), "does not open it as of these records"),
    "a record gone": (vault("DELETE FROM records WHERE handle IN (SELECT min(handle) FROM records)"), "sealed for"),
    "a batch misshapen": (vault("UPDATE batches SET sealed = x'02'"), "its sealed secret has not the form of one"),
    "an entry of the mirror altered": (vault(*RECOUNT), "do not give the checkpoint"),
    "an entry of the mirror gone": (vault("DELETE FROM entries WHERE idx = 4"), "mirror"),
    "a tile of the mirror altered": (
        vault("UPDATE tiles SET data = zeroblob(length(data))"),
        "tile 0/0 is not that of",
    ),
    "a reason lost": (vault("DELETE FROM private"), "the sealed case and reason of entry"),
    "an entry of the book altered": (keyholder(*RECOUNT), "keyholder's ledger: tile 0/0 is not that of"),
    "an entry of the book gone": (keyholder("DELETE FROM entries WHERE idx = 4"), "entries 4 to 4 are missing"),
    "a count raised": (keyholder("UPDATE chains SET count = count + 1 WHERE count = 2"), "stands in no entry"),
    "a count lowered": (
        keyholder("UPDATE chains SET count = count - 1 WHERE count = 2"),
        "has a tag that is no number of a chain",
    ),
    "a chain gone": (keyholder("DELETE FROM chains WHERE count = 2"), "has a tag that is no number of a chain"),
    "an ask without its entry": (keyholder("UPDATE asks SET idx = 99"), "a used ask names entry 99"),
    "an ask with another entry": (keyholder("UPDATE asks SET idx = 0"), "which no ask leaves"),
    "a budget raised": (keyholder("UPDATE budgets SET level = 9000000000000"), "is out of its range"),
    "a budget misspelt": (keyholder("UPDATE budgets SET key = key || 's'"), "rate does not parse"),
    "a charter exchanged": (
        keyholder("UPDATE charters SET document = x'7b7d' WHERE version = 2"),
        "charter version 2 is not the one",
    ),
    "a roster exchanged": (
        keyholder("UPDATE charters SET roster = x'5b5d' WHERE version = 2"),
        "the roster kept for charter version 2",
    ),
    "a key cut": (lambda room: key(room).write_bytes(b"short"), "not the key that was made for that day"),
    "a key exchanged": (
        lambda room: key(room).write_bytes(os.urandom(96)),
        "is not the one the vault seals to",
    ),
    "a key lost": (lambda room: key(room).unlink(), "what is sealed to it stays shut"),
    "a checkpoint forged": (
        lambda room: (room / "public" / "checkpoint").write_text("riverton.example/ledger\n9\n\n"),
        "public/checkpoint",
    ),
    "the vault's word of another ledger": (
        lambda room: (room / "public" / "cosigned").write_text("riverton.example/ledger\n9\n\n"),
        "public/cosigned",
    ),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(used: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(used)
    found = problems(used)
    assert [line for line in found if said in line], found


def test_a_keyholder_from_an_old_backup(used: Path, tmp_path: Path) -> None:
    """Whole in itself, shorter than what the vault has cosigned."""
    shutil.copytree(used, tmp_path / "later")
    town = world.World(tmp_path / "later")
    town.find("phone", "13912345678")
    town.close()
    shutil.rmtree(tmp_path / "later" / "keyholder")
    shutil.copytree(used / "keyholder", tmp_path / "later" / "keyholder")
    found = problems(tmp_path / "later")
    assert len(found) == 1
    assert "take the tail from the vault's mirror" in found[0]


def test_two_pasts(used: Path, tmp_path: Path) -> None:
    for name, number in (("left", "13912345678"), ("right", "13912345679")):
        shutil.copytree(used, tmp_path / name)
        town = world.World(tmp_path / name)
        town.find("phone", number)
        town.close()
    shutil.rmtree(tmp_path / "left" / "keyholder")
    shutil.copytree(tmp_path / "right" / "keyholder", tmp_path / "left" / "keyholder")
    assert any("the two houses hold different ledgers" in line for line in problems(tmp_path / "left"))


def test_a_vault_behind_its_keyholder_is_whole(used: Path, tmp_path: Path) -> None:
    """A crash between the keyholder's commit and the vault's: the next answer brings the rest."""
    shutil.copytree(used / "vault", tmp_path / "before")
    town = world.World(used)
    town.find("phone", "13912345678")
    town.close()
    shutil.rmtree(used / "vault")
    shutil.copytree(tmp_path / "before", used / "vault")
    assert problems(used) == []


def test_a_vault_alone(used: Path) -> None:
    shutil.rmtree(used / "keyholder")
    assert problems(used) == []


def test_the_command(used: Path) -> None:
    session = Session(used)
    assert session.run("fsck").code == 0
    vault("DELETE FROM private")(used)
    ran = session.run("fsck")
    assert ran.code == 1
    assert "the sealed case and reason of entry" in ran.out
    assert "problems in" in ran.out


def test_beside_a_running_keyholder(full: Session) -> None:
    assert full.run("fsck").code == 0
