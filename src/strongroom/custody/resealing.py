"""Having batches sealed to their next epoch by the keyholder, and how far its answer is believed (SPEC.md sections 3.7, 8.9).

The vault cannot open what it gets. Before it lets go of what it has, it wants: the keyholder's signature over the whole answer; that the
keyholder shows that it can open each new secret, and the same one as before where nothing was erased; and of each row that it left out
its signed word that the record is erased, under a mark that stands in an erasure of the ledger and was never another record's, and that
this vault had it erased (``erasures``). Then
each batch is stored in a transaction of its own. What is not borne out stays as it was, under a key that lives on for now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.canonical import encode
from strongroom.custody import certificate, erasures, schedule
from strongroom.custody.keydays import KeyDays
from strongroom.custody.removals import Removals
from strongroom.custody.room import Room
from strongroom.custody.schedule import Life, Weight
from strongroom.errors import FormatError, ProofError, Refused
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.seal import batch
from strongroom.seal.columns import split
from strongroom.seal.epoch import epoch_text
from strongroom.seal.slot import places
from strongroom.store.rows import BatchRow

Member = tuple[bytes, int, bytes]
"""(handle, version, delta)."""


_OF_A_BATCH = ("expired", "epoch", "batch", "record")
"""Codes by which one batch can be the reason that a whole request is refused."""


class Aging(NamedTuple):
    """A batch to be resealed, with its members as the store gives them, and the epoch it goes to."""

    row: BatchRow
    members: list[Member]
    target: int

    @property
    def weight(self) -> Weight:
        return Weight(len(self.members), sum(1 for _, _, delta in self.members if delta))

    def request(self) -> protocol.Aging:
        deltas = [delta for _, _, delta in self.members]
        return protocol.Aging(
            deltas=b"".join(deltas) if any(deltas) else b"",
            epoch=self.row.epoch,
            expires=self.row.expires,
            members=b"".join(_places(self.members)),
            sealed=self.row.sealed,
        )


class Outcome(NamedTuple):
    """``kept``: None where the secret is the one it was; otherwise the members that stay, none where all were erased."""

    sealed: bytes
    kept: list[Member] | None
    dropped: list[Member]


def _places(members: Sequence[Member]) -> list[bytes]:
    return places([handle for handle, _, _ in members], [version for _, version, _ in members])


def outcome(members: Sequence[Member], aged: protocol.Aged) -> Outcome:
    """What the keyholder's answer means for a batch of these members. Raises ``FormatError`` for one that means nothing."""
    asked = dict(zip(_places(members), members, strict=True))
    if not aged.members and not aged.deltas:
        if not aged.sealed:
            return Outcome(b"", [], list(members))
        if len(aged.sealed) == batch.SEALED_SIZE:
            return Outcome(aged.sealed, None, [])
    stay, deltas = split(aged.members, 20), split(aged.deltas, 32)
    if len(stay) != len(deltas) or stay != sorted(set(stay)) or len(aged.sealed) != batch.SEALED_SIZE:
        raise FormatError("resealed batch: its members are not sorted, each with a delta, under one secret")
    if not asked.keys() > set(stay):
        raise FormatError("resealed batch: its members are not some of those that were asked for")
    kept = [(*asked[place][:2], delta) for place, delta in zip(stay, deltas, strict=True)]
    left = set(stay)
    return Outcome(aged.sealed, kept, [member for place, member in asked.items() if place not in left])


@dataclass
class Tally:
    """``batches`` were resealed, ``removed`` versions of erased records went on the way. ``strangers``: records that the vault
    had not had erased itself, as after it was restored from an older copy, and that are withdrawn because its operator says so. ``problems``: what was left as it was, and why."""

    batches: int = 0
    removed: int = 0
    strangers: int = 0
    problems: list[str] = field(default_factory=list)


