"""Houses that forget what has ended: keys past their day, what was erased, what a restored copy does not know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.drill.weak.base import Weaken, nothing

from strongroom.keyholder import expiry, recovery, rounds, routes
from strongroom.keyholder.book import Book
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.core import Keyholder
from strongroom.seal import batch
from strongroom.seal.epoch import NEVER
from strongroom.store.vault import VaultStore


# --- keys ------------------------------------------------------------------------------------------------------------------
def never_destroyed(patch: pytest.MonkeyPatch) -> None:
    """Keys stay when their day has come."""
    patch.setattr(expiry, "expire", lambda keyholder, now: [])
    patch.setattr(expiry, "sweep", nothing)


def never_destroyed_again(patch: pytest.MonkeyPatch) -> None:
    """A key's file that is put back stays, and is used."""
    honest, begun = expiry.expire, set[int]()

    def weak(keyholder: Keyholder, now: int) -> Any:
        done = honest(keyholder, now) if id(keyholder) not in begun else []
        if done:
            begun.add(id(keyholder))
        return done

    patch.setattr(expiry, "expire", weak)
    patch.setattr(
        Keyholder, "usable", lambda self, holding, epoch, now: self.epochs.files.get(holding, epoch) is not None
    )


def usable_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A key that is there is used, whatever the day."""
    patch.setattr(Keyholder, "usable", lambda self, holding, epoch, now: self.epochs.has(holding, epoch))


def unbound_expiry(patch: pytest.MonkeyPatch) -> None:
    """A batch secret is not bound to the day on which it expires."""
    honest = batch._info
    patch.setattr(batch, "_info", lambda bound: honest(bound._replace(expires=NEVER)))


def wall_clock(patch: pytest.MonkeyPatch) -> None:
    """The ledger's time is whatever the wall clock says, backwards too."""
    patch.setattr(Clock, "now", lambda self, last: int(self._wall()))


# --- a book put back ---------------------------------------------------------------------------------------------------------
def any_start(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at what was published before."""
    patch.setattr(Book, "check_published", nothing)


def any_mirror(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks how far the vault's mirror is."""

    def after(keyholder: Keyholder, request: Any, work: Any, now: int) -> None:
        rounds.heard(keyholder, now)

    for path in ("/v1/disclose", "/v1/status"):
        patch.setitem(routes.ROUTES, path, replace(routes.ROUTES[path], after=after))


def same_generation(patch: pytest.MonkeyPatch) -> None:
    """Tags are counted on from what the copy knows."""
    patch.setattr(rounds, "begin_generation", lambda keyholder, now: keyholder.store.drop_state("recovering"))
    patch.setattr("strongroom.keyholder.store.Store.lost", lambda self, tag: False)


def not_taken(table: str) -> Weaken:
    """A recovery leaves out what this table has of the entries that it takes."""
    honest = recovery._Taking._entry

    def weak(self: Any, index: int, data: bytes) -> None:
        honest(self, index, data)
        self._store.db.execute(f"DELETE FROM {table}")  # noqa: S608 - a table of the tests' own choice

    return lambda patch: patch.setattr(recovery._Taking, "_entry", weak)


def never_told_again(patch: pytest.MonkeyPatch) -> None:
    """The vault does not say again which versions are the newest."""
    patch.setattr(VaultStore, "unsettle", nothing)
