"""Versions of records leave the store: expired ones, and erased ones when their batch is given another secret.

Where a record's latest version goes while an older one is still here (its retention was shortened between the two, or
its batch is resealed first), the older one does not become the latest: the keyholder gives no version below the newest
it was told of, and what was replaced must not come back. The number of the version that is gone stays in its place, so
that the record is found by nothing, has no latest version, and gives no number twice, until its last version has gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from strongroom.errors import StoreError
from strongroom.seal.batch import members
from strongroom.seal.slot import places
from strongroom.store.database import Database, statements
from strongroom.store.rows import split_tokens

__all__ = ["Kept", "hash_of", "purge", "put_resealed", "withdraw"]

_SQL = statements("vault.sql")
_BATCHES = 100

Kept = list[tuple[bytes, int, bytes]]
"""(handle, version, delta) of the records of one batch; a delta is 32 bytes or empty."""


def hash_of(batch: Iterable[tuple[bytes, int, bytes]]) -> bytes:
    """The ``members`` of a batch of these records (SPEC.md section 3.2)."""
    rows = list(batch)
    return members(places([handle for handle, _, _ in rows], [version for _, version, _ in rows]))


def put_resealed(db: Database, batch: bytes, epoch: int, members_hash: bytes, sealed: bytes, kept: Kept | None) -> None:
    with db.transaction():
        found = db.one(_SQL["batch"], (batch,))
        if found is None:
            raise StoreError("batch: it is not here any more. Another process was first")
        here = {(handle, version) for handle, version, _ in db.all(_SQL["members"], (batch,))}
        stay = {(handle, version) for handle, version, _ in kept or ()}
        # The secret fits the records that it was resealed for, and no others.
        if (found[4] != members_hash) if kept is None else (not stay <= here or len(stay) != len(kept)):
            raise StoreError("batch: its records have changed since. Another process was first; reseal it again")
        if kept is not None:
            _remove(db, found[1], batch, sorted(here - stay))
            if hash_of(kept) != members_hash:
                raise StoreError("batch: the records to be kept are not the members it was resealed for")
            db.run_many(_SQL["put_delta"], ((batch, *row) for row in kept))
        if kept == []:
            db.run(_SQL["drop_batch"], (batch,))
        else:
            db.run(_SQL["reseal_batch"], (batch, epoch, members_hash, sealed))


def purge(db: Database, holding: int, today: int, limit: int) -> int:
    removed = 0
    with db.transaction():
        for (batch,) in db.all(_SQL["expired"], (holding, today, _BATCHES)):
            gone = [(handle, version) for handle, version, _ in db.all(_SQL["members"], (batch,))]
            if removed and removed + len(gone) > limit:
                break
            _remove(db, holding, batch, gone)
            db.run(_SQL["drop_batch"], (batch,))
            removed += len(gone)
    return removed


def withdraw(db: Database, holding: int, handles: Iterable[bytes]) -> None:
    with db.transaction():
        for handle in sorted(set(handles)):
            found = db.one(_SQL["last_tokens"], (holding, handle))
            if found is not None and found[1] is not None:
                db.run_many(_SQL["drop_token"], ((holding, token, handle) for token in split_tokens(found[1])))
                db.run(_SQL["put_handle"], (holding, handle, found[0] + 1, b""))


def _remove(db: Database, holding: int, batch: bytes, gone: Sequence[tuple[bytes, int]]) -> None:
    """Remove versions of one batch, with all that the store says of them; in a transaction."""
    tokens = []
    for handle, version in gone:
        last = db.one(_SQL["last_tokens"], (holding, handle))
        if last is not None and last[0] == version and last[1] is not None:
            tokens += [(holding, token, handle) for token in split_tokens(last[1])]
    db.run_many(_SQL["drop_token"], sorted(tokens))
    for drop in ("drop_delta", "drop_record"):
        db.run_many(_SQL[drop], ((batch, *place) for place in gone))
    handles = sorted({handle for handle, _ in gone})
    db.run_many(_SQL["empty_handle"], ((holding, *place) for place in gone))
    for drop in ("drop_handle", "forget_unsettled"):
        db.run_many(_SQL[drop], ((holding, handle) for handle in handles))
    left = sum(db.one(_SQL["has_handle"], (holding, handle)) is None for handle in handles)
    db.run(_SQL["count_records"], (holding, -left, -len(gone)))
