"""What can be wrong with a vault's store as a store: what each table says of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from strongroom.errors import SealError, StoreError
from strongroom.store import removal
from strongroom.store.database import Database, Values, statements
from strongroom.store.rows import BatchRow, HoldingRow, split_tokens

__all__ = ["of_batch", "of_holding", "of_tables"]

_SQL = statements("vault.sql")
_PAGE = 500


def of_tables(db: Database) -> Iterator[str]:
    """Rows that belong to nothing."""
    if db.number(_SQL["count_rows"]) != db.number(_SQL["count_handles"]):
        yield "records: there are more or fewer than handles"
    if lost := db.number(_SQL["lost_deltas"]):
        yield f"deltas: {lost} belong to no record"
    if lost := db.number(_SQL["lost_unsettled"]):
        yield f"unsettled: {lost} versions are of no record"


def of_batch(db: Database, row: BatchRow) -> Iterator[str]:
    """Whether its records are the ones that its secret is for."""
    try:
        found = db.all(_SQL["members"], (row.batch,))
        if not found:
            yield f"batch {row.batch.hex()}: it has no records, and can be dropped"
        elif removal.hash_of(found) != row.members:
            yield f"batch {row.batch.hex()}: its records are not the ones it was sealed for; the keyholder opens none of them"
    except SealError as error:
        yield f"batch {row.batch.hex()}: {error}"


def of_holding(db: Database, row: HoldingRow) -> Iterator[str]:
    """Whether its counts and its index are those of its records."""
    records = versions = tokens = absent = garbled = empty = apart = 0
    for handle, group in groupby(_places(db, row.number), key=itemgetter(0)):
        kept = list(group)
        here = [place for place in kept if place[2]]
        versions += len(here)
        records += bool(here)
        empty += not here
        apart += len({place[4] for place in kept}) > 1
        *_, last = kept
        try:
            for token in split_tokens(last[3] or b""):
                tokens += 1
                absent += db.one(_SQL["has_token"], (row.number, token, handle)) is None
        except StoreError:
            garbled += 1
    if (records, versions) != (row.records, row.versions):
        yield f"holding {row.name}: counts {row.records} records, {row.versions} versions; has {records}, {versions}"
    if empty:
        yield f"holding {row.name}: {empty} records of which nothing is left are still named"
    if apart:
        yield f"holding {row.name}: {apart} records whose versions do not lie in one level"
    if garbled:
        yield f"holding {row.name}: {garbled} records whose tokens are not in order"
    if absent:
        yield f"holding {row.name}: {absent} tokens of its records are missing from the index"
    if tokens - absent != (have := db.number(_SQL["count_tokens"], (row.number,))):
        yield f"holding {row.name}: the index has {have} tokens where its records have {tokens}"


def _places(db: Database, holding: int) -> Iterator[Values]:
    """(handle, version, batch, tokens, level) of all that is named, by handle and version."""
    after: Sequence[object] = (b"", 0)
    while page := db.all(_SQL["page_of_places"], (holding, *after, _PAGE)):
        yield from page
        after = page[-1][:2]
