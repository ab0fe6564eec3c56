"""Maps from old fields to new ones: what they do to a record, and what is wrong with them, by file, line and mend."""

from __future__ import annotations

import pytest
from tests.catalog import sample

from strongroom.catalog import migration
from strongroom.catalog.migration import Rejected
from strongroom.errors import CatalogError

HOLDING = sample.holding(
    fields={
        "id-number": sample.field("resident-id", identifier="primary", required=True),
        "name": sample.field("person-name"),
        "family": sample.field("person-name"),
        "given": sample.field("person-name", "contact"),
        "born": sample.field("date"),
        "birth-year": sample.field("number"),
        "town": sample.field("text", "contact"),
        "street": sample.field("text", "contact"),
        "address": sample.field("address", "contact"),
        "status": sample.field("enum", values=["well", "barred"], needs={"grounds": ["barred"]}),
        "grounds": sample.field("text"),
        "must": sample.field("text", required=True),
    }
)
ID = "110101199003070011"


def record(**values: str) -> dict[str, str | None]:
    known: dict[str, str | None] = dict.fromkeys(HOLDING.fields)
    return known | {"id-number": ID, "must": "x"} | {name.replace("_", "-"): value for name, value in values.items()}


def apply(text: str, **values: str) -> dict[str, str | None] | None:
    before = record(**values)
    after = migration.load(text, "map.yaml", HOLDING).apply(before)
    return None if after is None else {name: value for name, value in after.items() if value != before[name]}


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("family: name", {"name": "Ann Lee"}, {"family": "Ann Lee"}),
        ("family: name\nclear: [name]", {"name": "Ann Lee"}, {"family": "Ann Lee", "name": None}),
        ('family: {field: name, split: " ", part: 1}', {"name": "Ann Mae Lee"}, {"family": "Ann"}),
        ('given: {field: name, split: " ", from: 2}', {"name": "Ann Mae Lee"}, {"given": "Mae Lee"}),
        ('given: {field: name, split: " ", part: 4}', {"name": "Ann Mae Lee"}, None),
        ('given: {field: name, split: "-", part: 2}', {"name": "Ann"}, None),
        ('birth-year: {field: born, split: "-", part: 1}', {"born": "1990-03-07"}, {"birth-year": "1990"}),
        ("address: [town, street]", {"town": "Riverton", "street": "Elm"}, {"address": "Riverton Elm"}),
        ("address: [town, street]", {"street": "Elm"}, {"address": "Elm"}),
        (
            'address: {fields: [street, town], between: ", "}',
            {"town": "Riverton", "street": "Elm"},
            {"address": "Elm, Riverton"},
        ),
        ("town: {constant: Riverton}", {}, {"town": "Riverton"}),
        # Nothing to fill it from, filled already, done already: the record stays as it is.
        ("family: name", {}, None),
        ("family: name", {"name": "Ann", "family": "Lee"}, None),
        ("town: {constant: Riverton}", {"town": "Utopia"}, None),
        ("family: name\nclear: [name]", {"family": "Ann Lee"}, None),
        ("clear: [name, town]", {"name": "Ann"}, {"name": None}),
    ],
)
def test_what_it_does(text: str, values: dict[str, str], expected: dict[str, str | None] | None) -> None:
    assert apply(text, **values) == expected


def test_done_once_it_does_nothing_more() -> None:
    made = migration.load('family: {field: name, split: " ", part: 1}\nclear: [name]', "map.yaml", HOLDING)
    after = made.apply(record(name="Ann Lee"))
    assert after is not None
    assert made.apply(after) is None
    assert made.fields == ("family", "name")


@pytest.mark.parametrize(
    ("text", "values", "field"),
    [
        ("birth-year: name", {"name": "Ann"}, "birth-year"),
        ("status: {constant: barred}", {}, ""),
        ("clear: [grounds]", {"status": "barred", "grounds": "none"}, ""),
    ],
)
def test_a_record_that_it_does_not_fit(text: str, values: dict[str, str], field: str) -> None:
    with pytest.raises(Rejected) as caught:
        apply(text, **values)
    assert caught.value.field == field
    assert "Ann" not in caught.value.reason


def test_what_a_record_lacked_before_is_said_too() -> None:
    """A field that was made required later: the migration is where it gets its value."""
    made = migration.load("family: name", "map.yaml", HOLDING)
    with pytest.raises(Rejected, match="would lack what it must have"):
        made.apply(record(name="Ann") | {"must": None})
    filled = migration.load("must: name", "map.yaml", HOLDING).apply(record(name="Ann") | {"must": None})
    assert filled is not None
    assert filled["must"] == "Ann"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "moves nothing"),
        ("nmae: name", "no field nmae. Did you mean name"),
        ("family: nmae", "no field nmae"),
        ("family: family", "filled from itself"),
        ("family: []", "no field is named"),
        ("family: [name, name]", "one twice"),
        ("family: {field: name}", "do not fit each other"),
        ("family: {field: name, split: ' ', part: 1, from: 2}", "do not fit each other"),
        ("family: {field: name, split: '', part: 1}", "split is empty"),
        ("family: {field: name, split: ' ', part: 0}", "counted from 1"),
        ("family: {field: name, split: ' ', part: one}", "whole number"),
        ("family: {field: name, split: [1], part: 1}", "not a text"),
        ("family: {fields: [name], constant: x}", "do not fit each other"),
        ("family: {constant: ''}", "constant is empty"),
        ("family: {between: ' '}", "do not fit each other"),
        ("family: {colour: red}", "no member colour"),
        ("family: name\nfamily: name", "stands here twice"),
        ("family: name\nclear: name", "not a list"),
        ("clear: [nmae]", "no field nmae"),
        ("clear: [must]", "must is required"),
        ("clear: [id-number]", "is required|whom the record is about"),
        ("family: name\nclear: [family]", "filled and emptied"),
    ],
)
def test_a_wrong_map(text: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said) as caught:
        migration.load(text, "map.yaml", HOLDING)
    assert caught.value.place.startswith("map.yaml:")


def test_a_primary_identifier_is_never_emptied() -> None:
    holding = sample.holding(
        compartments={"identity": sample.compartment(1, person="phone")},
        fields={"phone": sample.field("phone", identifier="primary", region="CN"), "name": sample.field("text")},
    )
    with pytest.raises(CatalogError, match="whom the record is about"):
        migration.load("clear: [phone]", "map.yaml", holding)


def test_it_is_known_again_by_what_it_does() -> None:
    one = migration.load("family: name", "a.yaml", HOLDING).document()
    assert one == migration.load("family: [name]  # the same", "b.yaml", HOLDING).document()
    assert one != migration.load("family: name\nclear: [name]", "a.yaml", HOLDING).document()
