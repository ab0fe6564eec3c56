"""Keys whose day has come are destroyed, and the ledger says so (SPEC.md sections 3.1 and 8.9).

First the book: in one transaction the entry, and that this key is given no more. Then the file: overwritten, unlinked. What a crash
between the two or a restored copy leaves on the disk is destroyed at the next round, without a second entry.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from strongroom.errors import StoreError
from strongroom.keyholder import protocol
from strongroom.keyholder.store import EpochRow
from strongroom.ledger import entry

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

log = logging.getLogger("strongroom.keyholder")


@dataclass(frozen=True, slots=True)
class Planned:
    """A key that is there: the day (since 1970) on which it goes, and until when (POSIX second) a hold keeps it past
    that, 0 where none does."""

    holding: str
    epoch: int
    held_until: int


def plan(keyholder: Keyholder, now: int) -> list[Planned]:
    """Every key that is not destroyed, in order of its day."""
    held: dict[str, int] = {}
    for holding, _, until in keyholder.store.holds(now):
        held[holding] = max(until, held.get(holding, 0))
    found = [
        Planned(row.holding, row.epoch, held.get(row.holding, 0))
        for row in keyholder.store.epochs()
        if not row.destroyed
    ]
    return sorted(found, key=lambda one: (one.epoch, one.holding))


def due(keyholder: Keyholder, now: int) -> list[EpochRow]:
    """The keys whose day has come and that no hold keeps."""
    held = {holding for holding, _, _ in keyholder.store.holds(now)}
    return [
        row
        for row in keyholder.store.epochs()
        if not row.destroyed and row.epoch <= now // 86400 and row.holding not in held
    ]


def expire(keyholder: Keyholder, now: int) -> list[EpochRow]:
    """Destroy the keys whose day has come by ``now``, but for those that a hold keeps. Returns them. Whoever calls this is sure
    of the time: what was sealed to them is gone.

    Raises ``StoreError`` for a file that cannot be destroyed, once the others are; of such a key there is no entry.
    """
    adopt(keyholder)
    rows, problems = [], list[StoreError]()
    for row in due(keyholder, now):
        try:
            keyholder.epochs.files.destroyable(row.holding, row.epoch)
            rows.append(row)
        except StoreError as error:
            problems.append(error)
    if rows:
        with keyholder.writing():
            for row in rows:
                item = entry.ExpiryEntry(v=1, time=now, epoch=row.epoch, holding=row.holding, key=row.key)
                keyholder.store.expire(row.holding, row.epoch, row.key, keyholder.book.stage(item))
    for row in rows:
        keyholder.epochs.forget(row.holding, row.epoch)
    sweep(keyholder)
    if problems:
        raise problems[0]
    return rows


def sweep(keyholder: Keyholder) -> None:
    """Destroy the files of keys that the book says are destroyed, and of keys that were never finished.

    Raises ``StoreError`` for the first that cannot be, once the others are.
    """
    destroyed = {(row.holding, row.epoch) for row in keyholder.store.epochs() if row.destroyed}
    problems = list[StoreError]()
    for holding, epoch in keyholder.epochs.files.listed():
        if (holding, epoch) in destroyed:
            try:
                keyholder.epochs.files.destroy(holding, epoch)
            except StoreError as error:
                problems.append(error)
    keyholder.epochs.files.sweep()
    if problems:
        raise problems[0]


def adopt(keyholder: Keyholder) -> None:
    """Key files that the book does not know: made in a transaction that was cut short, or in time that was lost."""
    known = {(row.holding, row.epoch) for row in keyholder.store.epochs()}
    fresh = [one for one in keyholder.epochs.files.listed() if one not in known]
    if not fresh:
        return
    with keyholder.writing():
        for holding, epoch in fresh:
            try:
                private = keyholder.epochs.files.get(holding, epoch)
            except StoreError as error:
                log.error("%s", error)
                continue
            if private is not None:
                keyholder.store.add_epoch(holding, epoch, protocol.epoch_key_hash(private.public))
