"""What the referee remembers of the year: which records there are, until when, and what marks each person must find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from strongroom.catalog.model import Holding
from strongroom.seal.epoch import NEVER

MARKERS = {
    "residents": "id-number",
    "incidents": "incident",
    "calls": "cell",
    "health-codes": "laboratory",
    "posts": "post",
}
"""Of each holding the field whose value no two records share: by it the referee knows a record again."""

Values = dict[str, str]


@dataclass
class Kept:
    """One record. ``expires`` and ``final`` are days: from when nothing of it may open; ``final`` of an erasure."""

    holding: str
    values: Values
    expires: int
    final: int = NEVER
    erased: bool = False

    @property
    def marker(self) -> str:
        return self.values[MARKERS[self.holding]]

    def state(self, today: int) -> str:
        """``living``, ``erased`` (refused, and not final yet) or ``gone``."""
        if self.expires <= today or (self.erased and self.final <= today):
            return "gone"
        return "erased" if self.erased else "living"


@dataclass
class Truth:
    """``marks``: (holding, identifier field, value) -> how many entries have a tag of that person's chain."""

    holdings: dict[str, Holding]
    records: dict[tuple[str, str], Kept] = field(default_factory=dict)
    marks: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, holding: str, rows: Iterable[Values], expires: int) -> list[Kept]:
        found = [Kept(holding, dict(row), expires) for row in rows]
        self.records |= {(holding, one.marker): one for one in found}
        return found

    def living(self, holding: str) -> list[Kept]:
        return [one for one in self.records.values() if one.holding == holding and not one.erased]

    def found(self, holding: str, field_: str, value: str) -> None:
        """Somebody was looked for."""
        self.marks[holding, field_, value] += 1

    def opened(self, kept: Kept, fields: Collection[str]) -> None:
        """An entry about this record, in the compartments of these fields."""
        declared = self.holdings[kept.holding]
        compartments = {declared.fields[name].compartment for name in fields}
        people = {(one, kept.values.get(one, "")) for c in compartments if (one := declared.compartments[c].person)}
        # Who has two parts in it has two marks: one less would tell everybody.
        for name, value in people:
            if value:
                self.marks[kept.holding, self._first(declared, name), value] += 1

    def count(self, holding: str, field_: str, value: str) -> int:
        return self.marks[holding, self._first(self.holdings[holding], field_), value]

    @staticmethod
    def _kind(declared: Holding, name: str) -> str:
        kind = declared.fields[name].type
        return f"{kind}:{name}" if kind in ("text", "number") else kind

    def _first(self, declared: Holding, name: str) -> str:
        """One field for all of its kind: whoever calls and is called has one chain."""
        kind = self._kind(declared, name)
        return min(
            one for one, f in declared.fields.items() if f.identifier == "primary" and self._kind(declared, one) == kind
        )
