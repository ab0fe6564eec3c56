"""Maps from columns to fields (SPEC.md 6.8)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.catalog import source
from strongroom.catalog.mapping import by_name, load
from strongroom.errors import CatalogError, ValueRejected

HOLDING = sample.holding()
MAP = """\
id-number: 身份证号
name: [family, given]
address: {columns: [street, town], between: ", "}
sex: {constant: other}
"""
HEADER = ["\ufeff身份证号", " given", "family ", "street", "town", "note"]


def test_columns_constants_and_joins() -> None:
    plan = load(MAP, "map.yaml", HOLDING).compile(HEADER)
    assert plan.fields == ("id-number", "name", "address", "sex")
    assert plan.unused == ("note",)
    assert plan.apply(["7", "Ada ", "Lovelace", " 1 Road ", "Oakham", "x"]) == [
        "7",
        "Lovelace Ada",
        "1 Road, Oakham",
        "other",
    ]
    assert plan.apply(["7", "", "", "", "Oakham", "x"]) == ["7", "", "Oakham", "other"]
    with pytest.raises(ValueRejected, match="has 2 columns where the header has 6"):
        plan.apply(["7", "Ada"])


def test_a_row_by_names() -> None:
    found = load(MAP, "map.yaml", HOLDING).apply({"身份证号": "7", "given": "Ada", "street": "1 Road"})
    assert found == {"id-number": "7", "name": "Ada", "address": "1 Road", "sex": "other"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("id-number: a\nnmae: b", 2, "no field nmae. Did you mean name"),
        ("name: b", 1, "nothing fills id-number"),
        ("id-number: 7", 1, 'YAML reads 7 as a YAML int. Put it in "quotes"'),
        ("id-number: []", 1, "no column is named"),
        ("id-number: {constant: a, columns: [b]}", 1, "neither columns nor a constant, or both"),
        ("id-number: {column: a}", 1, "Did you mean columns"),
        ("id-number: a\nid-number: b", 2, "twice"),
    ],
)
def test_a_bad_map_names_line_and_mend(text: str, line: int, says: str) -> None:
    with pytest.raises(CatalogError, match=says) as found:
        load(text, "map.yaml", HOLDING)
    assert found.value.place == f"map.yaml:{line}"


def test_a_missing_or_double_column_is_named() -> None:
    with pytest.raises(CatalogError, match=r"map\.yaml:2: name wants the column family, which the file has 0 times"):
        load(MAP, "map.yaml", HOLDING).compile(["身份证号", "given", "famly", "street", "town"])
    with pytest.raises(CatalogError, match="has 2 times"):
        load(MAP, "map.yaml", HOLDING).compile([*HEADER, "town"])


def test_columns_called_like_fields_need_no_map() -> None:
    plan = by_name(["ID_Number", "Name ", "other"], "people.csv", HOLDING).compile(["ID_Number", "Name ", "other"])
    assert (plan.fields, plan.unused) == (("id-number", "name"), ("other",))
    for header, says in (
        (["a"], "no column is called like"),
        (["name"], "nothing fills"),
        (["name", "NAME"], "two columns"),
    ):
        with pytest.raises(CatalogError, match=says):
            by_name(header, "people.csv", HOLDING)


def test_the_example_fits_its_charter() -> None:
    folder = Path("examples/febrl")
    charter = source.load((folder / "charter.yaml").read_bytes(), "charter.yaml")
    holding = charter.holdings["persons"]
    header = "rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id"
    plan = load((folder / "map.yaml").read_bytes(), "map.yaml", holding).compile(header.split(","))
    assert sorted(plan.fields) == sorted(holding.fields)
    assert plan.unused == ()


@given(st.text(alphabet="ab:-[]{}#&*!|>'\" \n0é,", max_size=60))
def test_only_our_error_escapes(text: str) -> None:
    with suppress(CatalogError):
        load("id-number: a\n" + text, "f", HOLDING).compile(HEADER)
