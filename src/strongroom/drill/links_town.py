"""The same people in four holdings, taken in on several days, and the copies of the vault that a thief has of each (part of
``links``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from strongroom.custody import asking, check, export, read
from strongroom.drill import pages
from strongroom.drill.loot import Loot, steal
from strongroom.drill.stage import CASE, REASON, Stage
from strongroom.seal import body
from strongroom.seal.columns import split
from strongroom.store.rows import Stored
from strongroom.synth import people

HOLDINGS = ("residents", "patients", "health-codes", "calls")
TOGETHER = ("residents", "patients")
"""Holdings into which people are taken in one by one, in the one and then the other."""
GROUPS = (96, 12, 12, 12, 12)
"""So many people are taken in on each day, the same in each holding and in the same order: a thief's best case."""
SINGLES = 40
"""So many before that, on one day, one by one: the room is small then, and its rows lie on few pages."""
FIRST, LAST = "one by one", f"day {len(GROUPS)}"

_DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass
class Town:
    """``groups`` and ``singles``: people, by number. ``handles``: holding -> number -> record. ``copies``: of the vault, in turn."""

    stage: Stage
    rows: list[dict[str, str]] = field(repr=False)
    groups: list[range]
    singles: range
    copies: dict[str, Loot] = field(repr=False, default_factory=dict)
    handles: dict[str, dict[int, bytes]] = field(repr=False, default_factory=dict)

    def copy(self, name: str) -> None:
        """A backup of the vault, as it lies there."""
        self.copies[name] = steal(self.stage.root / "vault", self.path(name))

    def path(self, copy: str) -> Path:
        return self.stage.root / "thief" / copy

    def stored(self, holding: str, copy: str, group: Sequence[int]) -> list[Stored]:
        """Their records in a copy, in the order of the people."""
        found = {row.handle: row for row in self.copies[copy].records[holding]}
        return [found[self.handles[holding][one]] for one in group]


def build(stage: Stage) -> Town:
    """Days of one month, in which no holding's keys change: what a date tells then is more than it should."""
    rows = list(people.people(SINGLES + sum(GROUPS), 23))
    ends = [SINGLES + sum(GROUPS[: at + 1]) for at in range(len(GROUPS))]
    groups = [range(end - size, end) for end, size in zip(ends, GROUPS, strict=True)]
    town = Town(stage, rows, groups, range(SINGLES))
    _settle(stage)
    for one in town.singles:
        for holding in TOGETHER:
            stage.admit(holding, [_rows(town, one)[holding]])
    town.copy(FIRST)
    for day, group in enumerate(groups):
        stage.hands.wait(_DAY)
        _together(town, group)
        town.copy(f"day {day + 1}")
    for holding in HOLDINGS:
        numbers = [*(town.singles if holding in TOGETHER else ()), *(one for group in groups for one in group)]
        by_row = {one.number: handle for handle, one in stage.truth.items() if one.holding == holding}
        town.handles[holding] = {number: by_row[row] for row, number in enumerate(numbers)}
    return town


def _settle(stage: Stage) -> None:
    """Wait for such days."""
    declared = [stage.room.rules().charter.holdings[name] for name in TOGETHER]

    def dates(day: int) -> list[tuple[int, int, int]]:
        ends = [date.fromordinal(_EPOCH + day + one.retention) for one in declared]
        return [(end.year, end.month, day // one.rotation) for end, one in zip(ends, declared, strict=True)]

    while dates(today := stage.room.now() // _DAY) != dates(today + len(GROUPS) + 1):
        stage.hands.wait(_DAY)


def _rows(town: Town, number: int) -> dict[str, dict[str, str]]:
    one, other = town.rows[number], town.rows[number - 1]
    call = {"caller": one["phone"], "callee": other["phone"], "day": "2026-01-01", "seconds": str(60 + number)}
    return {
        "residents": one,
        "patients": {"id-number": one["id-number"], "name": one["name"], "blood": ("A", "B", "AB", "O")[number % 4]},
        "health-codes": {"id-number": one["id-number"], "code": "green"},
        "calls": call,
    }


def _together(town: Town, group: Sequence[int]) -> None:
    rows = [_rows(town, one) for one in group]
    for holding in HOLDINGS:
        own = [one[holding] for one in rows]
        if holding == "health-codes":
            town.stage.admit(holding, own, "set-code", "dora", ["odd"])
        else:
            town.stage.admit(holding, own)


def use(town: Town, number: int) -> int:
    """Look one person up in three holdings, read, ask and export. How many asks that were."""
    stage, why = town.stage, (CASE, REASON)
    known = {holding: town.handles[holding][number] for holding in HOLDINGS}
    one, room = town.rows[number], stage.room
    reads = (
        ("residents", "confirm", "ana", "resident-id", one["id-number"], ["name"]),
        ("health-codes", "contain", "dora", "resident-id", one["id-number"], ["code"]),
        ("calls", "trace-call", "dee", "phone", one["phone"], ["callee"]),
    )
    for holding, purpose, name, kind, value, fields in reads:
        read.find(room, stage.asker(name).find(holding, purpose, kind, value, *why, room.now()))
        read.disclose(room, stage.ask([known[holding]], fields, purpose, name, holding))
    asked = stage.asker().check(
        "residents", "ask-age", [known["residents"]], "phone", "matches", one["phone"], *why, room.now()
    )
    check.check(room, asked)
    path = stage.root / f"court-{number}.jsonl"
    wanted = export.Wanted(path, "jsonl", ("name",), (known["residents"],), None)
    export.export(room, stage.mandate("arno", "residents", "hand-over"), wanted)
    return 2 * len(reads) + 2


def erase(town: Town, number: int) -> None:
    """From two holdings, one after the other."""
    for holding in ("residents", "health-codes"):
        list(
            asking.erase(
                town.stage.room, town.stage.mandate("rui", holding, "close-record"), [town.handles[holding][number]]
            )
        )


# --- what a thief sees of them ------------------------------------------------------------------------------------------------
def seen(town: Town, holding: str, copy: str, group: Sequence[int]) -> dict[str, list[int]]:
    """Whatever of their records can be put in order, in a copy: name -> a number for each of them."""
    rows = town.stored(holding, copy, group)
    columns: dict[str, list[bytes]] = {"handle": [row.handle for row in rows]}
    for at, tokens in enumerate(zip(*(split(row.tokens, 16) for row in rows), strict=True)):
        columns[f"token {at + 1}"] = list(tokens)
    for slots in zip(*(body.parse(row.body) for row in rows), strict=True):
        for name, start, stop in (("nonce", 1, 13), ("check", 13, 29), ("text", 29, 45)):
            columns[f"{name} {slots[0].compartment}"] = [slot.blob[start:stop] for slot in slots]
        columns[f"w {slots[0].compartment}"] = [slot.masked for slot in slots]
    found = {name: [int.from_bytes(value) for value in values] for name, values in columns.items()}
    return found | places(town, copy, columns["handle"])


def places(town: Town, copy: str, needles: Sequence[bytes]) -> dict[str, list[int]]:
    """Where they stand in each file that has all of them."""
    found: dict[str, list[int]] = {}
    for name, data in town.copies[copy].files.items():
        if name == "vault.db":
            own = pages.places(town.path(copy) / name, data, needles)
            found |= {f"place in {table}": values for table, values in own.items()}
            continue
        offsets = [pages.all_of(data, needle) for needle in needles]
        for at in range(min(map(len, offsets))):
            found[f"place {at + 1} in {name}"] = [one[at] for one in offsets]
    return found
