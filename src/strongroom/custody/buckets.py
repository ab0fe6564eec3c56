"""The vault's commitment to its bucket keys, and the one it hands to the keyholder's desk (SPEC.md sections 2.3, 2.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from strongroom.custody import bucketwork
from strongroom.custody.room import Room
from strongroom.errors import InputError
from strongroom.seal import person
from strongroom.seal.person import HoldingKeys


@dataclass(frozen=True)
class BucketKey:
    """``key`` opens one bucket of 2^20: the desk can recompute ``who`` for the identifiers in it and no others."""

    j: int
    key: bytes = field(repr=False)
    proof: tuple[bytes, ...] = field(repr=False)


def bucket_root(keys: HoldingKeys, kind: str) -> bytes:
    """32 bytes for the charter. About 2 s: a million keys are derived."""
    return bucketwork.levels(keys.person(kind))[-1][0]


def bucket_roots(wanted: Sequence[tuple[HoldingKeys, str]], done: Callable[[int], None]) -> list[bytes]:
    """``bucket_root`` of many at once; ``done`` is told how many are."""
    return bucketwork.roots([keys.person(kind) for keys, kind in wanted], done)


def bucket_key(room: Room, holding: str, kind: str, j: int) -> BucketKey:
    """The key of bucket ``j`` with its proof against the charter's root. Raises ``InputError``."""
    if kind not in room.rules().charter.buckets.get(holding, {}):
        raise InputError(f"{holding} has no identifier of kind {kind}")
    keys = room.keys.holding(holding)
    # Recomputed each time (2 s): an enrolment is rare, and a cache would be one more file to guard.
    levels = bucketwork.levels(keys.person(kind))
    proof, place = [], j
    for level in levels[:-1]:
        proof.append(level[place ^ 1])
        place >>= 1
    return BucketKey(j, person.bucket_key(keys.person(kind), j), tuple(proof))
