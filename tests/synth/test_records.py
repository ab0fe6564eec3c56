"""Synthetic records of any holding: each value is one that its field takes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.catalog import fields, source
from strongroom.catalog.model import Holding
from strongroom.catalog.pattern import compile_pattern
from strongroom.errors import InputError
from strongroom.synth.pattern import drawn
from strongroom.synth.records import records

EXAMPLES = sorted(Path("examples").glob("*/charter.yaml"))
HOLDINGS = {
    f"{path.parent.name}-{name}": holding
    for path in EXAMPLES
    for name, holding in source.load(path.read_bytes(), str(path)).holdings.items()
}

CALLS = """
name: synth.example
delay: 0s
purposes: {}
holdings:
  calls:
    about: Who called whom
    lawful-basis: None at all, section 1
    retention: 90d
    compartments:
      from: {number: 1, person: caller}
      to: {number: 2, person: callee}
      what: {number: 3, person: nobody, floor: 8192}
    fields:
      caller: {type: phone, compartment: from, identifier: primary, required: true}
      callee: {type: phone, compartment: to, identifier: primary}
      callee-name: {type: person-name, compartment: to}
      number: {type: text, compartment: what, identifier: secondary, pattern: "CALL-[0-9]{6}[AB]?"}
      kind: {type: enum, compartment: what, values: [voice, text], needs: {text: [words]}}
      words: {type: text, compartment: what, max: 300}
      seconds: {type: number, compartment: what}
      picture: {type: image, compartment: what, max: 6000}
"""
KEPT = source.load(CALLS, "calls.yaml").holdings["calls"]


def _taken(holding: Holding, count: int, seed: int = 3) -> list[dict[str, str | None]]:
    return [
        {name: fields.parse(holding.fields[name], value) for name, value in record.items()}
        for record in records(holding, count, seed)
    ]


@pytest.mark.parametrize("holding", [*HOLDINGS.values(), KEPT], ids=[*HOLDINGS, "calls"])
def test_every_value_is_one_that_its_field_takes(holding: Holding) -> None:
    found = _taken(holding, 60)
    assert len(found) == 60
    for name, field in holding.fields.items():
        assert any(record[name] is not None for record in found), name
        for value, wanted in field.needs.items():
            assert all(record[other] is not None for record in found if record[name] == value for other in wanted)


def test_the_same_seed_gives_the_same_records_and_another_others() -> None:
    assert _taken(KEPT, 20) == _taken(KEPT, 20) != _taken(KEPT, 20, 4)


def test_some_callees_are_unidentified_and_then_have_no_name_and_few_are_in_many_records() -> None:
    found = _taken(KEPT, 600)
    unknown = [record for record in found if record["callee"] is None]
    assert 0 < len(unknown) < 200
    assert all(record["callee-name"] is None for record in unknown)
    often = Counter(record["caller"] for record in found).most_common()
    assert often[0][1] > 5 * often[-1][1]


def test_a_holding_of_one_required_person_has_each_once() -> None:
    residents = next(holding for name, holding in HOLDINGS.items() if name.endswith("city-residents"))
    numbers = [record["id-number"] for record in _taken(residents, 500)]
    assert len(set(numbers)) == 500


def test_a_field_that_nothing_fits_is_named() -> None:
    impossible = source.load(CALLS.replace("max: 300", "max: 20, required: true, pattern: '[a]{9}b?x{250}'"), "x.yaml")
    with pytest.raises(InputError, match="words"):
        list(records(impossible.holdings["calls"], 1, 1))


@given(
    st.sampled_from([r"[A-Z]{2}-\d{4}", "a|bc|d?e", r"\w+", "[^0-9]x{2,4}", "(?:no|yes)[.]", "[a-c-]*z", "."]),
    st.integers(),
)
def test_what_is_drawn_for_a_pattern_matches_it(pattern: str, seed: int) -> None:
    assert compile_pattern(pattern).fullmatch(drawn(pattern, Random(seed)))
