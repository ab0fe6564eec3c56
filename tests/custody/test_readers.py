"""Whom a charter has a place for: those who ask, and those who only countersign."""

from __future__ import annotations

import pytest
from tests.catalog import sample

from strongroom.catalog.model import Countersign
from strongroom.custody import readers
from strongroom.errors import InputError

CHARTER = sample.charter(
    purposes={"confirm-identity": sample.purpose(countersign=Countersign(roles=["judge"], units=["court"]))}
)


@pytest.mark.parametrize(("role", "unit"), [("clerk", "registry"), ("clerk", "health"), ("judge", "court")])
def test_who_asks_or_countersigns_has_a_place(role: str, unit: str) -> None:
    readers._check(CHARTER, role, unit)


@pytest.mark.parametrize(
    ("role", "unit", "says"),
    [
        ("juge", "court", "for the role juge; it has: clerk, judge"),
        ("judge", "registry", "for a judge is for the unit registry; it has: court"),
        ("clerk", "court", "for a clerk is for the unit court; it has: health, registry"),
    ],
)
def test_who_does_neither_has_none(role: str, unit: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        readers._check(CHARTER, role, unit)