class Resealer:
    """Of one holding. ``advance`` is told after each batch."""

    def __init__(self, room: Room, holding: str, days: KeyDays, advance: Callable[[], None]) -> None:
        self._room, self._holding, self._days, self._advance = room, holding, days, advance
        self._number = room.holding(holding)
        self._removals = Removals(room.directory, holding)
        self._key = Ed25519PublicKey.from_public_bytes(room.rules().charter.keyholder.message)
        self.tally = Tally()

    def reseal(self, batches: Iterator[BatchRow], facts: schedule.Facts) -> None:
        """All of them, in as few requests as the bounds allow. Raises ``KeyholderUnavailable``, ``StoreError``, ``Refused``, ``LedgerError``
        for what is no single batch's: what came before is stored, and the same call goes on."""
        for group in self._groups(batches, facts):
            self._group(group)

    def withdraw_erased(self, batches: Iterator[BatchRow], facts: schedule.Facts, believed: Collection[int]) -> bool:
        """Find out which records of these batches the keyholder calls erased by the entries ``believed``, by having the batches resealed
        for nothing, and withdraw them. Whether all could be looked through. Raises as ``reseal``."""
        problems = len(self.tally.problems)
        for group in self._groups(batches, facts):
            dropped = sorted(self._claimed(group))
            for start in range(0, len(dropped), certificate.MOST):
                word = certificate.word(
                    self._room, self._holding, dropped[start : start + certificate.MOST], self._days
                )
                self._removals.check(word)
                found = [one.handle for one in word.records if one.entry in believed]
                self._room.store.withdraw(self._number, found)
                self.tally.strangers += len(found)
        return len(self.tally.problems) == problems

    def _claimed(self, group: Sequence[Aging]) -> set[bytes]:
        """The living of these records that the keyholder leaves out."""
        try:
            handles = {handle for found in self._ask(group) for handle, _, _ in found.dropped}
        except (Refused, FormatError, ProofError) as error:
            if isinstance(error, Refused) and error.code not in _OF_A_BATCH:
                raise
            if len(group) > 1:
                return set().union(*(self._claimed(group[part]) for part in schedule.halves(group)))
            self.tally.problems.append(
                f"batch {group[0].row.batch.hex()} of {self._holding} was not looked through: {error}"
            )
            return set()
        return set(self._room.store.latest_versions(self._number, handles))

    def _groups(self, batches: Iterator[BatchRow], facts: schedule.Facts) -> Iterator[list[Aging]]:
        groups: dict[int, list[Aging]] = {}
        for row in batches:
            target = facts.target(Life(row.epoch, row.expires))
            one = Aging(row, self._room.store.members(row.batch), target)
            group = groups.setdefault(target, [])
            if not schedule.fits([each.weight for each in group], one.weight):
                yield group
                group = groups[target] = []
            group.append(one)
        yield from groups.values()

    def _group(self, group: Sequence[Aging]) -> None:
        try:
            outcomes = self._ask(group)
            self._prove(group, outcomes)
            self._believe(group, outcomes)
        except (Refused, FormatError, ProofError) as error:
            if isinstance(error, Refused) and error.code not in _OF_A_BATCH:
                raise
            if len(group) > 1:
                # One of them is the reason. The others must not miss their day for it.
                for part in schedule.halves(group):
                    self._group(group[part])
                return
            self._left(group[0], str(error))
            return
        for one, found in zip(group, outcomes, strict=True):
            self._store(one, found)

    def _left(self, one: Aging, why: str) -> None:
        day = epoch_text(one.row.epoch)
        self.tally.problems.append(
            f"batch {one.row.batch.hex()} of {self._holding} stays sealed to a key that is destroyed on {day}: {why}"
        )
        self._advance()

    def _ask(self, group: Sequence[Aging]) -> list[Outcome]:
        target, room = group[0].target, self._room
        request = encode(
            protocol.Reseal(
                **room.common(), batches=[one.request() for one in group], epoch=target, holding=self._holding
            )
        )
        answer = protocol.resealed.parse(room.client.send("/v1/reseal", request))
        holding_id = room.keys.holding(self._holding).holding
        message = protocol.reseal_message(room.keys.room, holding_id, target, request, answer.batches)
        try:
            self._key.verify(answer.signature, message)
        except InvalidSignature:
            raise ProofError("the resealed batches are not signed by the keyholder") from None
        if len(answer.batches) != len(group):
            raise FormatError("the keyholder's answer has not one batch for each that was asked for")
        return [outcome(one.members, aged) for one, aged in zip(group, answer.batches, strict=True)]

    def _prove(self, group: Sequence[Aging], outcomes: Sequence[Outcome]) -> None:
        """Have the keyholder show that it opens what it gave, before that is all there is. Raises ``ProofError``."""
        rows = []
        for one, found in zip(group, outcomes, strict=True):
            if found.kept is None:
                rows.append((one.row.sealed, one.row.epoch, one.row.expires, one.row.members))
            if found.sealed:
                rows.append((found.sealed, one.target, one.row.expires, _members(one, found)))
        if not rows:
            return
        request = protocol.Held(
            **self._room.common(),
            batches=[row[0] for row in rows],
            epochs=[row[1] for row in rows],
            expires=[row[2] for row in rows],
            holding=self._holding,
            members=b"".join(row[3] for row in rows),
        )
        answer = protocol.held_proofs.parse(self._room.client.call("/v1/held", request))
        proofs = iter(split(answer.proofs, 32))
        for found in outcomes:
            before = next(proofs, None) if found.kept is None else b""
            after = next(proofs, None) if found.sealed else b""
            if before is None or after is None or (before and before != after):
                raise ProofError("the keyholder does not show that it can open the resealed batch")

    def _believe(self, group: Sequence[Aging], outcomes: Sequence[Outcome]) -> None:
        """Every row that was left out must be of a record that was erased, as this vault asked. Raises ``Refused``, ``LedgerError``."""
        epochs: dict[bytes, set[int]] = {}
        for one, found in zip(group, outcomes, strict=True):
            for handle, _, _ in found.dropped:
                epochs.setdefault(handle, set()).add(one.row.epoch)
        handles = sorted(epochs)
        for start in range(0, len(handles), certificate.MOST):
            part = handles[start : start + certificate.MOST]
            word = certificate.word(self._room, self._holding, part, self._days)
            # Nothing finds them any more where the vault itself had them erased, unless that was a moment ago.
            living = self._room.store.latest_versions(self._number, part)
            own = {erased.entry: self._asked(erased.entry) for erased in word.records if erased.handle in living}
            for erased in word.records:
                known = erased.handle not in living or erased.handle in own[erased.entry]
                named = {*erased.pending, *erased.destroyed}
                # A key that the erasure does not name would outlive the day on which it is called final; but one that was made later
                # never opened the record for anybody.
                left = epochs[erased.handle] - named
                if left and (not known or min(left) <= max(named, default=0)):
                    raise ProofError(f"entry {erased.entry} leaves out a key that an erased record is sealed to")
                if not known:
                    raise ProofError(
                        f"entry {erased.entry} of the ledger has one of its records erased, which this vault did not ask for "
                        f"(strongroom upkeep --believe-erasures {erased.entry}, once you know that it was asked for)"
                    )
            self._removals.keep(word)
            self._room.store.withdraw(self._number, living)

    def _asked(self, index: int) -> set[bytes]:
        item = entry.parse(self._room.mirror.entry(index))
        return erasures.asked(self._room, item) if isinstance(item, entry.ErasureEntry) else set()

    def _store(self, one: Aging, found: Outcome) -> None:
        self._room.store.put_resealed(one.row.batch, one.target, _members(one, found), found.sealed, found.kept)
        self.tally.batches += 1
        self.tally.removed += len(found.dropped)
        self._advance()


def _members(one: Aging, found: Outcome) -> bytes:
    return one.row.members if found.kept is None else batch.members(_places(found.kept))
