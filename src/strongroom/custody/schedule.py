"""What is due in the life of a holding's batches, given facts and the day (SPEC.md sections 3.1, 3.7).

Nothing here asks the clock, the store or the keyholder. Days are days since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from strongroom.seal.epoch import epoch_of

GRACE_DAYS = 7
"""How long after their expiry the rows wait for the ledger to say that their key is destroyed. Then they go without: the
promise was that they end, and the keyholder's silence is said aloud."""

MAX_BATCHES, MAX_RECORDS = 100, 50_000
"""What one request to reseal may have (SPEC.md section 8.9): a second of the keyholder's time, while readers wait."""
MAX_BYTES = 7 * 2**20
"""Of these columns in base64; the rest of the request has the last MiB of its 8."""

State: TypeAlias = Literal["current", "aging", "due", "lost", "expired"]


class Life(NamedTuple):
    """The two days of a batch: ``epoch``, when the key is destroyed that it is sealed to, and ``expires``."""

    epoch: int
    expires: int


@dataclass(frozen=True, slots=True)
class Facts:
    """One holding on one day. ``rotation`` is the charter's, in days; ``destroyed``: the epochs of which the ledger says
    that their key is; ``held``: a hold stands, so that none is. ``today`` is by the vault's own clock; ``proved``: the day that the
    ledger has come to, where that is earlier."""

    today: int
    rotation: int
    destroyed: Collection[int] = ()
    held: bool = False
    proved: int | None = None

    def target(self, life: Life) -> int:
        """The epoch that a batch would be sealed to today."""
        return epoch_of(self.today, self.rotation, life.expires)


def state(life: Life, facts: Facts) -> State:
    """``lost``: its key was destroyed before it was resealed, or its day has come and no hold stands, after which the keyholder
    does not use it; nothing opens it. ``due``: there is a later epoch, and its key is in its last rotation, or lives by a hold
    alone; ``aging``: there is a later one, and there is time."""
    if facts.today >= life.expires:
        return "expired"
    proved = facts.today if facts.proved is None else min(facts.today, facts.proved)
    if life.epoch in facts.destroyed or (proved >= life.epoch and not facts.held):
        return "lost"
    if life.epoch >= facts.target(life):
        return "current"
    return "due" if facts.today >= life.epoch - facts.rotation else "aging"


def purge_until(lives: Iterable[Life], facts: Facts) -> int | None:
    """The day up to which expired batches may be deleted, all of them; None where there are none, or a hold stands."""
    if facts.held:
        return None
    found = None
    for expires, epochs in sorted(_expired(lives, facts.today).items()):
        if expires + GRACE_DAYS > facts.today and not all(epoch in facts.destroyed for epoch in epochs):
            break
        found = expires
    return found


def unconfirmed(lives: Iterable[Life], facts: Facts) -> list[int]:
    """Epochs of expired batches that are past all grace, and whose keys the ledger does not call destroyed."""
    late = [
        epoch
        for expires, epochs in _expired(lives, facts.today).items()
        if expires + GRACE_DAYS <= facts.today
        for epoch in epochs
    ]
    return sorted({epoch for epoch in late if epoch not in facts.destroyed and not facts.held})


def _expired(lives: Iterable[Life], today: int) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for life in lives:
        if life.expires <= today:
            found.setdefault(life.expires, set()).add(life.epoch)
    return found


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a holding stands. ``batches``: of each state how many. ``destruction``: the first day on which a key is destroyed
    that still has batches to be resealed, None where there are none; ``urgent``: it is within a quarter of a rotation,
    or past. ``backups``: the day from which a copy of the vault taken today lacks living records, None where it never
    will."""

    batches: Mapping[State, int]
    destruction: int | None
    urgent: bool
    backups: int | None

    @property
    def lost(self) -> int:
        return self.batches.get("lost", 0)

    @property
    def waiting(self) -> int:
        """Batches that a later epoch is there for."""
        return self.batches.get("due", 0) + self.batches.get("aging", 0)


def outlook(lives: Mapping[Life, int], facts: Facts) -> Outlook:
    """``lives``: how many batches have these days."""
    counts: dict[State, int] = {}
    waiting, renewed = [], []
    for life, count in lives.items():
        found = state(life, facts)
        counts[found] = counts.get(found, 0) + count
        if found in ("due", "aging"):
            waiting.append(life.epoch)
        # What ends with its expiry is lacking in no backup: it is gone from the vault as well.
        if found in ("due", "aging", "current") and life.epoch < life.expires:
            renewed.append(life.epoch)
    first = min(waiting, default=None)
    return Outlook(
        batches=counts,
        destruction=first,
        # A rotation of a day or two has no quarter: there the last day is it.
        urgent=first is not None and not facts.held and 4 * (first - facts.today) <= max(facts.rotation, 4),
        backups=min(renewed, default=None),
    )


@dataclass(frozen=True, slots=True)
class Weight:
    """What a batch adds to a request."""

    records: int
    deltas: int

    @property
    def bytes(self) -> int:
        # Base64 of the sealed secret, of 20 bytes a member and 32 a delta, with a word around each.
        return 2048 + -(-20 * self.records // 3) * 4 + -(-32 * self.deltas // 3) * 4


def fits(group: Sequence[Weight], more: Weight) -> bool:
    """Whether one more batch may go into a request with these. The first always does."""
    every = [*group, more]
    return not group or (
        len(every) <= MAX_BATCHES
        and sum(one.records for one in every) <= MAX_RECORDS
        and sum(one.bytes for one in every) <= MAX_BYTES
    )


def halves(group: Sequence[object]) -> Iterator[slice]:
    """The two halves of a request that was refused for one of its batches."""
    middle = len(group) // 2
    yield slice(0, middle)
    yield slice(middle, len(group))
