"""Eight rotations of a room: what lives is readable; what was erased or has expired is not, by any means at hand.

The means: every copy of the vault ever made, all of the vault's keys, all of the keyholder's keys that still exist, and nobody's leave.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.custody.life import mandate
from tests.world import World

from strongroom.custody import asking, certificate, correct, erase, fsck, upkeep
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.seal import body, ids
from strongroom.seal.batch import Bound, open_batch_secret
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.mac import keyed
from strongroom.seal.slot import places, record_secrets, share, unmask
from strongroom.store.vault import VaultStore

DAY, ROTATION, ROTATIONS, STEP = 86400, 30, 8, 5
NAMES = {"residents": "name", "calls": "seconds"}


class Life:
    """A town, what should be readable in it, and a thief who copies the vault whenever something has happened."""

    def __init__(self, town: World, copies: Path) -> None:
        self.town, self.copies = town, copies
        self.drawn = random.Random(8)
        self.living: dict[tuple[str, bytes], str | None] = {}
        self.sealed: dict[tuple[str, bytes], int] = {}
        """The day on which each was sealed."""
        self.erased: set[tuple[str, bytes]] = set()
        self.certified: dict[bytes, int] = {}

    @property
    def day(self) -> int:
        return int(self.town.hands.wall()) // DAY

    def wait(self, days: int) -> None:
        """Nights in which the keyholder makes its rounds and the custodian's timer runs."""
        self.town.hands.wait(days * DAY)
        self.town.tick()
        for one in upkeep.run(self.town.room):
            assert one.problems == ()
            assert not one.outlook.urgent
        self.living = {
            place: value
            for place, value in self.living.items()
            if place[0] == "residents" or self.sealed[place] + 90 > self.day
        }

    def take_in(self) -> None:
        residents = self.town.take_in(4, seed=self.drawn.randrange(10**6))
        numbers = [f"+86138{self.drawn.randrange(10**8):08}" for _ in range(3)]
        calls = self.town.take_in_calls((numbers[0], numbers[1]), (numbers[2], numbers[0]), (numbers[1], ""))
        for holding, people in (("residents", residents), ("calls", calls)):
            for one in people:
                self.living[holding, one.handle] = one.values[NAMES[holding]]
                self.sealed[holding, one.handle] = self.day

    def pick(self, holding: str, count: int) -> list[bytes]:
        there = sorted(handle for name, handle in self.living if name == holding)
        return self.drawn.sample(there, min(count, len(there)))

    def correct(self) -> None:
        (handle,) = self.pick("residents", 1)
        value = f"Ann {self.day}"
        correct.correct(self.town.room, mandate(self.town, "amend"), [handle], {"name": value}, "register")
        self.living["residents", handle] = value

    def forget(self) -> None:
        for holding, count in (("residents", 2), ("calls", 1)):
            handles = self.pick(holding, count)
            asked = mandate(self.town, "forget", holding)
            for part in asking.erase(self.town.room, asked, handles):
                assert isinstance(part, erase.Erased)
            for handle in handles:
                del self.living[holding, handle]
                self.erased.add((holding, handle))
                if holding == "residents":
                    self.certified[handle] = certificate.issue(self.town.room, holding, [handle])[1].final_on

    def copy(self) -> None:
        """As it lies on the disk while the room is in use."""
        to = self.copies / f"{len(list(self.copies.iterdir())):03}"
        shutil.copytree(self.town.root / "vault", to)

    def check_living(self) -> None:
        for holding, purpose in (("residents", "confirm"), ("calls", "trace")):
            handles = sorted(handle for name, handle in self.living if name == holding)
            asked = mandate(self.town, purpose, holding)
            for part in asking.disclose(self.town.room, asked, handles, [NAMES[holding]]) if handles else ():
                for handle, values in zip(part.handles, part.values, strict=True):
                    assert values[NAMES[holding]] == self.living[holding, handle]


def readable(life: Life, vault: Path) -> set[tuple[str, bytes]]:
    """What a thief reads who has this copy of the vault, and all keys of both houses that exist now."""
    town = life.town
    room_id = town.room.keys.room
    keyholder_id = ids.keyholder_id(town.room.rules().charter.keyholder.message)
    files = EpochFiles(town.root / "keyholder", os.urandom)
    found = set()
    with VaultStore(vault / "vault.db") as store:
        names = {row.number: row.name for row in store.holdings()}
        secrets: dict[bytes, bytes] = {}
        for row in store.batches():
            keys = town.room.keys.holding(names[row.holding])
            private = files.get(names[row.holding], row.epoch)
            if private is not None:
                bound = Bound(room_id, keyholder_id, keys.holding, row.epoch, row.expires, row.members)
                secrets[row.batch] = open_batch_secret(private, bound, row.sealed)
        for number, name in names.items():
            keys = town.room.keys.holding(name)
            for stored in store.records(number):
                if stored.batch not in secrets:
                    continue
                place = places([stored.handle], [stored.version])
                (secret,) = record_secrets(keyed(secrets[stored.batch]), place, [stored.delta])
                for slot in body.parse(stored.body):
                    given = share(secret, unmask(secret, slot.masked, slot.compartment), slot.compartment)
                    open_compartment(keys, given, stored.handle, stored.version, slot.compartment, slot.blob)
                found.add((name, stored.handle))
    return found


def by_any_means(life: Life) -> set[tuple[str, bytes]]:
    return {place for vault in sorted(life.copies.iterdir()) for place in readable(life, vault)}


def _seasons(life: Life, start: int) -> Iterator[int]:
    for step in range(ROTATIONS * ROTATION // STEP):
        yield step
        life.wait(STEP)
        assert life.day == start + (step + 1) * STEP


def test_eight_rotations(town: World, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    life = Life(town, copies)
    town.hands.wait((life.day // 210 + 1) * 210 * DAY + 43_200 - town.hands.wall())
    start = life.day
    for step in _seasons(life, start):
        if step % 4 == 0 and step < 40:
            life.take_in()
        if step % 5 == 2:
            life.forget()
        if step % 3 == 1:
            life.correct()
        if step % 4 == 3:
            life.copy()
        if step % 6 == 5:
            life.check_living()
        if step == 20:
            town.restart_keyholder()
    assert len(life.erased) > 15
    # What was erased last is not final yet, and both houses together could still open it in an old copy.
    assert by_any_means(life) & life.erased
    # The last erasures are final within two rotations.
    life.wait(ROTATION)
    life.copy()
    life.wait(ROTATION)
    life.check_living()
    assert by_any_means(life) <= set(life.living)
    assert readable(life, town.root / "vault") == set(life.living)
    assert len(life.living) > 10
    # The day that the certificate named at first was the day, and it says so now.
    for handle, final_on in life.certified.items():
        assert final_on <= life.day
        _, verdict = certificate.issue(town.room, "residents", [handle])
        assert (verdict.final, verdict.final_on) == (True, final_on)
    # Nothing of the dead is left in the vault's own tables, and both houses are whole.
    store = town.room.store
    kept = {(name, row.handle) for name in NAMES for row in store.records(town.room.holding(name))}
    assert kept == set(life.living)
    town.room.close()
    town.keyholder.store.close()
    problems: list[str] = []
    fsck.check(town.root, lambda what, done, total: None, problems.append, int(town.hands.wall()))
    assert problems == []
