"""What ``fsck`` finds in the keyholder's tables of lives, and that it finds nothing where nothing is wrong (SPEC.md 5.8, 8.9)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from tests.houses import Houses
from tests.keyholder import asked
from tests.keyholder.asked import DAY, Sealed
from tests.keyholder.restored import Copy, mirror

from strongroom.keyholder import fsck, recovery


def _problems(houses: Houses) -> list[str]:
    found: list[str] = []
    fsck.check(houses.town.root / "keyholder", lambda what, done, total: None, found.append, lambda book: None)
    return found


@pytest.fixture
def lived(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> Houses:
    """A keyholder that has erased, held, frozen, destroyed, been recovered."""
    town, today = houses.town, houses.town.room.now() // DAY
    monkeypatch.setattr(time, "time", town.hands.wall)
    Sealed(houses, houses.handles[:2], epoch=today + 2)
    houses.send(asked.supersede(houses, (houses.handles[7], 2)))
    houses.operate("hold", holding="calls", authority="a court", until=(today + 9) * DAY)
    town.room.sync()
    copy = Copy(houses)
    houses.send(asked.erase(houses, houses.handles[4:6]))
    houses.operate("freeze", "room")
    houses.operate("freeze", f"reader:{town.key_of('ana').reader.hex()}")
    houses.operate("hold", holding="residents", authority="a court", until=(today + 9) * DAY)
    houses.operate("hold", holding="residents", authority="a court", until=0)
    houses.operate("thaw", "room")
    town.hands.wait(3 * DAY)
    town.tick()
    town.room.sync()
    copy.restore()
    recovery.recover(town.keyholder, [mirror(houses)])
    houses.operate("thaw", "room")
    town.hands.wait(60)
    houses.send(houses.good())
    return houses


def test_a_life_that_is_whole(lived: Houses) -> None:
    assert _problems(lived) == []


def _sql(statement: str) -> Callable[[Houses], object]:
    return lambda h: h.town.keyholder.store.db.execute(statement)


def _restored_key(houses: Houses) -> None:
    (row,) = [row for row in houses.town.keyholder.store.epochs() if row.destroyed]
    houses.town.keyholder.epochs.files.path(row.holding, row.epoch).write_bytes(os.urandom(96))


def _key(houses: Houses, content: bytes | None) -> None:
    path = next((houses.town.root / "keyholder" / "epochs").glob("*.key"))
    path.unlink() if content is None else path.write_bytes(content)


DAMAGE: dict[str, tuple[str, Callable[[Houses], object]]] = {
    "a tombstone gone": ("keyholder has forgotten it", _sql("DELETE FROM tombstones")),
    "a tombstone more": ("stands in no entry", _sql("INSERT INTO tombstones VALUES (x'00', 3)")),
    "a tombstone of another entry": ("not as the ledger has it", _sql("UPDATE tombstones SET idx = idx + 1")),
    "a hold gone": ("has forgotten it", _sql("DELETE FROM holds")),
    "a hold lengthened": ("not as the ledger has it", _sql("UPDATE holds SET until = until + 1")),
    "a hold of nobody's": ("stands in no entry", _sql("INSERT INTO holds VALUES ('calls', 'me', 9)")),
    "a freeze gone unsaid": ("what is frozen", _sql("INSERT INTO freezes VALUES ('holding:calls')")),
    "a generation back": ("generation", _sql("UPDATE state SET value = '1' WHERE key = 'generation'")),
    "a version too low": ("out of its range", _sql("UPDATE versions SET version = 1")),
    "a destroyed key alive": ("which its tables do not say", _sql("UPDATE epochs SET expired = -1")),
    "a key destroyed unsaid": ("no entry says so", _sql("UPDATE epochs SET expired = 3 WHERE expired < 0")),
    "a destroyed key there": ("it destroys it", _restored_key),
    "a key gone": ("is gone", lambda h: _key(h, None)),
    "a key cut short": ("not the key that was made", lambda h: _key(h, bytes(50))),
    "another key": ("not the key that was made", lambda h: _key(h, os.urandom(96))),
    "a lost tag more": ("from before a recovery stands in no entry", _sql("INSERT INTO lost VALUES (randomblob(16))")),
    "lost tags gone": ("has a tag that is no number", _sql("DELETE FROM lost")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(lived: Houses, name: str) -> None:
    said, damage = DAMAGE[name]
    db = lived.town.keyholder.store.db
    lost = db.execute("SELECT tag FROM lost").fetchall()
    damage(lived)
    found = _problems(lived)
    db.execute("DELETE FROM lost")
    db.executemany("INSERT INTO lost VALUES (?)", lost)
    assert found
    assert any(said in line for line in found), found
