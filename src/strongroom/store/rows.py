"""What goes into a vault's store and what comes out (SPEC.md section 3.6)."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.errors import StoreError

__all__ = ["BatchRow", "HoldingRow", "Job", "RecordRow", "RowError", "Stored", "join_tokens", "split_tokens"]


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
        raise StoreError("record row: its tokens are not sorted values of 16 bytes. Run strongroom fsck")
    return found
