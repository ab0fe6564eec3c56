"""A purpose as the custodian writes it (SPEC.md section 6.7)."""

from __future__ import annotations

from functools import partial
from typing import get_args

from strongroom.catalog.model import Action, Countersign, Mask, Purpose, PurposeBudgets, Test
from strongroom.catalog.source_members import U24, Members, Path
from strongroom.catalog.yamltree import Node


def purpose(on: Members, at: Path, node: Node) -> Purpose:
    """The purpose at ``at``. Raises ``CatalogError``."""
    wanted = ("about", "lawful-basis", "actions", "roles", "units", "reads")
    optional = ("find-by", "checks", "history", "held", "tells", "most", "countersign", "budgets")
    found = on.members(at, node, "a purpose", wanted, optional)
    read, budgets, finds, checks = on.read, found.get("budgets"), found.get("find-by"), found.get("checks")
    countersign, most = found.get("countersign"), found.get("most")

    def flag(member: str) -> bool:
        return member in found and read.flag(found[member], member)

    action = on.choice(*get_args(Action))
    return Purpose(
        about=read.text(found["about"], "about"),
        lawful_basis=read.text(found["lawful-basis"], "lawful-basis"),
        actions=[action(item, "an action") for item in read.items(found["actions"], "actions")],
        roles=[on.name(item, "a role") for item in read.items(found["roles"], "roles")],
        units=[on.name(item, "a unit") for item in read.items(found["units"], "units")],
        reads=on.named((*at, "reads"), found["reads"], "a holding", partial(_reads, on)),
        finds={} if finds is None else on.named((*at, "find-by"), finds, "a holding", partial(_kinds, on)),
        checks={} if checks is None else on.named((*at, "checks"), checks, "a holding", partial(_checks, on)),
        history=flag("history"),
        held=flag("held"),
        tells=flag("tells"),
        most=0 if most is None else read.number(most, "most", U24),
        countersign=Countersign(roles=[], units=[])
        if countersign is None
        else _countersign(on, (*at, "countersign"), countersign),
        budgets=PurposeBudgets(reader=[], unit=[], record=[], purpose=[])
        if budgets is None
        else _budgets(on, (*at, "budgets"), budgets),
    )


def _reads(on: Members, at: Path, node: Node) -> dict[str, Mask]:
    mask = on.choice(*get_args(Mask))
    return on.named(at, node, "a field", lambda _, found: mask(found, "a mask"))


def _kinds(on: Members, at: Path, node: Node) -> list[str]:
    return sorted(on.read.texts(node, "kinds of identifier"))


def _checks(on: Members, at: Path, node: Node) -> dict[str, list[Test]]:
    test = on.choice(*get_args(Test))
    return on.named(
        at,
        node,
        "a field",
        lambda _, found: sorted(test(item, "a test") for item in on.read.items(found, "tests")),
    )


def _countersign(on: Members, at: Path, node: Node) -> Countersign:
    found = on.members(at, node, "countersign", ("roles", "units"))
    return Countersign(
        roles=[on.name(item, "a role") for item in on.read.items(found["roles"], "roles")],
        units=[on.name(item, "a unit") for item in on.read.items(found["units"], "units")],
    )


def _budgets(on: Members, at: Path, node: Node) -> PurposeBudgets:
    members = ("reader", "unit", "record", "purpose")
    found = on.members(at, node, "budgets", (), members)
    rates = {member: on.read.texts(rates, member) for member, rates in found.items()}
    return PurposeBudgets(**{member: rates.get(member, []) for member in members})
