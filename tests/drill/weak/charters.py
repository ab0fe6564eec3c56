"""Houses and watchers for whom a charter is what somebody says it is, and counts when it is said."""

from __future__ import annotations

from typing import Any

import pytest
from tests.drill.weak.base import nothing

from strongroom.catalog import charter as charters
from strongroom.client import watch
from strongroom.custody.mirror import Mirror
from strongroom.keyholder import office
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.store import Store
from strongroom.ledger import entry


def blind_watcher(patch: pytest.MonkeyPatch) -> None:
    """It sees that the ledger grew, and not by what."""
    patch.setattr(watch, "_CONCERNS_ALL", entry.NoticeEntry)


def counts_at_once_for_the_keyholder(patch: pytest.MonkeyPatch) -> None:
    def set_time(self: Keyholder, now: int) -> None:
        self._current = self.charters[-1] if self.charters else None

    patch.setattr(Keyholder, "set_time", set_time)


def counts_at_once_for_the_vault(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Mirror, "in_force", lambda self, time: self.charters()[-1])


def any_successor(patch: pytest.MonkeyPatch) -> None:
    """What may follow what is not looked at by those who enter a charter, not even by its number in the keyholder's book."""
    honest = Store.add_charter

    def weak(self: Store, version: int, *given: Any) -> None:
        honest(self, max(version, len(self.charters()) + 1), *given)

    patch.setattr(charters, "successor", nothing)
    patch.setattr(Store, "add_charter", weak)


def any_chain(patch: pytest.MonkeyPatch) -> None:
    """Nor by those who read the ledger."""
    patch.setattr("strongroom.ledger.charters.follow", nothing)


def any_house(patch: pytest.MonkeyPatch) -> None:
    """The keyholder enters a charter that names another's keys."""
    patch.setattr(office, "_own_keys", nothing)
