"""What should be known of one holding before it is signed: persons, sizes, and what no purpose needs or guards."""

from __future__ import annotations

import json
from collections.abc import Iterator

from strongroom.catalog.model import Holding
from strongroom.catalog.problem import Path, Problem
from strongroom.catalog.source import Source
from strongroom.catalog.types import primaries, width
from strongroom.catalog.validate_holding import MAX_FLOOR

_LONG_ROTATION = 90


def warnings(at: Path, name: str, holding: Holding, source: Source) -> Iterator[Problem]:
    """All warnings of the holding ``name`` at ``at``."""
    yield from _persons(at, holding, source)
    if holding.rotation > _LONG_ROTATION:
        text = f"keys live up to {2 * holding.rotation} days, and only then is an erasure final"
        yield Problem((*at, "rotation"), text, "30d is usual")
    for compartment, found in holding.compartments.items():
        here, most = (*at, "compartments", compartment), _widest(holding, compartment)
        if found.floor < most:
            floor = -(-most // 64) * 64
            raised = f"Raise floor to {floor}, l" if floor <= MAX_FLOOR else "L"
            text = f"values up to {most} bytes do not fit the floor of {found.floor}, so a long one shows by its size"
            yield Problem(here, text, f"{raised}ower max of its fields, or split it")
    purposes = [purpose for purpose in source.purposes.values() if name in purpose.reads]
    if not any("intake" in purpose.actions for purpose in purposes):
        yield Problem(at, "no purpose has the action intake here, so nothing can be indexed", "Add one, for registrars")
    for field in holding.fields:
        if not any(field in purpose.reads[name] or field in purpose.checks.get(name, ()) for purpose in purposes):
            mend = "Data that nobody needs is best not held; drop it unless an identifier needs it"
            yield Problem((*at, "fields", field), "no purpose reads this field", mend)
    yield from _organs(name, source)


def _persons(at: Path, holding: Holding, source: Source) -> Iterator[Problem]:
    persons = primaries(holding)
    if not persons:
        text = "no field is a primary identifier, so nobody can find out who read their record"
        yield Problem((*at, "fields"), text, "Make the field that names the person identifier: primary")
        return
    unnamed = [name for name in persons if not holding.fields[name].required]
    if unnamed:
        text = f"whoever a record does not name by {', '.join(unnamed)} is unidentified: they cannot find its reads"
        mend = "Add required: true, or say in about why it may be missing"
        yield Problem((*at, "fields", unnamed[0]), text, mend)
    for name, compartment in holding.compartments.items():
        here = (*at, "compartments", name)
        if not compartment.person and (*here, "person") not in source.lines:
            text = "it is about nobody, since the holding has several persons: nobody finds the reads of it"
            yield Problem(here, text, f"Say whose it is, such as person: {persons[0]}, or person: nobody")


def _organs(name: str, source: Source) -> Iterator[Problem]:
    """Where one purpose writes with two signatures, another that writes with one is the way around it."""
    writing = {
        called: purpose
        for called, purpose in source.purposes.items()
        if name in purpose.reads and {"intake", "correct"} & set(purpose.actions)
    }
    two = sorted(called for called, purpose in writing.items() if purpose.countersign.roles)
    if not two:
        return
    for called, purpose in writing.items():
        if not purpose.countersign.roles:
            text = f"one signature writes to {name} what {', '.join(two)} may only with two"
            yield Problem(("purposes", called), text, "Add countersign, or say in about why one is enough")


def _widest(holding: Holding, compartment: str) -> int:
    """Bytes of the longest plaintext (SPEC.md 3.5) with the byte that ends it; quotes in values aside."""
    widest = {name: "x" * width(field) for name, field in holding.fields.items() if field.compartment == compartment}
    return len(json.dumps(widest, separators=(",", ":"))) + 1
