"""docs/holdings.md says of the city's purposes what its charter says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.catalog.test_source import CITY

from strongroom.catalog import source

PAGE = Path("docs/holdings.md").read_text("utf-8")
CHARTER = source.load(CITY, "city")
SECTIONS = dict(re.findall(r"^## ([a-z-]+)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))
ROW = re.compile(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| (.*?) \|", re.MULTILINE)


def test_every_holding_has_its_section() -> None:
    assert SECTIONS.keys() == CHARTER.holdings.keys()


@pytest.mark.parametrize("name", CHARTER.holdings)
def test_a_section_has_the_purposes_of_its_holding_and_who_they_are_for(name: str) -> None:
    rows = {purpose: who for names, who in ROW.findall(SECTIONS[name]) for purpose in re.findall("`(.*?)`", names)}
    wanted = {called: purpose for called, purpose in CHARTER.purposes.items() if name in purpose.reads}
    assert rows.keys() == wanted.keys()
    for called, purpose in wanted.items():
        named = set(re.findall(r"[a-z][a-z-]+", rows[called]))
        assert named >= {*purpose.roles, *purpose.units, *purpose.countersign.roles, *purpose.countersign.units}
        assert ("*2nd*" in rows[called]) >= bool(purpose.countersign.roles)


@pytest.mark.parametrize("name", CHARTER.holdings)
def test_a_section_says_what_it_does_not_prevent(name: str) -> None:
    assert SECTIONS[name].count("*Not prevented*") == 1
