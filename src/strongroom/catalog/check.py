"""What is wrong with a source, and what is allowed but should be known before it is signed (SPEC.md section 6.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from strongroom.catalog.model import Holding, Purpose
from strongroom.catalog.source import Source
from strongroom.catalog.types import identifier_kinds, kind, primary, width
from strongroom.catalog.validate import Problem, problems

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
        yield from _of_holding(("holdings", name), name, holding, source)
    for name, purpose in source.purposes.items():
        yield from _of_purpose(("purposes", name), purpose, source)


def _of_holding(at: tuple[str, ...], name: str, holding: Holding, source: Source) -> Iterator[Problem]:
    if primary(holding) is None:
        text = "no field is a primary identifier, so nobody can find out who read their record"
        yield Problem((*at, "fields"), text, "Make the field that names the person identifier: primary")
    named = primary(holding)
    if named is not None and not holding.fields[named].required:
        text = "records without this value are on nobody's chain: no person finds the reads of them"
        yield Problem((*at, "fields", named), text, "Add required: true, or say in about why it may be missing")
    for compartment, found in holding.compartments.items():
        most = _widest(holding, compartment)
        if found.floor < most:
            text = f"values up to {most} bytes do not fit the floor of {found.floor}, so a long one shows by its size"
            mend = f"Raise floor to {-(-most // 64) * 64}, lower max of its fields, or split it"
            yield Problem((*at, "compartments", compartment), text, mend)
    reads = [purpose for purpose in source.purposes.values() if name in purpose.reads]
    if not any("intake" in purpose.actions for purpose in reads):
        yield Problem(at, "no purpose has the action intake here, so nothing can be indexed", "Add one, for registrars")
    for field in holding.fields:
        if not any(field in purpose.reads[name] for purpose in reads):
            mend = "Data that nobody needs is best not held; drop it unless an identifier needs it"
            yield Problem((*at, "fields", field), "no purpose reads this field", mend)


def _of_purpose(at: tuple[str, ...], purpose: Purpose, source: Source) -> Iterator[Problem]:
    budgets = purpose.budgets
    if not (budgets.reader or budgets.unit or budgets.purpose):
        yield Problem(at, "this purpose has no budget", "Add budgets: reader: [20/minute, 200/day]")
    elif not budgets.reader and "intake" not in purpose.actions:
        text = "no budget per reader: one rented login may use up what is meant for all"
        yield Problem((*at, "budgets"), text, "Add reader: [20/minute, 200/day]")
    for name, kinds in purpose.finds.items():
        fields, reads = source.holdings[name].fields, purpose.reads[name]
        shown = {kind(field, fields[field]) for field in reads}
        for found, named in identifier_kinds(source.holdings[name]).items():
            if (
                found in kinds
                and reads
                and found not in shown
                and all(fields[f].identifier == "secondary" for f in named)
            ):
                text = f"it finds people by {found}, which it does not read: whoever has one learns whose it is"
                yield Problem((*at, "find-by", name), text, "Leave it out unless the purpose is to learn that")
    for name, masks in purpose.reads.items():
        holding = source.holdings[name]
        opened = {holding.fields[field].compartment for field in masks}
        for compartment in sorted(opened):
            hidden = [
                f"{field} ({masks[field]})" if field in masks else field
                for field, found in holding.fields.items()
                if found.compartment == compartment and masks.get(field) != "clear"
            ]
            if hidden:
                text = f"it opens the compartment {compartment}, yet hides {', '.join(hidden)}"
                mend = "Only an honest vault hides them; what must stay sealed needs a compartment of its own"
                yield Problem((*at, "reads", name), text, mend)


def _widest(holding: Holding, compartment: str) -> int:
    """Bytes of the longest plaintext (SPEC.md 3.5) with the byte that ends it; quotes in values aside."""
    widest = {name: "x" * width(field) for name, field in holding.fields.items() if field.compartment == compartment}
    return len(json.dumps(widest, separators=(",", ":"))) + 1
