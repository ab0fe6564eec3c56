"""What a custodian's timer runs every day, and every import at its end: batches move on to keys that live, rows of the dead go.

Keys are destroyed on their day whether or not anybody ran this (docs/operations.md). What is due is decided in ``custody.schedule``;
each step here is a transaction of its own, which a crash leaves done or not begun, and the next run goes on from there.
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from strongroom.custody import erasures, newest, schedule
from strongroom.custody.keydays import KeyDays
from strongroom.custody.mirror import AHEAD_SECONDS
from strongroom.custody.resealing import Resealer, Tally
from strongroom.custody.room import Room
from strongroom.custody.schedule import Facts, Life, Outlook
from strongroom.errors import InputError, KeyholderUnavailable, Refused, StoreError
from strongroom.seal import ids
from strongroom.seal.epoch import NEVER, epoch_of, epoch_text
from strongroom.seal.label import label
from strongroom.seal.mac import mac
from strongroom.store.rows import BatchRow, HoldingRow

Progress = Callable[[str, int, int], None]
"""(holding, batches gone through, batches to be resealed)."""

_DAY = 86400
_PURGED_AT_ONCE = 10_000
_RETOLD = label("retold")
_READABLE = ("current", "aging", "due")


@dataclass(frozen=True)
class Kept:
    """One holding after the run. ``told``: newer versions of which the keyholder was told; ``resealed`` batches; ``removed`` versions of
    erased records; ``strangers``: records that the vault had not had erased itself, and withdrew because it was told to; ``purged`` versions that had expired.
    In a dry run: what would be, as far as nobody need be asked. ``problems`` are sentences."""

    holding: str
    told: int
    resealed: int
    removed: int
    strangers: int
    purged: int
    outlook: Outlook
    held_until: int | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How a holding's batches stand, for ``strongroom status``."""

    holding: str
    outlook: Outlook
    held_until: int | None


def run(
    room: Room,
    *,
    holdings: Sequence[str] | None = None,
    everything: bool = False,
    dry: bool = False,
    believed: Collection[int] = (),
    progress: Progress = lambda holding, done, total: None,
) -> list[Kept]:
    """Tell of new versions, reseal what is due, delete what has expired; in ``holdings`` or in all. ``everything``: reseal whatever
    has a later epoch, and not only what is in its last rotation. ``dry``: change and ask nothing. ``believed``: erasures of the ledger
    that this vault did not ask for, by index, and that somebody has looked at: what they erase goes.

    Raises ``InputError`` when another is under way, or where ``believed`` names anything else, ``KeyholderUnavailable``, ``Refused``, ``StoreError``, ``LedgerError`` (a ledger
    that was cut or forked; a ``StoreError`` too where the houses' clocks differ): what came before is done. What concerns one batch alone is among the problems.
    """
    if dry:
        return [_Holding(room, row, KeyDays(room), everything).look() for row in _rows(room, holdings)]
    with _alone(room.directory):
        room.sync()
        _check_clocks(room)
        days = KeyDays(room)
        days.read()
        rows = _rows(room, holdings)
        unasked = {row.name: erasures.reconcile(room, row.name) for row in rows}
        if other := set(believed) - {index for each in unasked.values() for index in each}:
            raise InputError(
                f"entry {min(other)} is no erasure that this vault did not ask for{' in this holding' if holdings else ''}. "
                "Name those that strongroom upkeep complains of"
            )
        found = [_Holding(room, row, days, everything).keep(progress, believed) for row in rows]
        if not room.store.tidy() and any(one.removed or one.purged for one in found):
            room.store.empty_log()
        return found


def standing(room: Room) -> list[Standing]:
    """How all holdings stand by what the vault knows; nobody is asked."""
    days = KeyDays(room)
    return [_Holding(room, row, days, False).standing() for row in _rows(room, None)]


def _rows(room: Room, holdings: Sequence[str] | None) -> list[HoldingRow]:
    return [row for row in room.store.holdings() if holdings is None or row.name in holdings]


def _check_clocks(room: Room) -> None:
    """What is due and what goes is decided by the vault's own clock. Where the other house has another time one of the two is wrong,
    and this is no day for letting anything go. Raises ``StoreError``."""
    ahead = room.status().time - room.now()
    if abs(ahead) > AHEAD_SECONDS:
        raise StoreError(
            f"the keyholder's clock is {abs(ahead):,} s {'ahead of' if ahead > 0 else 'behind'} the vault's: nothing is resealed or deleted "
            "until the clock that is wrong is mended"
        )


