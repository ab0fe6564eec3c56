"""Both houses in one process at a time of our choosing, doing what a timer does, or a migration; killed with both of them.

Run as a process: ``COMMAND ROOM TIME upkeep`` or ``COMMAND ROOM TIME MAP``. Says ``ready`` before it begins and ``done`` at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.custody.life import mandate
from tests.world import World

from strongroom.catalog import migration
from strongroom.custody import migrate, upkeep
from strongroom.custody.migrate import Work
from strongroom.drill.stage import Hands

COMMAND = [
    sys.executable,
    "-c",
    "import sys; sys.path.insert(0, sys.argv[1]); from tests.crash import upkeeper; upkeeper.main(*sys.argv[2:])",
    str(Path(__file__).parents[2]),
]


def at(time: float) -> Hands:
    """A clock that stands at ``time``."""
    hands = Hands()
    hands.wall_time = time
    return hands


def main(room: str, time: str, what: str) -> None:
    root = Path(room)
    town = World(root, at(float(time)))
    _say("ready")
    if what == "upkeep":
        town.keyholder.tick()
        for one in upkeep.run(town.room):
            assert one.problems == (), one.problems
    else:
        town.room.sync()
        found = migration.load(what, "map.yaml", town.room.rules().charter.holdings["residents"])
        done = migrate.migrate(Work(town.room, mandate(town, "amend"), found, root / "bad.csv", "register"))
        assert done.left == 0, done
    town.close()
    _say("done")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()
