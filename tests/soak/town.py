"""A town for the soak: people in it, several readers, budgets that nobody empties; on a disk that can be filled, where one can be had."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import world
from tests.faults.disk import Disk, mounted
from tests.soak.model import Model
from tests.soak.reckoning import Begun, buckets
from tests.world import World

from strongroom.client import device
from strongroom.client.device import Asker
from strongroom.custody import ceremony

PEOPLE = 200
READERS = (("bea", "clerk"), ("cid", "clerk"), ("dot", "clerk"), ("sol", "registrar"))
_KILOBYTES = 1024 * 1024


@dataclass
class Town:
    """``room`` as the servers have it, ``seen`` the same folder for us; ``begun``: where the book stood at the start."""

    room: Path
    seen: Path
    disk: Disk | None
    model: Model
    begun: Begun
    askers: dict[str, Asker]

    @property
    def prefix(self) -> list[str]:
        return self.disk.prefix if self.disk else []


def found(root: Path) -> tuple[Model, Begun, dict[str, Asker]]:
    """A room under ``root`` with people and readers in it, and what there is to know of it."""
    text = re.sub(r"\[[0-9]+/(hour|day)\]", "[1000000/day]", world.CHARTER)
    world.found(root, text)
    model = Model()
    with closing(World(root)) as town:
        steward = ceremony.load_steward(root / "steward" / "steward.key")
        for name, role in READERS:
            made = device.create(root / "people" / f"{name}.device", name, os.urandom)
            ceremony.enrol_reader(town.room, steward, made.public, role, "registry")
        for person in town.take_in(PEOPLE):
            model.stored(person.handle, str(person.values["name"]), str(person.values["id-number"]))
        town.room.sync()
        town.room.publish()
        begun = Begun(town.keyholder.book.size, buckets(town.keyholder.store.db))
        return model, begun, {name: town.asker(name) for name in ("ana", "rui", *dict(READERS))}


@contextmanager
def town(tmp_path: Path) -> Iterator[Town]:
    made = tmp_path / "made"
    known = found(made)
    room = tmp_path / "room"
    try:
        with mounted(room, _KILOBYTES) as disk:
            shutil.copytree(made, disk.outside(room), dirs_exist_ok=True)
            yield Town(room, disk.outside(room), disk, *known)
    except pytest.skip.Exception:
        # Its disk is never full then; all else is as it is.
        shutil.copytree(made, room, dirs_exist_ok=True)
        yield Town(room, room, None, *known)
