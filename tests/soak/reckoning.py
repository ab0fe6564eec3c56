"""The end: do ledger, keyholder, vault's store and askers tell one story? Whatever does not fit is said in a line."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.soak.model import Act, Model

from strongroom.catalog.rate import parse_rate
from strongroom.custody.room import Room
from strongroom.errors import StrongroomError
from strongroom.gate.budget import MICRO
from strongroom.ledger import entry, note, proof

_KINDS: dict[str, type] = {
    "disclosure": entry.DisclosureEntry,
    "check": entry.CheckEntry,
    "find": entry.FindEntry,
    "correction": entry.CorrectionEntry,
    "erasure": entry.ErasureEntry,
    "intake": entry.IntakeEntry,
}


_WANTED: dict[str, Callable[[type], tuple[type, ...]]] = {
    "answered": lambda kind: (kind,),
    "refused": lambda _: (entry.RefusalEntry,),
    "doubt": lambda kind: (kind, entry.RefusalEntry),
    "cut": lambda _: (),
}


Buckets: TypeAlias = dict[str, tuple[int, int]]
"""Budget -> (level in micro-units, the time that it held at)."""


@dataclass(frozen=True)
class Begun:
    """Where the keyholder's book stood when the soak began."""

    size: int
    buckets: Buckets


def buckets(base: sqlite3.Connection) -> Buckets:
    return {key: (level, time) for key, level, time in base.execute("SELECT key, level, time FROM budgets")}


class Book:
    """The keyholder's book at the end."""

    def __init__(self, room: Path, begun: Begun) -> None:
        self.begun = begun
        with closing(sqlite3.connect(f"file:{room}/keyholder/keyholder.db?mode=ro", uri=True)) as base:
            self.entries = {int(index): bytes(data) for index, data in base.execute("SELECT idx, entry FROM entries")}
            self.buckets = buckets(base)
        self.of: dict[bytes, dict[int, entry.Entry]] = defaultdict(dict)
        """By the hash of the ask that an entry is for."""
        for index, data in self.entries.items():
            item = entry.parse(data)
            commitment: bytes | None = getattr(item, "commitment", None)
            if index >= begun.size and commitment is not None:
                self.of[commitment][index] = item
        self.start = min((item.time for held in self.of.values() for item in held.values()), default=0)


def entries(model: Model, book: Book) -> Iterator[str]:
    """As many as there were acts: one of each that was answered, or refused by an entry; one or none of each in doubt; none of what was
    cut; and none that nobody asked for."""
    for act in model.acts:
        held = book.of.get(act.hash, {})
        wanted = _WANTED[act.outcome](_KINDS[act.kind])
        fewest, most = _bounds(act)
        if not fewest <= len(held) <= most:
            yield f"{act.kind}, {act.outcome} {act.code}: {len(held)} entries, want {fewest} to {most}"
        if not all(isinstance(item, wanted) for item in held.values()):
            yield f"{act.kind}, {act.outcome} {act.code}: its entry is of another kind"
        if act.entries and act.entries != tuple(sorted(held)):
            yield f"{act.kind}: the asker was told of entries {act.entries}, and the book has {sorted(held)}"
    for commitment in book.of.keys() - {act.hash for act in model.acts}:
        yield f"entries {sorted(book.of[commitment])}: nobody asked for them"


def _bounds(act: Act) -> tuple[int, int]:
    """Fewest and most entries that an act may have."""
    if act.outcome == "cut":
        return 0, 0
    # A refusal that nobody was told the entry of may have none; nor has an intake beside a correction that indexes nothing anew.
    return (1 if act.entries else 0), 1


def receipts(model: Model, book: Book, room: Path) -> Iterator[str]:
    """Each that an asker holds proves its entry, under the log's key."""
    with closing(Room(room / "vault")) as opened:
        verifiers = [note.verifier(opened.anchors.log)]
    for act in model.acts:
        if not act.receipt:
            continue
        try:
            proof.verify(proof.parse(act.receipt), book.entries[act.entries[-1]], verifiers)
        except (StrongroomError, KeyError) as error:
            yield f"{act.kind}: its receipt does not hold: {error}"


def budgets(model: Model, book: Book) -> Iterator[str]:
    """What was taken out of each reader's bucket is what the ledger says that reader was given."""
    spent: Counter[tuple[str, str]] = Counter()
    for act in model.acts:
        if any(not isinstance(item, entry.RefusalEntry) for item in book.of.get(act.hash, {}).values()):
            spent[act.reader.hex(), act.purpose] += act.cost
    for (reader, purpose), cost in spent.items():
        mine = [key for key in book.buckets if key.startswith(f"reader:{reader}:{purpose}:")]
        if not mine:
            yield f"budget of {purpose}: {cost} were given, and nothing was taken out of it"
        for key in mine:
            rate, (level, time) = parse_rate(key.rpartition(":")[2]), book.buckets[key]
            # Full where it was never touched; then it refills from its first debit on, which is not before the soak.
            before, since = book.begun.buckets.get(key, (rate.count * MICRO, book.start))
            taken, refilled = (before - level) / MICRO, rate.count * (time - since) / rate.period
            if not cost - refilled - 1 <= taken <= cost:
                yield f"budget of {purpose}: {cost} were given, and {taken:.0f} are gone from it ({refilled:.0f} may have come back)"


def records(model: Model, room: Path) -> Iterator[str]:
    """The store has every record that somebody was told is here, and no more than those in doubt beside."""
    with closing(Room(room / "vault")) as opened:
        held = {row.handle for row in opened.store.records(opened.holding("residents"))}
    gone = model.erased | model.maybe_erased
    if missing := model.names.keys() - gone - held:
        yield f"records: {len(missing)} that were answered as stored are not in the store"
    if len(held - model.names.keys()) > model.maybe_stored:
        yield f"records: {len(held - model.names.keys())} are in the store that nobody stored; {model.maybe_stored} are in doubt"
