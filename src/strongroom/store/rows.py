"""What goes into a vault's store and what comes out (SPEC.md section 3.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from operator import add, lt
from typing import NamedTuple

from strongroom.errors import StoreError

__all__ = ["BatchRow", "HoldingRow", "Job", "RecordRow", "RowError", "Stored", "join_tokens", "placed_tokens"]
__all__ += ["split_tokens"]

_UNSORTED = "record row: its tokens are not sorted values of 16 bytes. Run strongroom fsck"


class RecordRow(NamedTuple):
    """One version of one record, to be stored. ``tokens``: as ``join_tokens`` joins them."""

    handle: bytes
    version: int
    batch: bytes
    tokens: bytes
    body: bytes


class Stored(NamedTuple):
    """One version of one record as stored, with its batch's epoch and expiry (days), members and sealed secret.
    ``delta``: 32 bytes where the batch was given another secret since, otherwise empty."""

    handle: bytes
    version: int
    batch: bytes
    epoch: int
    expires: int
    members: bytes
    sealed: bytes
    delta: bytes
    tokens: bytes
    body: bytes


class BatchRow(NamedTuple):
    """A batch as stored. ``holding`` is the store's number of the holding; ``epoch`` and ``expires`` are days;
    ``members``: 32 bytes that name its records (SPEC.md section 3.2)."""

    batch: bytes
    holding: int
    epoch: int
    expires: int
    members: bytes
    sealed: bytes


class HoldingRow(NamedTuple):
    """A holding and its counts. ``versions`` counts every stored version, ``records`` each record once."""

    number: int
    id: bytes
    name: str
    records: int
    versions: int


class RowError(NamedTuple):
    """Why one row of an import was not taken. ``field`` may be empty; ``reason`` never holds the value."""

    row: int
    field: str
    reason: str


class Job(NamedTuple):
    """An import, an export, a migration. ``rows`` were taken and ``bad`` were not, in the chunks that are done; ``done``:
    that is all of them. ``detail`` is its own, and so is ``cursor``, how far it has come. ``unverified``: chunks with
    rows of which nobody has said that they can be read back."""

    holding: int
    detail: str
    done: bool
    rows: int
    bad: int
    cursor: str
    unverified: int


def join_tokens(tokens: list[bytes] | set[bytes]) -> bytes:
    """Sorted, each once, 16 bytes each, joined. StoreError when one has another length."""
    found = sorted(set(tokens))
    if {*map(len, found)} - {16}:
        raise StoreError("token: want 16 bytes")
    return b"".join(found)


def split_tokens(joined: bytes) -> list[bytes]:
    """The other way. StoreError when they are not what ``join_tokens`` writes."""
    found = [joined[at : at + 16] for at in range(0, len(joined), 16)]
    if len(joined) % 16 or sorted(set(found)) != found:
        raise StoreError(_UNSORTED)
    return found


def placed_tokens(rows: Iterable[RecordRow]) -> list[bytes]:
    """token ‖ handle for every token of ``rows``, in no order. StoreError as ``split_tokens``.

    Nearly all records of a holding have as many tokens as each other, so they are cut and held against each other by the
    column: half the cost.
    """
    by_width: dict[int, list[RecordRow]] = defaultdict(list)
    for row in rows:
        by_width[len(row.tokens)].append(row)
    found: list[bytes] = []
    for width, same in by_width.items():
        columns = [[row.tokens[at : at + 16] for row in same] for at in range(0, width, 16)]
        if width % 16 or not all(all(map(lt, *pair)) for pair in pairwise(columns)):
            raise StoreError(_UNSORTED)
        handles = [row.handle for row in same]
        for column in columns:
            found += map(add, column, handles)
    return found
