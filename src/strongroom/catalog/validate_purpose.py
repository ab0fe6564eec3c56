"""What must hold within one purpose, and between it and the holdings it is for (SPEC.md section 6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from strongroom.catalog.model import OTHER, Action, Holding, Purpose
from strongroom.catalog.problem import Path, Problem, one_of, rates, repeats, stated
from strongroom.catalog.types import TYPES, identifier_kinds

MAX_EXPORT = 10_000

# Member -> the actions of which a purpose that has it must have one.
_ONLY_WITH: Mapping[str, tuple[Action, ...]] = {
    "history": ("disclose",),
    "held": ("disclose", "check", "export"),
    "tells": ("intake",),
    "most": ("export",),
}


def problems(at: Path, purpose: Purpose, holdings: Mapping[str, Holding]) -> Iterator[Problem]:
    """Everything wrong with the purpose at ``at``, in a charter with these ``holdings``."""
    yield from stated(at, purpose.about, purpose.lawful_basis)
    for member, names in (("actions", purpose.actions), ("roles", purpose.roles), ("units", purpose.units)):
        if not names or repeats(names):
            yield Problem((*at, member), "want at least one, each once", f"Name the {member} that this purpose is for")
    yield from _no_other((*at, "units"), purpose.units)
    yield from _reads((*at, "reads"), purpose, holdings)
    yield from _finds((*at, "find-by"), purpose, holdings)
    yield from _checks((*at, "checks"), purpose, holdings)
    for member, actions in _ONLY_WITH.items():
        if getattr(purpose, member) and not set(actions) & set(purpose.actions):
            problem = f"{member} says nothing where it may not {_or(actions)}"
            yield Problem((*at, member), problem, f"Add {_or(actions)} to actions, or leave {member} out")
    if "export" in purpose.actions and not 1 <= purpose.most <= MAX_EXPORT:
        problem = (
            f"it may export {purpose.most:,} records at once"
            if purpose.most
            else "it may export, and says not how many records"
        )
        yield Problem(
            (*at, "most"), problem, f"Write most: 1 to {MAX_EXPORT:,}; 1 where it is for one person's own record"
        )
    yield from _countersign((*at, "countersign"), purpose)
    budgets = purpose.budgets
    for member in ("reader", "unit", "record", "purpose"):
        yield from rates((*at, "budgets", member), getattr(budgets, member))


def _reads(at: Path, purpose: Purpose, holdings: Mapping[str, Holding]) -> Iterator[Problem]:
    wanting: tuple[Action, ...] = ("disclose", "correct", "export")
    may = [action for action in wanting if action in purpose.actions]
    if not purpose.reads:
        yield Problem(at, "no holding is named", "Name the holding; write {} where no field is read")
    if may and not any(purpose.reads.values()):
        mend = f"Name the fields, or leave {_or(may)} out"
        yield Problem(at, f"it may {_or(may)}, but no field is named", mend)
    if not may and any(purpose.reads.values()):
        mend = f"Add {_or(wanting)} to actions, or write {{}}"
        yield Problem(at, f"it names fields but may not {_or(wanting)}", mend)
    for name, reads in purpose.reads.items():
        holding = holdings.get(name)
        if holding is None:
            yield Problem((*at, name), f"there is no holding {name}", one_of(holdings))
            continue
        for field_name, mask in reads.items():
            field = holding.fields.get(field_name)
            here = (*at, name, field_name)
            if field is None:
                yield Problem(here, f"{name} has no field {field_name}", one_of(holding.fields))
            elif field.type in TYPES and mask not in TYPES[field.type].masks:
                yield Problem(here, f"{mask} does not fit the type {field.type}", one_of(TYPES[field.type].masks))


def _finds(at: Path, purpose: Purpose, holdings: Mapping[str, Holding]) -> Iterator[Problem]:
    if "find" in purpose.actions and not purpose.finds:
        mend = "Name the holding and its kinds of identifier, such as find-by: {residents: [resident-id]}"
        yield Problem(at, "it may find people, but by no kind of identifier", mend)
    if "find" not in purpose.actions and purpose.finds:
        yield Problem(at, "it names kinds of identifier but may not find", "Add find to actions, or leave find-by out")
    for name, kinds in purpose.finds.items():
        here = (*at, name)
        if name not in purpose.reads or name not in holdings:
            yield Problem(here, f"{name} is no holding of its reads", one_of(purpose.reads))
            continue
        known = identifier_kinds(holdings[name])
        if not kinds or kinds != sorted(set(kinds)):
            yield Problem(here, "want at least one kind of identifier, each once", one_of(known))
        for kind in kinds:
            if kind not in known:
                yield Problem(here, f"{name} has no identifier of kind {kind}", one_of(known))


def _checks(at: Path, purpose: Purpose, holdings: Mapping[str, Holding]) -> Iterator[Problem]:
    if "check" in purpose.actions and not any(purpose.checks.values()):
        mend = "Name the tests, such as checks: {residents: {born: [adult]}}"
        yield Problem(at, "it may check, but no test is named", mend)
    if "check" not in purpose.actions and purpose.checks:
        yield Problem(at, "it names tests but may not check", "Add check to actions, or leave checks out")
    for name, fields in purpose.checks.items():
        if name not in purpose.reads or name not in holdings:
            yield Problem((*at, name), f"{name} is no holding of its reads", one_of(purpose.reads))
            continue
        if not fields:
            yield Problem((*at, name), "want at least one field", "Name it, or leave the holding out of checks")
        for field_name, tests in fields.items():
            field, here = holdings[name].fields.get(field_name), (*at, name, field_name)
            if field is None:
                yield Problem(here, f"{name} has no field {field_name}", one_of(holdings[name].fields))
                continue
            if not tests or tests != sorted(set(tests)):
                yield Problem(here, "want at least one test, each once, in order", "Name it, such as [matches]")
            fitting = TYPES[field.type].tests if field.type in TYPES else frozenset(tests)
            for test in tests:
                if test not in fitting:
                    yield Problem(here, f"the test {test} does not fit the type {field.type}", one_of(fitting))


def _countersign(at: Path, purpose: Purpose) -> Iterator[Problem]:
    wanted = purpose.countersign
    if bool(wanted.roles) != bool(wanted.units) or repeats(wanted.roles) or repeats(wanted.units):
        yield Problem(at, "want roles and units, each once", "Say who countersigns, or leave countersign out")
    yield from _no_other((*at, "units"), wanted.units)
    for unit in purpose.units:
        if wanted.units == [unit]:
            problem = f"nobody can countersign for {unit}: the second signature is never of the asker's own unit"
            yield Problem((*at, "units"), problem, "Name another unit besides")


def _no_other(at: Path, units: Iterable[str]) -> Iterator[Problem]:
    if OTHER in units:
        yield Problem(at, f"{OTHER} is what the ledger calls a unit too small to name", "Rename the unit")


def _or(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
