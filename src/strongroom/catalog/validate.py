"""What must hold between the members of a charter, beyond its schema (SPEC.md section 6.2).

Everything here is said once, for the custodian's source and for the signed document alike: a problem names the path of
members where it is, and the source turns the path into a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import phonenumbers

from strongroom.catalog import rules as cedar
from strongroom.catalog.model import OTHER, UNKNOWN, Field, Holding, Purpose, RoomBudgets
from strongroom.catalog.pattern import compile_pattern
from strongroom.catalog.rate import parse_rate
from strongroom.catalog.text import clean
from strongroom.catalog.types import MAX_BYTES, MAX_PATTERN_BYTES, TYPES, identifier_kinds
from strongroom.errors import FormatError, ValueRejected

MAX_COMPARTMENTS = 64
MAX_FIELDS = 256
MAX_RETENTION_DAYS = 150 * 365
MAX_SECONDS = 10 * 365 * 86400

ROOM_NAME = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


class Catalog(Protocol):
    """The part of a charter that a custodian writes; ``Charter`` and ``Source`` both have it."""

    @property
    def name(self) -> str: ...
    @property
    def delay(self) -> int: ...
    @property
    def heartbeat(self) -> int: ...
    @property
    def holdings(self) -> dict[str, Holding]: ...
    @property
    def purposes(self) -> dict[str, Purpose]: ...
    @property
    def budgets(self) -> RoomBudgets: ...
    @property
    def rules(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` is that of the member, such as ``("holdings", "residents", "fields", "born")``."""

    path: tuple[str, ...]
    text: str
    mend: str


def problems(catalog: Catalog) -> Iterator[Problem]:
    """Everything wrong with a catalog, in its own order."""
    if len(catalog.name) > 100 or not ROOM_NAME.fullmatch(catalog.name):
        yield Problem(("name",), "not a room's name", "Write one such as riverton.example, in lower case")
    if catalog.delay > MAX_SECONDS:
        yield Problem(("delay",), "longer than ten years", "Write a delay such as 72h")
    if not 1 <= catalog.heartbeat <= MAX_SECONDS:
        yield Problem(("heartbeat",), "not between a second and ten years", "Write a heartbeat such as 1h")
    if not catalog.holdings:
        yield Problem(("holdings",), "no holding is declared", "Declare what is held")
    for member, reserved in (("holdings", catalog.holdings), ("purposes", catalog.purposes)):
        if UNKNOWN in reserved:
            yield Problem((member, UNKNOWN), f"{UNKNOWN} is what the ledger calls what it does not know", "Rename it")
    for name, holding in catalog.holdings.items():
        yield from _holding(("holdings", name), holding)
    for name, purpose in catalog.purposes.items():
        yield from _purpose(("purposes", name), purpose, catalog.holdings)
    yield from _rates(("budgets", "room"), catalog.budgets.room)
    for name, rates in catalog.budgets.holdings.items():
        if name not in catalog.holdings:
            yield Problem(("budgets", "holdings", name), f"there is no holding {name}", _one_of(catalog.holdings))
        yield from _rates(("budgets", "holdings", name), rates)
    try:
        cedar.check(catalog.rules, cedar.schema(catalog.holdings, catalog.purposes))
    except FormatError as error:
        yield Problem(("rules",), str(error), "See docs of Cedar (docs.cedarpolicy.com) and SPEC.md 6.2")


def _holding(at: tuple[str, ...], holding: Holding) -> Iterator[Problem]:
    yield from _stated(at, holding)
    if not 1 <= holding.retention <= MAX_RETENTION_DAYS:
        yield Problem((*at, "retention"), "not between a day and 150 years", "Write a retention such as 10y")
    if not 1 <= len(holding.compartments) <= MAX_COMPARTMENTS:
        yield Problem((*at, "compartments"), f"want 1 to {MAX_COMPARTMENTS} compartments", "Group the fields anew")
    numbers: dict[int, str] = {}
    for name, compartment in holding.compartments.items():
        here = (*at, "compartments", name)
        if compartment.number == 0:
            yield Problem(here, "0 is no compartment's number", "Number compartments from 1; a number is for ever")
        other = numbers.setdefault(compartment.number, name)
        if other != name:
            mend = "Give each a number of its own; a number is for ever"
            yield Problem(here, f"number {compartment.number} is already {other}'s", mend)
        if compartment.floor % 64 or not 64 <= compartment.floor <= 32768:
            yield Problem(here, "the floor is not a multiple of 64 from 64 to 32768", "256 is usual")
        if not any(field.compartment == name for field in holding.fields.values()):
            yield Problem(here, "no field is kept in this compartment", "Give it a field or leave it out")
    if not 1 <= len(holding.fields) <= MAX_FIELDS:
        yield Problem((*at, "fields"), f"want 1 to {MAX_FIELDS} fields", "Declare what is held")
    first = ""
    for name, field in holding.fields.items():
        here = (*at, "fields", name)
        if field.compartment not in holding.compartments:
            mend = _one_of(holding.compartments)
            yield Problem((*here, "compartment"), f"there is no compartment {field.compartment}", mend)
        if field.identifier == "primary":
            if first:
                mend = "One field alone says who a record is about; make the other secondary"
                yield Problem((*here, "identifier"), f"{first} is the primary identifier already", mend)
            first = first or name
        yield from _field(here, field)


