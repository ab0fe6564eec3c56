"""A column at once gives what each of its values gives alone (SPEC.md 6.4), on either way."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum.cn import ric
from tests.catalog import sample

from strongroom.catalog import columns, fields
from strongroom.catalog.columns import Column, Parsed
from strongroom.catalog.model import Field
from strongroom.catalog.text import clean
from strongroom.catalog.types import TYPES
from strongroom.errors import ValueRejected
from strongroom.synth.people import people


@pytest.fixture(autouse=True, scope="module")
def _few() -> Iterator[None]:
    """A few go the short way, too: so hypothesis shrinks what is found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_FEW", 0)
        yield


FIELDS = [
    *(sample.field(name, values=["a", "bb", "女", " x "] if name == "enum" else []) for name in TYPES),
    sample.field("text", pattern="[A-Z]{2}[0-9]+", max=12),
    sample.field("text", identifier="secondary"),
    sample.field("text", max=8),
    sample.field("phone", region="CN"),
    sample.field("phone", region="CN", pattern=r"\+861.*"),
    sample.field("number", required=True, max=4),
    sample.field("email", identifier="secondary", required=True),
    sample.field("person-name", required=True),
]

ids = st.builds(
    lambda head, day, turn: (digits := f"{head}{day:%Y%m%d}{turn:03}") + ric.calc_check_digit(f"{digits}0"),
    st.integers(100000, 999999),
    st.dates(),
    st.integers(0, 999),
)
words = st.sampled_from(
    ["Ada", "欧阳 娜", "e\u0301", "é", "a  b", " a", "b ", "\u3000", "x\ty", "x\ny", "\x00", "ﬁ", "ß"]
)
numbers = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True) | st.sampled_from(["-0", "0", "0.10", "007"])
phones = st.from_regex(r"(\+86)?(1[3-9][0-9]{9}|10[0-9]{8})|\+[0-9 -]{6,14}", fullmatch=True)
emails = st.emails() | st.from_regex(r"[a-z.+_-]{1,6}@[a-zA-Z.-]{1,9}\.(com|local|test|XN)", fullmatch=True)
dates = st.dates().map(str) | st.sampled_from(["2023-02-29", "0000-01-01", "2024-W01-1", "20240102", "2024/01/02"])
common = ids | words | numbers | phones | emails | dates | st.sampled_from(["a", "bb", "女", " x ", "AB12"])
raws = st.lists(common | st.just("") | st.text(max_size=12), max_size=12)


def one_by_one(field: Field, column: list[str]) -> Parsed:
    found = Parsed([], [])
    for at, raw in enumerate(column):
        try:
            found.values.append(fields.parse(field, raw))
        except ValueRejected as reason:
            found.values.append(None)
            found.wrong.append((at, str(reason)))
    return found


@given(st.sampled_from(FIELDS), raws)
@example(FIELDS[0], ["a\nb", "c"])
def test_a_mixed_column_is_what_its_values_are(field: Field, column: list[str]) -> None:
    assert Column(field).parse(column) == one_by_one(field, column)


@given(
    st.sampled_from(FIELDS),
    st.sampled_from([ids, words, numbers, phones, emails, dates]).flatmap(lambda of: st.lists(of, max_size=4)),
)
def test_a_column_of_one_kind_is_what_its_values_are(field: Field, column: list[str]) -> None:
    assert Column(field).parse(column) == one_by_one(field, column)


def test_what_is_printable_is_taken_but_for_two_characters() -> None:
    printable = [char for code in range(sys.maxunicode + 1) if (char := chr(code)).isprintable()]
    refused = []
    for char in printable:
        try:
            clean(char)
        except ValueRejected:
            refused.append(char)
    assert refused == ["\ufffc", "\ufffd"]
    assert [char for char in printable if char.isspace()] == [" "]


def test_blocks_are_cut_where_they_are() -> None:
    field, size = sample.field("date"), columns._BLOCK
    column = ["2020-01-02"] * (2 * size + 1)
    for at in (0, size - 1, size, 2 * size):
        odd = [*column[:at], "no date", *column[at + 1 :]]
        assert Column(field).parse(odd) == one_by_one(field, odd)
    assert Column(field).parse(column) == ([*column], [])


CITY = {
    "id-number": sample.field("resident-id", required=True),
    "name": sample.field("person-name"),
    "born": sample.field("date"),
    "sex": sample.field("enum", values=["female", "male"]),
    "phone": sample.field("phone", region="CN"),
    "email": sample.field("email"),
    "address": sample.field("address"),
}


@pytest.mark.parametrize("name", CITY)
def test_a_city_goes_the_short_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the short way could be lost without any test to see it."""
    column = [str(person[name]) for person in itertools.islice(people(300, 1), 300)]
    made = Column(CITY[name])
    expected = one_by_one(CITY[name], column)

    def none(raw: str) -> str | None:
        raise AssertionError("one by one")

    monkeypatch.setattr(made, "_one", none)
    assert made.parse(column) == expected
    assert expected.wrong == []
