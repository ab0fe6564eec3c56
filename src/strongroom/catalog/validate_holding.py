"""What must hold within one holding: its days, compartments, persons and fields (SPEC.md sections 6.2 and 6.4)."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers

from strongroom.catalog.model import Field, Holding
from strongroom.catalog.pattern import compile_pattern
from strongroom.catalog.problem import Path, Problem, one_of, repeats, stated
from strongroom.catalog.text import clean
from strongroom.catalog.types import MAX_PATTERN_BYTES, TYPES, primaries
from strongroom.errors import FormatError, ValueRejected

MAX_COMPARTMENTS = 64
MAX_FIELDS = 256
MAX_FLOOR = 524_288
MAX_RETENTION_DAYS = 150 * 365
MAX_ROTATION_DAYS = 366


def problems(at: Path, holding: Holding) -> Iterator[Problem]:
    """Everything wrong with the holding at ``at``."""
    yield from stated(at, holding.about, holding.lawful_basis)
    if holding.retention > MAX_RETENTION_DAYS:
        mend = "Write a retention such as 10y, or open-ended"
        yield Problem((*at, "retention"), "longer than 150 years", mend)
    if not 1 <= holding.rotation <= MAX_ROTATION_DAYS:
        mend = "Write a rotation such as 30d: an erasure is final within two of them"
        yield Problem((*at, "rotation"), "not between a day and 366 days", mend)
    yield from _compartments((*at, "compartments"), holding)
    if not 1 <= len(holding.fields) <= MAX_FIELDS:
        yield Problem((*at, "fields"), f"want 1 to {MAX_FIELDS} fields", "Declare what is held")
    for name, field in holding.fields.items():
        here = (*at, "fields", name)
        compartment = holding.compartments.get(field.compartment)
        if compartment is None:
            mend = one_of(holding.compartments)
            yield Problem((*here, "compartment"), f"there is no compartment {field.compartment}", mend)
        elif field.identifier == "primary" and compartment.person != name:
            # Whoever opens the compartment must be able to hold its person against the value there (SPEC 8.2).
            whom = compartment.person or "nobody"
            problem = f"it is a primary identifier, but its compartment {field.compartment} is about {whom}"
            mend = f"Give the compartment person: {name}, or keep the field in one that has it"
            yield Problem((*here, "compartment"), problem, mend)
        yield from _field(here, field)
        yield from _needs((*here, "needs"), name, field, holding)


def _compartments(at: Path, holding: Holding) -> Iterator[Problem]:
    if not 1 <= len(holding.compartments) <= MAX_COMPARTMENTS:
        yield Problem(at, f"want 1 to {MAX_COMPARTMENTS} compartments", "Group the fields anew")
    numbers: dict[int, str] = {}
    persons = primaries(holding)
    for name, compartment in holding.compartments.items():
        here = (*at, name)
        if compartment.number == 0:
            yield Problem(here, "0 is no compartment's number", "Number compartments from 1; a number is for ever")
        other = numbers.setdefault(compartment.number, name)
        if other != name:
            mend = "Give each a number of its own; a number is for ever"
            yield Problem(here, f"number {compartment.number} is already {other}'s", mend)
        if compartment.floor % 64 or not 64 <= compartment.floor <= MAX_FLOOR:
            yield Problem(here, f"the floor is not a multiple of 64 from 64 to {MAX_FLOOR}", "256 is usual")
        if compartment.person and compartment.person not in persons:
            mend = f"{one_of(persons)}, or nobody" if persons else "Write nobody, or declare the primary identifier"
            yield Problem((*here, "person"), f"{compartment.person} is no primary identifier", mend)
        if not any(field.compartment == name for field in holding.fields.values()):
            yield Problem(here, "no field is kept in this compartment", "Give it a field or leave it out")


def _field(at: Path, field: Field) -> Iterator[Problem]:
    found = TYPES.get(field.type)
    if found is None:
        yield Problem((*at, "type"), f"there is no field type {field.type}", one_of(TYPES))
        return
    if field.identifier != "none" and not found.identifier:
        mend = f"Only {', '.join(sorted(t for t, f in TYPES.items() if f.identifier))} can be"
        yield Problem((*at, "identifier"), f"a field of type {field.type} cannot be an identifier", mend)
    if field.max and not found.most:
        yield Problem((*at, "max"), f"the type {field.type} has a size of its own", "Leave max out")
    elif field.max > (most := MAX_PATTERN_BYTES if field.pattern else found.most):
        yield Problem((*at, "max"), f"such a field has at most {most:,} bytes", "Lower max")
    if field.pattern:
        if field.type not in ("text", "number"):
            yield Problem((*at, "pattern"), f"the type {field.type} has a form of its own", "Leave pattern out")
        try:
            compile_pattern(field.pattern)
        except FormatError as error:
            yield Problem((*at, "pattern"), str(error), "Write a simpler one, or none")
    if field.region and (field.type != "phone" or field.region not in phonenumbers.SUPPORTED_REGIONS):
        yield Problem((*at, "region"), "only a phone has a region: two capital letters such as CN", "Correct it")
    yield from _values((*at, "values"), field)


def _values(at: Path, field: Field) -> Iterator[Problem]:
    if field.type != "enum":
        if field.values:
            yield Problem(at, f"a {field.type} has no list of values", "Leave values out, or make the type enum")
        return
    if not 1 <= len(field.values) <= 256 or repeats(field.values):
        yield Problem(at, "want 1 to 256 different values", "List each once")
    for value in field.values:
        try:
            fits = 0 < len(value.encode()) <= TYPES["enum"].width and clean(value) == value
        except (ValueRejected, UnicodeEncodeError):
            fits = False
        if not fits:
            text = f"a value is empty, over {TYPES['enum'].width} bytes, has outer or double spaces or is not NFC"
            yield Problem(at, text, "Write it plainly")


def _needs(at: Path, name: str, field: Field, holding: Holding) -> Iterator[Problem]:
    if field.needs and field.type != "enum":
        yield Problem(at, f"a {field.type} has no values that could need anything", "Only an enum has needs")
        return
    for needed, values in field.needs.items():
        if needed not in holding.fields or needed == name:
            others = [other for other in holding.fields if other != name]
            yield Problem((*at, needed), f"there is no other field {needed}", one_of(others))
        if not values or repeats(values):
            yield Problem((*at, needed), "want at least one value that needs it, each once", one_of(field.values))
        for value in values:
            if value not in field.values:
                yield Problem((*at, needed), f"{value[:40]} is no value of {name}", one_of(field.values))
