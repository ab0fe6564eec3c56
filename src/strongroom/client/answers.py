"""What a room answers, once it is proved. No repr shows a value of a person's, and what holds values is not pickled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from strongroom.catalog.model import Charter
from strongroom.client.handle import Handle


class Values(Mapping[str, str | None]):
    """Field -> value of one record, as the purpose masks it; None where it has none. It lives in memory alone: it shows its
    fields' names when printed, and refuses to be pickled, so that no cache, queue or session store keeps what it holds."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str | None]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str | None:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Values: {', '.join(self._values)}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("values of a person are not pickled: keep the handle, and ask again")


@dataclass(frozen=True, slots=True)
class Proved:
    """``entry``: index of the ledger's entry that says so. ``receipt``: the C2SP tlog-proof of it, verified. ``text``: the entry
    itself, canonical JSON."""

    entry: int
    receipt: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found(Proved):
    """The records that have the identifier; none when nobody has."""

    records: tuple[Handle, ...]


@dataclass(frozen=True, slots=True)
class Disclosed(Proved):
    """Record -> the fields asked for."""

    records: dict[Handle, Values]


@dataclass(frozen=True, slots=True)
class Checked(Proved):
    """Record -> whether the test holds; None where it has no value that could tell."""

    records: dict[Handle, bool | None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Corrected(Proved):
    """Record -> the number of its newest version. ``indexed``: entries that say that identifiers were indexed anew."""

    records: dict[Handle, int]
    indexed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Erased(Proved):
    """Nothing of ``records`` is given again. ``final``: the day (``YYYY-MM-DD``) on which the last key is destroyed that could
    have opened them, if no legal hold stands."""

    records: tuple[Handle, ...]
    final: str


@dataclass(frozen=True, slots=True)
class TakenIn(Proved):
    """A handle for each record, in their order. ``entries``: all that say that identifiers were indexed; ``entry`` is the last."""

    records: tuple[Handle, ...]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Exported(Proved):
    """One batch of an export: record -> the fields asked for."""

    records: dict[Handle, Values]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A quorum of the charter's witnesses has cosigned the ledger's first ``size`` entries, and no earlier than the POSIX second ``since``.
    ``witnesses``: the names of their keys."""

    size: int
    since: int
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """A charter, by the ledger's own entry ``entry`` in force since the POSIX second ``effective``; ``hash`` (32 bytes) names it."""

    entry: int
    effective: int
    hash: bytes
    charter: Charter = field(repr=False)
