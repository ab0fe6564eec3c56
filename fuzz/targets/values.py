"""A field's value as somebody wrote it, for every field type (SPEC.md sections 6.4 and 6.6).

The first byte of an input chooses one of the type's declarations, the rest is the value.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fuzz.sample import blank
from fuzz.seeds import kept, vector
from fuzz.target import Broken, Target, text_of
from strongroom.catalog import fields
from strongroom.catalog.model import Field
from strongroom.catalog.types import TYPES
from strongroom.errors import ValueRejected
from strongroom.redact import mask, predicate

_TODAY = 20_000  # days since 1970


def targets() -> list[Target]:
    found = []
    for name in TYPES:
        one = _Values(name)
        found.append(
            Target(
                name=f"value.{name}",
                read=one.read,
                errors=ValueRejected,
                seeds=one.seeds,
                of=(fields.parse, fields.parser),
                weight=0.1,
            )
        )
    return found


@dataclass(frozen=True)
class _Values:
    type: str

    @cached_property
    def declared(self) -> list[Field]:
        return list(declarations(self.type))

    def seeds(self) -> list[bytes]:
        given = [case["raw"] for case in vector("fields")["values"] if case["type"] == self.type]
        if self.type == "image":
            given += [b64encode(one).decode() for one in kept("catalog.image")]
        return [bytes([at]) + raw.encode("utf-8", "surrogatepass") for raw in given for at in range(len(self.declared))]

    def read(self, data: bytes) -> None:
        """Stored once, a value is stored again as it is; it can be compared, masked and wondered at."""
        field = self.declared[data[0] % len(self.declared)] if data else self.declared[0]
        stored = fields.parse(field, text_of(data[1:]))
        if stored is None:
            return
        if len(stored.encode()) > fields.width(field):
            raise Broken(f"{self.type}: a value is longer than it may be stored")
        if fields.parse(field, stored) != stored:
            raise Broken(f"{self.type}: a stored value is stored otherwise: {stored!r}")
        if field.identifier != "none" and not fields.normal(field, stored):
            raise Broken(f"{self.type}: an identifier is compared by nothing: {stored!r}")
        fields.warnings(field, stored)
        for test in TYPES[self.type].tests:
            asked = None if test == "adult" else stored
            if predicate.answer(test, field, stored, asked, _TODAY) is not True and test == "matches":
                raise Broken(f"{self.type}: a value does not match itself: {stored!r}")
        for one in TYPES[self.type].masks:
            mask.apply(one, field, stored)


def declarations(type_: str) -> Iterator[Field]:
    """A field of this type in each way that it is declared."""
    found = TYPES[type_]
    more = {"values": ["female", "male", "二"]} if type_ == "enum" else {}
    yield blank(Field, type=type_, identifier="none", **more)
    yield blank(Field, type=type_, identifier="none", required=True, **more)
    if found.identifier:
        yield blank(Field, type=type_, identifier="primary", **more)
    if type_ == "phone":
        yield blank(Field, type=type_, identifier="none", region="CN")
        yield blank(Field, type=type_, identifier="primary", region="GB")
    if type_ in ("text", "number"):
        yield blank(Field, type=type_, identifier="primary", pattern="[A-Z0-9]{2,8}-?[0-9]*")
        yield blank(Field, type=type_, identifier="none", max=300)