def _field(at: tuple[str, ...], field: Field) -> Iterator[Problem]:
    found = TYPES.get(field.type)
    if found is None:
        yield Problem((*at, "type"), f"there is no field type {field.type}", _one_of(TYPES))
        return
    if field.identifier != "none" and not found.identifier:
        mend = f"Only {', '.join(sorted(t for t, f in TYPES.items() if f.identifier))} can be"
        yield Problem((*at, "identifier"), f"a {field.type} cannot be an identifier", mend)
    if field.max and not found.sized:
        yield Problem((*at, "max"), f"a {field.type} has a size of its own", "Leave max out")
    most = MAX_PATTERN_BYTES if field.pattern else MAX_BYTES
    if field.max > most:
        yield Problem((*at, "max"), f"a field has at most {most:,} bytes", "Lower max")
    if field.pattern:
        if field.type not in ("text", "number"):
            yield Problem((*at, "pattern"), f"a {field.type} has a form of its own", "Leave pattern out")
        try:
            compile_pattern(field.pattern)
        except FormatError as error:
            yield Problem((*at, "pattern"), str(error), "Write a simpler one, or none")
    if field.region and (field.type != "phone" or field.region not in phonenumbers.SUPPORTED_REGIONS):
        yield Problem((*at, "region"), "only a phone has a region: two capital letters such as CN", "Correct it")
    yield from _values((*at, "values"), field)


def _values(at: tuple[str, ...], field: Field) -> Iterator[Problem]:
    if field.type != "enum":
        if field.values:
            yield Problem(at, f"a {field.type} has no list of values", "Leave values out, or make the type enum")
        return
    if not 1 <= len(field.values) <= 256 or len(set(field.values)) < len(field.values):
        yield Problem(at, "want 1 to 256 different values", "List each once")
    for value in field.values:
        try:
            fits = 0 < len(value.encode()) <= TYPES["enum"].width and clean(value) == value
        except (ValueRejected, UnicodeEncodeError):
            fits = False
        if not fits:
            text = f"a value is empty, over {TYPES['enum'].width} bytes, has outer or double spaces or is not NFC"
            yield Problem(at, text, "Write it plainly")


def _purpose(at: tuple[str, ...], purpose: Purpose, holdings: dict[str, Holding]) -> Iterator[Problem]:
    yield from _stated(at, purpose)
    for member, names in (("actions", purpose.actions), ("roles", purpose.roles), ("units", purpose.units)):
        if not names or len(set(names)) < len(names):
            yield Problem((*at, member), "want at least one, each once", f"Name the {member} that this purpose is for")
    if OTHER in purpose.units:
        yield Problem((*at, "units"), f"{OTHER} is what the ledger calls a unit too small to name", "Rename the unit")
    if not purpose.reads:
        yield Problem((*at, "reads"), "no holding is named", "Name the holding; write {} where no field is read")
    if "disclose" in purpose.actions and not any(purpose.reads.values()):
        yield Problem(
            (*at, "reads"), "it may disclose, but no field is named", "Name the fields, or leave disclose out"
        )
    if "disclose" not in purpose.actions and any(purpose.reads.values()):
        yield Problem((*at, "reads"), "it names fields but may not disclose", "Add disclose to actions, or write {}")
    for name, reads in purpose.reads.items():
        holding = holdings.get(name)
        if holding is None:
            yield Problem((*at, "reads", name), f"there is no holding {name}", _one_of(holdings))
            continue
        for field_name, mask in reads.items():
            field = holding.fields.get(field_name)
            here = (*at, "reads", name, field_name)
            if field is None:
                yield Problem(here, f"{name} has no field {field_name}", _one_of(holding.fields))
            elif field.type in TYPES and mask not in TYPES[field.type].masks:
                yield Problem(here, f"{mask} does not fit a {field.type}", _one_of(TYPES[field.type].masks))
    yield from _finds((*at, "find-by"), purpose, holdings)
    budgets = purpose.budgets
    for member, rates in (("reader", budgets.reader), ("unit", budgets.unit), ("purpose", budgets.purpose)):
        yield from _rates((*at, "budgets", member), rates)


def _finds(at: tuple[str, ...], purpose: Purpose, holdings: dict[str, Holding]) -> Iterator[Problem]:
    if "find" in purpose.actions and not purpose.finds:
        mend = "Name the holding and its kinds of identifier, such as find-by: {residents: [resident-id]}"
        yield Problem(at, "it may find people, but by no kind of identifier", mend)
    if "find" not in purpose.actions and purpose.finds:
        yield Problem(at, "it names kinds of identifier but may not find", "Add find to actions, or leave find-by out")
    for name, kinds in purpose.finds.items():
        here = (*at, name)
        if name not in purpose.reads or name not in holdings:
            yield Problem(here, f"{name} is no holding of its reads", _one_of(purpose.reads))
            continue
        known = identifier_kinds(holdings[name])
        if not kinds or kinds != sorted(set(kinds)):
            yield Problem(here, "want at least one kind of identifier, each once", _one_of(known))
        for kind in kinds:
            if kind not in known:
                yield Problem(here, f"{name} has no identifier of kind {kind}", _one_of(known))


def _stated(at: tuple[str, ...], stated: Holding | Purpose) -> Iterator[Problem]:
    for member, text in (("about", stated.about), ("lawful-basis", stated.lawful_basis)):
        if not text.strip() or len(text) > 1000:
            yield Problem((*at, member), "want 1 to 1,000 characters", "Say it in a sentence: the public reads it")


def _rates(at: tuple[str, ...], rates: Sequence[str]) -> Iterator[Problem]:
    periods = set()
    for text in rates:
        try:
            rate = parse_rate(text)
        except FormatError as error:
            yield Problem(at, "not a rate", str(error).capitalize())
            continue
        if rate.period in periods:
            yield Problem(at, "two rates of one period", "Keep the smaller")
        periods.add(rate.period)


def _one_of(names: object) -> str:
    listed = sorted(names)  # type: ignore[call-overload]
    return (
        f"Use one of {', '.join(listed[:12])}" + (", ..." if len(listed) > 12 else "") if listed else "None is declared"
    )