class _Holding:
    def __init__(self, room: Room, row: HoldingRow, days: KeyDays, everything: bool) -> None:
        self._room, self._name, self._number, self._everything = room, row.name, row.number, everything
        self._days, self._today = days, room.now() // _DAY
        # As far as both houses agree: what ends by it has ended.
        self._proved = min(room.now(), room.mirror.time)

    def _facts(self) -> Facts:
        days = self._days.of(self._name)
        declared = self._room.rules().charter.holdings[self._name]
        held = days.held_until(self._proved) is not None
        return Facts(self._today, declared.rotation, days.destroyed.keys(), held, self._proved // _DAY)

    def _lives(self) -> Counter[Life]:
        return Counter({Life(*days): count for days, count in self._room.store.lives(self._number).items()})

    def standing(self) -> Standing:
        outlook = schedule.outlook(self._lives(), self._facts())
        return Standing(self._name, outlook, self._days.of(self._name).held_until(self._proved))

    def look(self) -> Kept:
        """What ``keep`` would do."""
        facts, lives = self._facts(), self._lives()
        untold = len(self._room.store.unsettled(self._number, 10**9))
        until = schedule.purge_until(lives, facts)
        purged = sum(count for life, count in lives.items() if until is not None and life.expires <= until)
        tally = Tally(batches=sum(1 for _ in self._due(facts)))
        return self._kept(untold, tally, purged, facts, lives)

    def keep(self, progress: Progress, believed: Collection[int]) -> Kept:
        told = self._tell()
        facts = self._facts()
        total, done = sum(1 for _ in self._due(facts)), 0

        def advance() -> None:
            nonlocal done
            done += 1
            progress(self._name, done, total)

        resealer = Resealer(self._room, self._name, self._days, advance)
        wanted = set(erasures.reconcile(self._room, self._name)).intersection(believed)
        if wanted and resealer.withdraw_erased(self._readable(facts), facts, wanted):
            erasures.believe(self._room, self._name, wanted)
        if unasked := erasures.reconcile(self._room, self._name):
            resealer.tally.problems.append(erasures.complaint(self._name, unasked) + self._until(facts))
        resealer.reseal(self._due(facts), facts)
        lives = self._lives()
        return self._kept(told, resealer.tally, self._purge(facts, lives), facts, lives)

    def _tell(self) -> int:
        store, notice = self._room.store, self._days.generation
        if notice is not None:
            # The keyholder was restored from an old copy, and has forgotten. Told again once for each such notice.
            job = mac(_RETOLD + ids.holding_id(self._room.keys.room, self._name), notice.to_bytes(8, "big"))[:16]
            store.jobs.start(job, self._number, "versions told again")
            if not store.jobs.get(job).done:
                store.unsettle(self._number)
                store.jobs.finish(job)
        told = len(store.unsettled(self._number, 10**9))
        newest.tell(self._room, self._name)
        return told

    def _due(self, facts: Facts) -> Iterator[BatchRow]:
        wanted = ("due", "aging") if self._everything else ("due",)
        before = epoch_of(facts.today, facts.rotation, NEVER)
        for row in self._room.store.aging(self._number, before, facts.today):
            if schedule.state(Life(row.epoch, row.expires), facts) in wanted:
                yield row

    def _until(self, facts: Facts) -> str:
        """Until when somebody can look, at the least."""
        first = min((row.epoch for row in self._readable(facts) if row.epoch < row.expires), default=None)
        if first is None:
            return ""
        return f". Batches with such records are not resealed, and the first of their keys may be destroyed on {epoch_text(first)}"

    def _readable(self, facts: Facts) -> Iterator[BatchRow]:
        for row in self._room.store.batches():
            if row.holding == self._number and schedule.state(Life(row.epoch, row.expires), facts) in _READABLE:
                yield row

    def _purge(self, facts: Facts, lives: Mapping[Life, int]) -> int:
        until = schedule.purge_until(lives, facts)
        purged = 0
        while until is not None and (count := self._room.store.purge(self._number, until, _PURGED_AT_ONCE)):
            purged += count
        return purged

    def _kept(self, told: int, tally: Tally, purged: int, facts: Facts, before: Mapping[Life, int]) -> Kept:
        """``before``: what was there before rows were deleted."""
        days = self._days.of(self._name)
        problems = list(tally.problems)
        problems += [
            f"entry {index} says that a key of {self._name} is destroyed, and names another key than the vault sealed to. Ask the "
            "keyholder's operator"
            for index in days.false
        ]
        if late := schedule.unconfirmed(before, facts):
            problems.append(
                f"{self._name}: the ledger does not say that the keys of {', '.join(map(epoch_text, late))} are destroyed, though their "
                "day has come. Ask the keyholder's operator"
            )
        outlook = schedule.outlook(self._lives(), facts)
        if outlook.lost:
            problems.append(
                f"{self._name}: batches not resealed before their key was destroyed: {outlook.lost}. What is in them cannot be read "
                "any more, and no copy of the vault brings it back"
            )
        return Kept(
            self._name,
            told,
            tally.batches,
            tally.removed,
            tally.strangers,
            purged,
            outlook,
            days.held_until(self._proved),
            tuple(problems),
        )


@contextmanager
def _alone(vault: Path) -> Iterator[None]:
    """One at a time: two would have the same batches resealed twice."""
    with (vault / "upkeep.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError("an upkeep of this vault is under way. Wait for it to end") from None
        yield


def after_intake(room: Room, holding: str) -> list[str]:
    """What an import does at its end: the same for its holding. Returns problems, which are not the import's own: its rows are stored."""
    try:
        return [problem for one in run(room, holdings=[holding]) for problem in one.problems]
    except InputError:
        return []  # one is under way, and does this
    except (KeyholderUnavailable, Refused, StoreError) as error:
        return [f"upkeep is still to be done, with strongroom upkeep: {error}"]
