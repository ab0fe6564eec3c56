"""What is wrong with a source, and what is allowed but should be known before it is signed (SPEC.md section 6.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from strongroom.catalog import check_holding, check_purpose
from strongroom.catalog.problem import Problem
from strongroom.catalog.source import Source
from strongroom.catalog.validate import problems

_DAY = 86400
_FEW = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """``place`` is ``file:line``. A source with an error cannot be signed; a warning is the custodian's to weigh."""

    level: Literal["error", "warning"]
    place: str
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.level}: {self.problem}. {self.mend}"


def check(source: Source) -> list[Finding]:
    """All errors of ``source``; where there are none, all warnings."""
    errors = [Finding("error", source.place(found.path), found.text, found.mend) for found in problems(source)]
    if errors:
        return errors
    return [Finding("warning", source.place(found.path), found.text, found.mend) for found in _warnings(source)]


def _warnings(source: Source) -> Iterator[Problem]:
    if source.delay < _DAY:
        text = "a new charter takes effect within a day, before the public can look at it"
        yield Problem(("delay",), text, "A room with real people in it waits 72h")
    if source.merge_units_below < _FEW:
        yield Problem(
            ("merge-units-below",), "small units stand in the public ledger and may name their reader", "Write 3"
        )
    if not source.budgets.room:
        text = "no budget bounds the whole room: a taken-over vault may read as fast as all readers ask"
        yield Problem(("budgets",), text, "Add budgets: room: [...], a little above a busy day")
    for name, holding in source.holdings.items():
        yield from check_holding.warnings(("holdings", name), name, holding, source)
    for name, purpose in source.purposes.items():
        yield from check_purpose.warnings(("purposes", name), purpose, source)
