"""A column of SQLAlchemy's that holds a handle, and the people behind many rows in one ask (docs/applications.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BINARY, Dialect, LargeBinary
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.types import TypeDecorator, TypeEngine

from strongroom.applications.people import People, Wanted
from strongroom.client.asyncroom import AsyncRoom
from strongroom.client.handle import SIZE, Handle, HandleLike
from strongroom.client.room import Room
from strongroom.errors import InputError

__all__ = ["People", "Person", "aresolve", "resolve"]


class Person(TypeDecorator[Handle]):
    """Column type: 16 bytes that name a record of ``holding`` in the room. Nothing about the person is in the table, nor ever on an
    object of it::

        person: Mapped[Handle] = mapped_column(Person("residents"), unique=True)
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, holding: str) -> None:
        super().__init__(SIZE)
        self.holding = holding

    @property
    def python_type(self) -> type[Handle]:
        return Handle

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # Elsewhere a BLOB, which these could not index without being told a length.
        fixed = dialect.name in ("mysql", "mariadb", "mssql")
        return dialect.type_descriptor(BINARY(SIZE) if fixed else LargeBinary(SIZE))

    def process_bind_param(self, value: HandleLike | None, dialect: Dialect) -> bytes | None:
        """Raises ``InputError`` for what is no handle: a person's name must not get into the table by mistake."""
        return None if value is None else bytes(Handle(value))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Handle | None:
        return None if value is None else Handle(bytes(value))


def resolve(
    room: Room,
    rows: Iterable[Any],
    column: QueryableAttribute[Any],
    fields: Iterable[str],
    *,
    purpose: str,
    case: str,
    reason: str,
) -> People:
    """These fields of the people whom ``column`` (as ``Customer.person``) of ``rows`` names, in one ask. Raises as ``Room.disclose``; rows
    that take more than one ask (1,000 people of an ordinary holding) are for the caller to part."""
    return _wanted(rows, column).ask(room, purpose, fields, case, reason)


async def aresolve(
    room: AsyncRoom,
    rows: Iterable[Any],
    column: QueryableAttribute[Any],
    fields: Iterable[str],
    *,
    purpose: str,
    case: str,
    reason: str,
) -> People:
    """The same from a coroutine."""
    return await _wanted(rows, column).aask(room, purpose, fields, case, reason)


def _wanted(rows: Iterable[Any], column: QueryableAttribute[Any]) -> Wanted:
    kind = getattr(column, "type", None)
    if not isinstance(kind, Person):
        raise InputError("name the column that holds handles, as Customer.person")
    return Wanted.of(rows, column.key, kind.holding)
