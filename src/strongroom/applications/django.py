"""A field of Django's that holds a handle, and the people behind a queryset in one ask (docs/applications.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError  # type: ignore[import-untyped]
from django.db import models  # type: ignore[import-untyped]

from strongroom.applications.people import People, Wanted
from strongroom.client.asyncroom import AsyncRoom
from strongroom.client.handle import SIZE, Handle
from strongroom.client.room import Room
from strongroom.errors import InputError

__all__ = ["People", "PersonField", "PersonQuerySet", "aresolve", "resolve"]


class PersonField(models.BinaryField):  # type: ignore[misc]
    """16 bytes that name a record of ``holding`` in the room. Nothing about the person is in the table, nor ever on an object of it; the
    admin shows the handle, and nobody edits it there::

        person = PersonField("residents", unique=True)
    """

    description = "Handle of a person's record in a room"

    def __init__(self, holding: str = "", *args: Any, **kwargs: Any) -> None:
        self.holding = holding
        kwargs.setdefault("max_length", SIZE)
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        kwargs.pop("editable", None)
        return name, path, [self.holding, *args], kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Handle | None:
        return None if value is None else Handle(bytes(value))

    def to_python(self, value: Any) -> Handle | None:
        """Of a fixture or a form: the handle's hex digits."""
        try:
            return None if value is None else Handle(value if isinstance(value, str) else bytes(value))
        except InputError as error:
            raise ValidationError(str(error)) from None

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Raises ``InputError`` for what is no handle: a person's name must not get into the table by mistake."""
        plain = None if value is None else bytes(Handle(value))
        return super().get_db_prep_value(plain, connection, prepared)

    def value_to_string(self, obj: Any) -> str:
        found = self.value_from_object(obj)
        return "" if found is None else str(Handle(found))


class PersonQuerySet(models.QuerySet):  # type: ignore[misc]
    """With ``objects = PersonQuerySet.as_manager()``::

    people = Customer.objects.filter(paid=False).resolve(room, "person", ["name"], purpose=..., case=..., reason=...)
    """

    def resolve(self, room: Room, field: str, fields: Iterable[str], *, purpose: str, case: str, reason: str) -> People:
        """As ``resolve``, of the rows of this queryset, which are then loaded."""
        return resolve(room, self, field, fields, purpose=purpose, case=case, reason=reason)


def resolve(
    room: Room, rows: Iterable[Any], field: str, fields: Iterable[str], *, purpose: str, case: str, reason: str
) -> People:
    """``fields`` of the people whom ``field`` of ``rows`` (a queryset, or a list of objects) names, in one ask. Raises as
    ``Room.disclose``; rows that take more than one ask (1,000 people of an ordinary holding) are for the caller to part."""
    return _wanted(rows, field).ask(room, purpose, fields, case, reason)


async def aresolve(
    room: AsyncRoom, rows: Iterable[Any], field: str, fields: Iterable[str], *, purpose: str, case: str, reason: str
) -> People:
    """The same from a coroutine, of objects that are loaded."""
    return await _wanted(rows, field).aask(room, purpose, fields, case, reason)


def _wanted(rows: Iterable[Any], field: str) -> Wanted:
    found = list(rows)
    kinds = {type(row)._meta.get_field(field) for row in found}  # noqa: SLF001 - so Django documents it
    holdings = {kind.holding for kind in kinds if isinstance(kind, PersonField)}
    if found and (len(holdings) != 1 or not all(isinstance(kind, PersonField) for kind in kinds)):
        raise InputError(f"{field} is to be a PersonField, of one holding")
    return Wanted.of(found, field, next(iter(holdings), ""))
