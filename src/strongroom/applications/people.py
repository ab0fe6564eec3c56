"""Rows that hold handles, and the people whom they are about: got in one ask, held in memory, kept nowhere.

What an application stores of a person is a handle. What it needs to know of them it asks for, for a purpose, under a case and for a reason,
and every one of those asks stands in the ledger. So there is no lazy loading here and no cache: nothing is read because somebody touched
an attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from strongroom.client.answers import Disclosed, Proved, Values
from strongroom.client.asyncroom import AsyncRoom
from strongroom.client.handle import Handle
from strongroom.client.room import Room
from strongroom.errors import InputError


class People(Mapping[Any, Values]):
    """Row -> what its person's record says. Looked up by the row, or by its handle; iterated over by handle. ``proof`` is of the one ask
    that it came by, None where no row names anybody.

    Not pickled, and printed without a value: whoever caches a view, queues a task or keeps a session keeps none of it.
    """

    __slots__ = ("_attribute", "_records", "proof")

    def __init__(self, attribute: str, answer: Disclosed | None) -> None:
        self._attribute = attribute
        self._records: Mapping[Handle, Values] = answer.records if answer else {}
        self.proof: Proved | None = answer

    def __getitem__(self, row: Any) -> Values:
        handle = row if isinstance(row, bytes) else getattr(row, self._attribute)
        if handle is None:
            raise KeyError("this row names nobody")
        return self._records[Handle(handle)]

    def __contains__(self, row: object) -> bool:
        handle = row if isinstance(row, bytes) else getattr(row, self._attribute, None)
        return handle in self._records

    def __iter__(self) -> Iterator[Handle]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"<People: {len(self)} by {self._attribute}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("values of people are not pickled: keep the handles, and ask again")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the rows: ``handles`` of those that name somebody, each once."""

    attribute: str
    holding: str
    handles: tuple[Handle, ...]

    @classmethod
    def of(cls, rows: Iterable[Any], attribute: str, holding: str) -> Wanted:
        """Raises ``InputError`` where a row holds something else than a handle."""
        found = [getattr(row, attribute) for row in rows]
        if any(one is not None and not isinstance(one, bytes) for one in found):
            raise InputError(f"{attribute} is to hold handles, and nothing else")
        return cls(attribute, holding, tuple(sorted({Handle(one) for one in found if one is not None})))

    def ask(self, room: Room, purpose: str, fields: Iterable[str], case: str, reason: str) -> People:
        """One ask. Raises ``InputError`` where it would take several, and all that ``Room.disclose`` does."""
        if not self.handles:
            return People(self.attribute, None)
        answer = room.disclose(self.holding, purpose, self.handles, fields, case=case, reason=reason)
        return People(self.attribute, answer)

    async def aask(self, room: AsyncRoom, purpose: str, fields: Iterable[str], case: str, reason: str) -> People:
        """The same from a coroutine."""
        if not self.handles:
            return People(self.attribute, None)
        answer = await room.disclose(self.holding, purpose, self.handles, fields, case=case, reason=reason)
        return People(self.attribute, answer)
