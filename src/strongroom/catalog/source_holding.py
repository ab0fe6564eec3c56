"""A holding as the custodian writes it: its compartments and fields (SPEC.md section 6.7)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from strongroom.catalog.model import Compartment, Field, Holding
from strongroom.catalog.source_members import U16, U24, Members, Path
from strongroom.catalog.yamltree import Node, Scalar

T = TypeVar("T")

FLOOR = 256
ROTATION = 30

OPEN_ENDED = "open-ended"  # as a holding's retention
NOBODY = "nobody"  # as a compartment's person


def holding(on: Members, at: Path, node: Node) -> Holding:
    """The holding at ``at``. Raises ``CatalogError``."""
    wanted = ("about", "lawful-basis", "retention", "compartments", "fields")
    found = on.members(at, node, "a holding", wanted, ("rotation",))
    fields = on.named((*at, "fields"), found["fields"], "a field", partial(_field, on))
    primaries = [name for name, field in fields.items() if field.identifier == "primary"]
    # Where a record is about one person, every compartment is, and need not say so.
    person = primaries[0] if len(primaries) == 1 else ""
    retention, rotation = found["retention"], found.get("rotation")
    return Holding(
        about=on.read.text(found["about"], "about"),
        lawful_basis=on.read.text(found["lawful-basis"], "lawful-basis"),
        retention=0
        if isinstance(retention, Scalar) and retention.text == OPEN_ENDED
        else on.read.duration(retention, "retention", "d"),
        rotation=ROTATION if rotation is None else on.read.duration(rotation, "rotation", "d"),
        compartments=on.named(
            (*at, "compartments"),
            found["compartments"],
            "a compartment",
            lambda path, each: _compartment(on, path, each, person),
        ),
        fields=fields,
    )


def _compartment(on: Members, at: Path, node: Node, only: str) -> Compartment:
    read = on.read
    if isinstance(node, Scalar):  # the short form: its number alone
        return Compartment(number=read.number(node, "a compartment's number", U16), floor=FLOOR, person=only)
    found = on.members(at, node, "a compartment", ("number",), ("floor", "person"))
    floor, person = found.get("floor"), found.get("person")
    about = only if person is None else read.text(person, "person")
    return Compartment(
        number=read.number(found["number"], "number", U16),
        floor=FLOOR if floor is None else read.number(floor, "floor", U24),
        person="" if about == NOBODY else about,
    )


def _field(on: Members, at: Path, node: Node) -> Field:
    read, optional = on.read, ("identifier", "required", "max", "values", "needs", "pattern", "region")
    found = on.members(at, node, "a field", ("type", "compartment"), optional)

    def or_else(member: str, read_as: Callable[[Node, str], T], default: T) -> T:
        return read_as(found[member], member) if member in found else default

    return Field(
        type=read.text(found["type"], "type"),
        compartment=read.text(found["compartment"], "compartment"),
        identifier=or_else("identifier", on.choice("none", "primary", "secondary"), "none"),
        required=or_else("required", read.flag, False),
        max=or_else("max", lambda n, what: read.number(n, what, U24), 0),
        values=or_else("values", read.texts, []),
        needs={} if "needs" not in found else _needs(on, (*at, "needs"), found["needs"]),
        pattern=or_else("pattern", read.text, ""),
        region=or_else("region", read.text, ""),
    )


def _needs(on: Members, at: Path, node: Node) -> dict[str, list[str]]:
    # Written by value, which may be any text; kept by field, since the document's keys are ASCII (SPEC.md 1.3).
    found: dict[str, list[str]] = {}
    for value, (line, fields) in on.read.free_table(node, "needs").items():
        for item in on.read.items(fields, "needs"):
            name = on.name(item, "a field")
            on.lines.setdefault((*at, name), line)
            found.setdefault(name, []).append(value)
    return found
