"""Which record a row of an upsert is the next version of (SPEC.md section 4).

A row takes the place of a record only where both are about the same persons: then all of them are told by the row's own
tags, and find the record afterwards. Elsewhere it is one more record. Nobody is told which rows took a place, so what is
indexed, and how often, follows from the holding and the number of rows alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from strongroom.catalog.model import Holding
from strongroom.catalog.types import identifier_kinds, primaries
from strongroom.custody.intake.identifiers import Columns, Identifiers
from strongroom.custody.room import Room
from strongroom.store.rows import split_tokens

Index = Callable[[Columns], Columns]
"""Inners of identifier fields -> their tokens."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Which record and version each row is, and the tokens of its persons."""

    handles: list[bytes]
    versions: list[int]
    persons: Columns = field(repr=False)


def mixed(holding: Holding) -> tuple[str, ...]:
    """Identifiers of one kind of which one says whom a record is about and another does not: of these a token does not
    tell whether a record is about its person."""
    for names in identifier_kinds(holding).values():
        if len({holding.fields[name].identifier for name in names}) > 1:
            return tuple(names)
    return ()


def placed(holding: Holding) -> list[str]:
    """The primary identifiers whose inner may be made up from the record's handle (SPEC.md section 2.3)."""
    first = {names[0] for names in identifier_kinds(holding).values()}
    return [name for name in primaries(holding) if name not in first or not holding.fields[name].required]


class Matcher:
    """The rows of one chunk, which would be new records under the handles ``drawn``; matched by the identifier ``key``."""

    def __init__(
        self, room: Room, holding: tuple[str, Holding], key: str, found: Identifiers, drawn: list[bytes], index: Index
    ) -> None:
        name, self._declared = holding
        self._store, self._number, self._keys = room.store, room.holding(name), room.keys.holding(name)
        self._found, self._drawn, self._index = found, drawn, index
        self._persons = primaries(self._declared)
        self._placed = placed(self._declared)
        inners = {one: found.bind(self._keys, drawn).sent[one] for one in self._persons}
        tokens = index(inners if key in inners else inners | {key: found.own[key]})
        self._alone = {one: tokens[one] for one in self._persons}
        self.keyed = self._keyed(key, tokens)
        """The token of each row's key."""
        self._wanted: list[bytes] = []
        self._there: Columns = {}

    def _keyed(self, key: str, tokens: Columns) -> list[bytes]:
        """Where a field before the key has its value, that one's token is the key's."""
        if key not in self._persons:
            return tokens[key]
        (names,) = (names for names in self._found.kinds.values() if key in names)
        own = self._found.own
        return [
            next(tokens[name][row] for name in names if own[name][row] == inner) for row, inner in enumerate(own[key])
        ]

    def match(self) -> Matched:
        """Rows of one key follow each other. A key that several records have names none of them."""
        known = self._store.handles_of_tokens(self._number, set(self.keyed))
        named = {token: found[0] if len(found) == 1 else b"" for token, found in known.items()}
        wanted = [named.setdefault(token, mine) or mine for token, mine in zip(self.keyed, self._drawn, strict=True)]
        there = self._as_there(wanted)
        latest = self._store.latest(self._number, sorted(set(wanted)))
        about = {row.handle: frozenset(split_tokens(row.tokens)) for row in latest}
        last = {row.handle: row.version for row in latest}
        parted: set[bytes] = set()
        handles, versions, persons = [], [], []
        for at, (token, mine, handle) in enumerate(zip(self.keyed, self._drawn, wanted, strict=True)):
            own, theirs = (tuple(column[at] for column in one.values()) for one in (self._alone, there))
            if handle != mine and token not in parted and about.get(handle, frozenset()).issuperset(theirs):
                handles.append(handle)
                persons.append(theirs)
            else:
                if handle != mine:
                    parted.add(token)  # from here on several records have it
                about[mine] = frozenset(own)
                handles.append(mine)
                persons.append(own)
            last[handles[-1]] = last.get(handles[-1], 0) + 1
            versions.append(last[handles[-1]])
        return Matched(handles, versions, {name: [row[at] for row in persons] for at, name in enumerate(self._persons)})

    def _as_there(self, wanted: list[bytes]) -> Columns:
        """The tokens of the rows' persons, as records of these handles have them."""
        if self._placed and wanted != self._wanted:
            sent = self._found.bind(self._keys, wanted).sent
            self._there = self._index({name: sent[name] for name in self._placed})
            self._wanted = wanted
        return {name: self._there.get(name, column) for name, column in self._alone.items()}
