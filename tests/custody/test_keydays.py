"""What the ledger says of keys is found without reading the ledger, and none of it is passed over."""

from __future__ import annotations

import json
import typing
from pathlib import Path

from tests.custody.test_upkeep import ROTATION, day, start, to_day
from tests.world import World

from strongroom.custody.keydays import KeyDays
from strongroom.ledger import entry
from strongroom.store.vault import VaultStore

__all__ = ["start"]

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ledger-entry.json").read_text(encoding="utf-8"))
GOOD = [one["text"].encode() for one in VECTORS["cases"] if one["name"].startswith("good")]
WANTED = entry.ExpiryEntry | entry.HoldEntry | entry.NoticeEntry


def test_they_alone_begin_so(tmp_path: Path) -> None:
    """The store tells them by their first member: canonical JSON sorts these."""
    types = {type(entry.parse(one)) for one in GOOD}
    assert types >= {*typing.get_args(WANTED), entry.HeartbeatEntry, entry.CharterEntry, entry.ErasureEntry}
    with VaultStore(tmp_path / "vault.db", create=True) as store:
        store.mirror.append(0, GOOD, {}, b"")
        every = [(index, one) for index, one in enumerate(GOOD) if isinstance(entry.parse(one), WANTED)]
        assert store.mirror.lives(0, len(GOOD)) == every
        assert store.mirror.lives(0, 0) == []
        assert store.mirror.lives(every[0][0], every[0][0] + 1) == every[:1]


def test_it_goes_on_where_it_was(town: World, start: int) -> None:
    town.take_in(1)
    town.room.sync()
    days = KeyDays(town.room)
    assert (days.of("residents").destroyed, days.of("residents").held_until(0)) == ({}, None)
    keyholder = town.keyholder
    with keyholder.writing():
        now = keyholder.now()
        for authority, until in (("one", now + 50), ("other", now + 90)):
            item = entry.HoldEntry(v=1, time=now, authority=authority, holding="residents", until=until)
            keyholder.book.stage(item)
    town.room.sync()
    assert days.of("residents").held_until(now) == now + 90
    assert days.of("residents").held_until(now + 89) == now + 90
    assert days.of("residents").held_until(now + 90) is None
    assert days.of("calls").held_until(now) is None
    to_day(town, start + 2 * ROTATION)
    town.tick()
    town.room.sync()
    assert set(days.of("residents").destroyed) == {day(town)}
    (index,) = days.of("residents").destroyed.values()
    assert isinstance(entry.parse(town.room.mirror.entry(index)), entry.ExpiryEntry)
