"""What a chunk's records are indexed by: for each identifier field one inner, value or not (SPEC.md sections 2.3, 3.6, 4).

Where there is no value, an inner is made up that is the same in every version of the record: so neither the entry's
count, nor how many tokens a record has, nor which of them a new version changes tells who has no telephone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from strongroom.catalog import fields
from strongroom.catalog.model import Holding
from strongroom.catalog.types import identifier_kinds, primary
from strongroom.custody.intake.values import Values
from strongroom.seal import person
from strongroom.seal.columns import split
from strongroom.seal.person import HoldingKeys

Columns = dict[str, list[bytes]]
"""Identifier field -> one value a row."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """``own``: the inner of each value, empty where there is none. ``sent``: what the keyholder indexes, 32 bytes in
    every place and no two alike in one row of one kind."""

    kinds: dict[str, list[str]]
    own: Columns = field(repr=False)
    sent: Columns = field(repr=False)

    def asked(self) -> Columns:
        """Kind -> its fields' columns of ``sent``, one behind the other."""
        return {kind: [inner for name in names for inner in self.sent[name]] for kind, names in self.kinds.items()}

    def tokens(self, given: Columns) -> Columns:
        """The tokens given for ``asked``, a column each for the fields that they are of."""
        found: Columns = {}
        for kind, names in self.kinds.items():
            count = len(given[kind]) // len(names)
            found |= {name: given[kind][at * count : (at + 1) * count] for at, name in enumerate(names)}
        return found

    def tokens_of(self, name: str, given: Columns) -> list[bytes]:
        """The token of each row's own value of field ``name``, which no row is without."""
        (kind,) = (kind for kind, names in self.kinds.items() if name in names)
        known = dict(zip(self.asked()[kind], given[kind], strict=True))
        return [known[inner] for inner in self.own[name]]


def derive(keys: HoldingKeys, holding: Holding, values: Values, random: Callable[[int], bytes]) -> Identifiers:
    """The identifiers of the rows in ``values``."""
    kinds, first = identifier_kinds(holding), primary(holding)
    own: Columns = {}
    for kind, names in kinds.items():
        for name in names:
            declared, column = holding.fields[name], values.columns[name]
            normal = [fields.normal(declared, value) for value in column if value is not None]
            made = iter(person.inners(keys, kind, normal))
            own[name] = [b"" if value is None else next(made) for value in column]
    seeds = _seeds(own[first] if first else [b""] * values.count, random)
    sent: Columns = {}
    for kind, names in kinds.items():
        for at, name in enumerate(names):
            sent[name] = _filled(keys, kind, name, own[name], [own[one] for one in names[:at]], seeds)
    return Identifiers(kinds, own, sent)


def _filled(
    keys: HoldingKeys, kind: str, name: str, own: Sequence[bytes], before: Sequence[list[bytes]], seeds: Sequence[bytes]
) -> list[bytes]:
    """``own`` with something in every place that is empty, or has the value of a field ``before`` it: one value has one
    token, and the record would have one fewer."""
    kept = [b"" if any(column[at] == inner for column in before) else inner for at, inner in enumerate(own)]
    empty = [at for at, inner in enumerate(kept) if not inner]
    for at, made in zip(empty, person.no_value(keys, kind, name, [seeds[at] for at in empty]), strict=True):
        kept[at] = made
    return kept


def _seeds(inners: Sequence[bytes], random: Callable[[int], bytes]) -> list[bytes]:
    """The primary identifier's inner of each row; of one that has none 32 bytes drawn for this version."""
    drawn = iter(split(random(32 * inners.count(b"")), 32))
    return [inner or next(drawn) for inner in inners]
