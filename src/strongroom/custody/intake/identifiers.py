"""What a chunk's records are indexed by, and whom they are about: for each identifier field one inner, value or not
(SPEC.md sections 2.3, 3.6, 4).

Where there is no value, an inner is made up from the record's handle. It is the same in every version: so neither the
entry's count, nor how many tokens a record has, nor which of them a new version changes tells who has no telephone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from strongroom.catalog import fields
from strongroom.catalog.model import Holding
from strongroom.catalog.types import identifier_kinds
from strongroom.seal import person
from strongroom.seal.person import HoldingKeys

Columns = dict[str, list[bytes]]
"""Identifier field -> one value a row."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Of records whose handles are known. ``named``: whom each identifier stands for, its value's inner, or the one in the
    place of a value. ``sent``: what the keyholder indexes, the same but where a field has the value of one of its kind
    before it: no two of one kind are alike in one row. 32 bytes each."""

    named: Columns = field(repr=False)
    sent: Columns = field(repr=False)

    def whos(self, keys: HoldingKeys, person_: str, handles: Sequence[bytes]) -> list[bytes]:
        """16 bytes a record: the person of the identifier ``person_``, or nobody where that is empty."""
        if not person_:
            return [person.who_of_handle(keys, handle) for handle in handles]
        return [person.who_of_inner(inner) for inner in self.named[person_]]


@dataclass(frozen=True, slots=True)
class Identifiers:
    """``own``: the inner of each value (32 bytes), empty where there is none. ``kinds``: kind -> its fields, in order."""

    kinds: dict[str, list[str]]
    own: Columns = field(repr=False)

    def bind(self, keys: HoldingKeys, handles: Sequence[bytes]) -> Bound:
        """With the inners in the place of values, for records of these handles."""
        named: Columns = {}
        sent: Columns = {}
        for kind, names in self.kinds.items():
            for at, name in enumerate(names):
                own = self.own[name]
                again = _again(own, [self.own[one] for one in names[:at]])
                wanted = [row for row, (inner, twice) in enumerate(zip(own, again, strict=True)) if twice or not inner]
                named[name], sent[name] = list(own), list(own)
                made = person.no_value(keys, kind, name, [handles[row] for row in wanted])
                for row, inner in zip(wanted, made, strict=True):
                    sent[name][row] = inner
                    if not own[row]:
                        named[name][row] = inner
        return Bound(named, sent)

    def beside(self, key: str, bound: Bound) -> Columns:
        """What is still to be indexed of the rows when ``own[key]``, which no row is without, has been.

        With it, each row has all of its ``sent``: where a field before the key has the same value, that one's place is
        taken by what stands in the key's.
        """
        rest = {name: column for name, column in bound.sent.items() if name != key}
        (before,) = (names[: names.index(key)] for names in self.kinds.values() if key in names)
        for row, (inner, sent) in enumerate(zip(self.own[key], bound.sent[key], strict=True)):
            if inner != sent:
                first = next(name for name in before if self.own[name][row] == inner)
                if rest[first] is bound.sent[first]:
                    rest[first] = list(rest[first])
                rest[first][row] = sent
        return rest


def derive(
    keys: HoldingKeys,
    holding: Holding,
    columns: Mapping[str, Sequence[str | None]],
    only: Sequence[str] | None = None,
) -> Identifiers:
    """The identifiers of records with these values, field -> one a record; all, or ``only`` these fields."""
    kinds = identifier_kinds(holding)
    own: Columns = {}
    for kind, names in kinds.items():
        for name in names if only is None else [one for one in names if one in only]:
            declared, column = holding.fields[name], columns[name]
            normal = fields.normals(declared, [value for value in column if value is not None])
            made = person.inners(keys, kind, normal)
            if len(made) < len(column):
                given = iter(made)
                made = [b"" if value is None else next(given) for value in column]
            own[name] = made
    return Identifiers(kinds, own)


def _again(own: Sequence[bytes], before: Sequence[Sequence[bytes]]) -> list[bool]:
    """Whether a row has its value in one of the columns ``before``."""
    if not before:
        return [False] * len(own)
    return [bool(inner) and inner in row for inner, row in zip(own, zip(*before, strict=True), strict=True)]
