"""What should be known of one purpose before it is signed: what bounds it, and what it tells beyond what it shows."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.catalog.model import Action, Field, Purpose
from strongroom.catalog.problem import Path, Problem
from strongroom.catalog.source import Source
from strongroom.catalog.types import identifier_kinds, kind

_LARGE_EXPORT = 1000
_SHOWING: frozenset[Action] = frozenset({"disclose", "export"})
# What a login without bounds could do by an action, beyond reading.
_UNBOUNDED: dict[Action, str] = {
    "correct": "overwrite the holding",
    "erase": "erase the holding",
    "export": "take the holding out",
}


def warnings(at: Path, purpose: Purpose, source: Source) -> Iterator[Problem]:
    """All warnings of the purpose at ``at``."""
    yield from _budgets(at, purpose)
    yield from _finds(at, purpose, source)
    yield from _checks(at, purpose, source)
    yield from _opens(at, purpose, source)
    yield from _corrects(at, purpose, source)
    if purpose.most > _LARGE_EXPORT:
        text = f"one ask takes out up to {purpose.most:,} records, and nobody can call them back"
        yield Problem((*at, "most"), text, f"Write {_LARGE_EXPORT:,} or less; a person's own export needs few")


def _budgets(at: Path, purpose: Purpose) -> Iterator[Problem]:
    budgets = purpose.budgets
    could = " and ".join(_UNBOUNDED[action] for action in purpose.actions if action in _UNBOUNDED)
    if not (budgets.reader or budgets.unit or budgets.purpose):
        text = "this purpose has no budget" + (f": one login could {could}" if could else "")
        yield Problem(at, text, "Add budgets: reader: [20/minute, 200/day]")
    elif not budgets.reader and "intake" not in purpose.actions:
        text = "no budget per reader: one rented login may use up what is meant for all"
        yield Problem((*at, "budgets"), text, "Add reader: [20/minute, 200/day]")
    if "check" in purpose.actions and not budgets.record:
        text = "no budget per record: whoever may ask again and again guesses the value from the answers"
        yield Problem((*at, "budgets"), text, "Add record: [5/day]")


def _finds(at: Path, purpose: Purpose, source: Source) -> Iterator[Problem]:
    if not _SHOWING & set(purpose.actions):
        return
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


def _checks(at: Path, purpose: Purpose, source: Source) -> Iterator[Problem]:
    for name, checks in purpose.checks.items():
        for field, tests in checks.items():
            few = _few(source.holdings[name].fields[field])
            if "matches" in tests and few and purpose.reads[name].get(field) != "clear":
                text = f"matches on {field} tells it to whoever asks often enough: it has {few}"
                mend = "Keep the budget per record far below that, or use another test"
                yield Problem((*at, "checks", name, field), text, mend)


def _few(field: Field) -> str:
    if field.type == "enum":
        return f"only {len(field.values)} values"
    return "some 40,000 values, and a few hundred for whoever knows the age" if field.type == "date" else ""


def _opens(at: Path, purpose: Purpose, source: Source) -> Iterator[Problem]:
    if not _SHOWING & set(purpose.actions):
        return
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


def _corrects(at: Path, purpose: Purpose, source: Source) -> Iterator[Problem]:
    if "correct" not in purpose.actions:
        return
    for name in purpose.reads:
        indexed = identifier_kinds(source.holdings[name])
        helping = any(
            "intake" in one.actions
            and name in one.reads
            and set(one.roles) & set(purpose.roles)
            and set(one.units) & set(purpose.units)
            for one in source.purposes.values()
        )
        if indexed and not helping:
            text = f"whoever corrects {name} may not index its identifiers anew, so that no correction succeeds"
            yield Problem((*at, "actions"), text, "Add intake, with a budget for the identifiers of a few records")
