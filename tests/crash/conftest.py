"""What every siege begins with: a room with people in it, whose budgets do not end before the kills do."""

from __future__ import annotations

import os
import pickle
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import world
from tests.crash import houses, siege
from tests.crash.siege import Siege
from tests.world import Person, World

DEFAULT_KILLS = 30
PEOPLE, BATCHES = 120, 12

SHARES = {
    "import": 3,
    "import and destroy": 2,
    "tables": 3,
    "feed": 2,
    "reads": 2,
    "exports": 2,
    "corrections": 2,
    "erasures": 2,
    "upkeep": 4,
    "migration": 2,
    "certificate": 1,
    "expiry": 2,
    "recovery": 2,
    "founding": 1,
}
"""How the kills are shared out among the loops."""


def charter() -> str:
    text = world.CHARTER.replace("most: 40", "most: 10000")
    for rate in ("300/hour", "200/hour", "100/hour", "100000/day", "100/day", "1000/day", "200/day"):
        text = text.replace(f"[{rate}]", "[100000000/day]")
    changes = (
        ("    retention: 90d\n    rotation: 7d\n", "    retention: 20d\n    rotation: 30d\n"),
        (
            "      email: {type: email, compartment: contact}\n",
            (
                "      email: {type: email, compartment: contact}\n      note: {type: text, compartment: contact}\n"
                "      memo: {type: text, compartment: contact}\n"
            ),
        ),
        ("email: clear, id-number: clear}}", "email: clear, id-number: clear, note: clear, memo: clear}}"),
        (
            "reads: {residents: {name: clear, phone: clear}}\n    history",
            "reads: {residents: {name: clear, phone: clear, note: clear, memo: clear}}\n    history",
        ),
    )
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


@pytest.fixture(autouse=True)
def _nothing_runs_on() -> Iterator[None]:
    yield
    houses.end_all()


def small_charter() -> str:
    """Of one kind of identifier, since a million bucket keys take a second."""
    text = world.CHARTER
    return f"""{text[: text.index("  calls:")]}purposes:
{text[text.index("  register:") : text.index("  announce:")]}budgets:
  room: [300/hour]
""".replace("      phone: {type: phone, region: CN, compartment: contact, identifier: secondary}\n", "")


@pytest.fixture(scope="session")
def stronghold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stronghold") / "room"
    world.found(root, charter())
    town = World(root)
    people = [one for seed in range(BATCHES) for one in town.take_in(PEOPLE // BATCHES, seed=seed)]
    town.room.sync()
    town.close()
    (root / "people.pickle").write_bytes(pickle.dumps(people))
    return root


@pytest.fixture
def besieged(stronghold: Path, tmp_path: Path) -> Callable[..., Siege]:
    """Begins a siege of a copy of that room."""

    def begin(name: str, **options: object) -> Siege:
        shutil.copytree(stronghold, tmp_path / "room")
        return make(name, tmp_path / "room", **options)

    return begin


def make(name: str, room: Path, **options: object) -> Siege:
    total = int(os.environ.get("STRONGROOM_KILLS") or DEFAULT_KILLS)
    kills = max(1, round(total * SHARES[name] / sum(SHARES.values())))
    seed = siege.seed()
    made = Siege(name, room, kills, chooser=random.Random(f"{seed}/{name}"), **options)  # type: ignore[arg-type]
    made.log.write_text(f"STRONGROOM_SEED={seed}\n")
    return made


def people_of(room: Path) -> list[Person]:
    return list(pickle.loads((room / "people.pickle").read_bytes()))  # noqa: S301 - our own


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "STRONGROOM_KILLS" in os.environ and siege.STRUCK:
        total = sum(one.total() for one in siege.STRUCK.values())
        terminalreporter.write_line(f"{total} kills, each gone on from, each room whole:")
        for name, struck in siege.STRUCK.items():
            terminalreporter.write_line(
                f"  {name:<20}{struck.total():>5}   " + ", ".join(f"{blow} {n}" for blow, n in sorted(struck.items()))
            )
