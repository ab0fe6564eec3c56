"""A keyholder's book restored from an old copy, and the mirrors it is brought up to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import Houses, change

from strongroom.catalog.model import Charter
from strongroom.custody import ceremony
from strongroom.keyholder import recovery
from strongroom.keyholder.recovery import Source
from strongroom.ledger import audit, note


def mirror(houses: Houses) -> Source:
    """What the vault has."""
    store = houses.town.room.store

    def entries(start: int, stop: int) -> Iterable[bytes]:
        return store.mirror.entries(start, stop)

    return Source("the vault's mirror", store.mirror.checkpoint().decode(), entries, store.roster, vault=True)


class Copy:
    """The keyholder's directory as it is now, to come back to."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses
        self._from = houses.town.root / "keyholder"
        self._to = houses.town.root / "old-copy"
        houses.town.keyholder.store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(self._from, self._to)

    def restore(self, *, epochs: bool = True) -> None:
        """The book as it was, and the epoch keys as they were where they were copied too."""
        self._houses.town.keyholder.store.close()
        for path in self._from.glob("keyholder.db*"):
            path.unlink()
        shutil.copy(self._to / "keyholder.db", self._from)
        if epochs:
            shutil.rmtree(self._from / "epochs")
            shutil.copytree(self._to / "epochs", self._from / "epochs")
        self._houses.town.keyholder = self._houses.town._keyholder()


def recover(houses: Houses, *sources: Source) -> recovery.Recovered:
    return recovery.recover(houses.town.keyholder, sources or (mirror(houses),))


def whole(houses: Houses) -> None:
    """The ledger as anybody verifies it; the vault follows."""
    houses.town.room.sync()
    houses.town.room.publish()
    keys, public = houses.town.room.rules().charter, houses.town.root / "public"
    verifiers = [note.verifier(keys.keyholder.log), note.verifier(keys.keyholder.ml_dsa)]
    found = audit.audit(lambda path: (public / path).read_bytes(), verifiers, None)
    assert found.size == houses.town.keyholder.book.size
    houses.check()


def amend(houses: Houses, alter: Callable[[Charter], Charter], *, roster: bool = False) -> None:
    room = houses.town.room
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    if roster:
        key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        ceremony.enrol_reader(room, steward, key, "clerk", "registry")
    else:
        ceremony.amend(room, steward, alter, ceremony.latest_roster(room))


def slow(charter: Charter) -> Charter:
    return change(charter, heartbeat=charter.heartbeat + 1)  # type: ignore[no-any-return]
