"""Kill -9 in the middle of upkeep and of a migration, with both houses."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from tests import world
from tests.crash.houses import kill, start
from tests.crash.upkeeper import COMMAND, at
from tests.custody.life import amend, mandate
from tests.custody.test_migrate import MORE
from tests.world import Person, World

from strongroom.custody import asking, fsck

DAY, ROTATION, BATCHES, EACH = 86400, 30, 40, 12
MAP = '{family: {field: name, split: " ", part: 1}, home: phone, clear: [email]}'
pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]


def _founded(root: Path) -> tuple[list[Person], float]:
    text = world.CHARTER
    for rate in ("300/hour", "200/hour", "100000/day", "100/day", "1000/day"):
        text = text.replace(f"[{rate}]", "[100000000/day]")
    world.found(root, text)
    town = World(root)
    now = (int(time.time()) // DAY // 210 + 1) * 210 * DAY + DAY / 2
    town.hands.wait(now - town.hands.wall())
    people = [one for seed in range(BATCHES) for one in town.take_in(EACH, seed=seed)]
    town.close()
    return people, now


def _killed_and_done(root: Path, now: float, what: str, log: Path, chooser: random.Random, kills: int) -> None:
    """Kill it so many times, then let it end."""
    for left in range(kills, -1, -1):
        child = start([*COMMAND, str(root), str(now), what], log)
        if left == 0:
            assert child.wait(120) == 0, log.read_text(errors="replace")
            return
        before = log.read_text(errors="replace").count("ready")
        while log.read_text(errors="replace").count("ready") <= before and child.poll() is None:
            time.sleep(0.01)
        time.sleep(chooser.random() ** 2 * 0.8)
        kill(child)


def _erase(town: World, people: list[Person]) -> None:
    list(asking.erase(town.room, mandate(town, "forget"), [one.handle for one in people]))


def _read(
    town: World, people: list[Person], *names: str, purpose: str = "review"
) -> dict[bytes, dict[str, str | None]]:
    found: dict[bytes, dict[str, str | None]] = {}
    for part in asking.disclose(town.room, mandate(town, purpose), [one.handle for one in people], names):
        found |= dict(zip(part.handles, part.values, strict=True))
    return found


def _whole(root: Path, now: float) -> None:
    problems: list[str] = []
    fsck.check(root, lambda what, done, total: None, problems.append, int(now))
    assert problems == []


def test_upkeep_survives_kills(tmp_path: Path, kills: int) -> None:
    """Whenever it ends, what lives is sealed to a key that lives, and what was erased is gone; whatever happened before."""
    root, log, chooser = tmp_path / "room", tmp_path / "log", random.Random(kills)
    people, now = _founded(root)
    chooser.shuffle(people)
    killed = 0
    while killed < kills:
        erased, people = people[:9], people[9:]
        town = World(root, at(now))
        _erase(town, erased)
        town.close()
        now += ROTATION * DAY
        some = min(5, kills - killed)
        _killed_and_done(root, now, "upkeep", log, chooser, some)
        killed += some
        town = World(root, at(now))
        store, number = town.room.store, town.room.holding("residents")
        assert {row.epoch for row in store.batches()} == {int(now) // DAY + 2 * ROTATION}
        assert {row.handle for row in store.records(number)} == {one.handle for one in people}
        names = _read(town, people, "name")
        assert names == {one.handle: {"name": one.values["name"]} for one in people}
        town.close()
        _whole(root, now)


def test_a_migration_survives_kills(tmp_path: Path, kills: int) -> None:
    """Each record has one more version, however often it was begun."""
    root, log, chooser = tmp_path / "room", tmp_path / "log", random.Random(kills + 1)
    people, now = _founded(root)
    town = World(root, at(now))
    text = world.CHARTER
    for rate in ("300/hour", "200/hour", "100000/day", "100/day", "1000/day"):
        text = text.replace(f"[{rate}]", "[100000000/day]")
    with pytest.MonkeyPatch.context() as own:
        own.setattr(world, "CHARTER", text)
        amend(
            town,
            *((a.replace("[100/day]", "[100000000/day]"), b.replace("[100/day]", "[100000000/day]")) for a, b in MORE),
        )
    now = town.hands.wall()
    town.close()
    _killed_and_done(root, now, MAP, log, chooser, kills)
    town = World(root, at(now))
    number = town.room.holding("residents")
    versions = town.room.store.latest_versions(number, [one.handle for one in people])
    assert set(versions.values()) == {2}
    found = _read(town, people, "family", "home")
    assert set(map(str, _read(town, people[:40], "email", purpose="reach").values())) == {"{'email': None}"}
    for one in people:
        family = (one.values["name"] or "").split(" ")[0]
        assert found[one.handle] == {"family": family, "home": one.values["phone"]}
    town.close()
    _whole(root, now)
