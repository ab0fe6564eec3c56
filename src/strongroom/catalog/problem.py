"""What is wrong with a catalog, and where: what the checks of holdings and purposes share (SPEC.md section 6.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from strongroom.catalog.rate import parse_rate
from strongroom.errors import FormatError

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` is that of the member, such as ``("holdings", "residents", "fields", "born")``."""

    path: Path
    text: str
    mend: str


def stated(at: Path, about: str, lawful_basis: str) -> Iterator[Problem]:
    """What a holding or purpose must say of itself."""
    for member, text in (("about", about), ("lawful-basis", lawful_basis)):
        if not text.strip() or len(text) > 1000:
            yield Problem((*at, member), "want 1 to 1,000 characters", "Say it in a sentence: the public reads it")


def rates(at: Path, listed: Sequence[str]) -> Iterator[Problem]:
    """A list of rates: each of its form, one a period."""
    periods = set()
    for text in listed:
        try:
            rate = parse_rate(text)
        except FormatError as error:
            yield Problem(at, "not a rate", str(error).capitalize())
            continue
        if rate.period in periods:
            yield Problem(at, "two rates of one period", "Keep the smaller")
        periods.add(rate.period)


def one_of(names: Collection[str]) -> str:
    """The mend for a name that is none of ``names``."""
    listed = sorted(names)
    if not listed:
        return "None is declared"
    return f"Use one of {', '.join(listed[:12])}" + (", ..." if len(listed) > 12 else "")


def repeats(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)
