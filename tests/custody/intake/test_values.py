"""Rows become columns of values: what one value needs beside it, pictures, and the rows of a change feed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pytest
from tests.catalog import sample
from tests.catalog.pictures import png

from strongroom.catalog import mapping
from strongroom.custody.intake.rows import Chunk
from strongroom.custody.intake.values import Layout, Parser, Values

HOLDING = sample.holding(
    fields={
        "id-number": sample.field("resident-id", identifier="primary", required=True),
        "code": sample.field(
            "enum",
            required=True,
            values=["green", "yellow", "red"],
            needs={"evidence": ["yellow", "red"], "set-by": ["red"]},
        ),
        "evidence": sample.field("text"),
        "set-by": sample.field("text"),
        "photo": sample.field("image"),
    }
)
ID = "110101199003074418"
CODE = {"id-number": ID, "code": "green", "evidence": "", "set-by": "", "photo": ""}


def parse(*rows: Mapping[str, str], op: str = "") -> Values:
    columns = ("id-number", "code", "evidence", "set-by", "photo", "op")
    found = mapping.by_name(columns, "people.jsonl:1", HOLDING)
    lines = [json.dumps(row).encode() for row in rows]
    parser = Parser(Layout(HOLDING, found, columns, "", "utf-8", "id-number", op))
    return parser.parse(Chunk(0, 1, lines, [], 0))


def reasons(values: Values) -> list[tuple[int, str]]:
    return [(error.row, error.field) for error in values.errors]


def test_a_value_has_what_it_needs_or_its_row_is_bad() -> None:
    red = {**CODE, "code": "red"}
    found = parse(
        CODE,
        red,
        {**red, "evidence": "a test"},
        {**red, "evidence": "a test", "set-by": "two"},
        {**CODE, "code": "yellow"},
    )
    assert (found.count, found.bad) == (2, 3)
    assert reasons(found) == [(2, "evidence"), (2, "set-by"), (3, "set-by"), (5, "evidence")]
    assert found.columns["code"] == ["green", "red"]


def test_a_row_that_is_wrong_anyway_is_named_once() -> None:
    found = parse({**CODE, "code": "red", "id-number": "12"}, {**CODE, "code": "black"})
    assert reasons(found) == [(1, "id-number"), (2, "code")]


def test_pictures_are_taken_and_what_is_none_is_not() -> None:
    text = base64.b64encode(png()).decode()
    found = parse({**CODE, "photo": text}, {**CODE, "photo": base64.b64encode(b"no picture").decode()})
    assert found.columns["photo"] == [text]
    assert reasons(found) == [(2, "photo")]


@pytest.mark.parametrize("op", ["d", "Delete", " DELETE "])
def test_a_deletion_needs_its_key_alone(op: str) -> None:
    found = parse({**CODE, "op": "c"}, {"id-number": ID, "code": "black", "op": op}, {**CODE, "op": "u"}, op="op")
    assert (found.count, found.errors, found.deletes) == (3, [], [False, True, False])
    assert found.columns["code"] == ["green", None, "green"]
    assert found.columns["id-number"] == [ID] * 3


def test_rows_of_a_feed_that_are_bad_are_not_taken() -> None:
    found = parse(
        {**CODE, "op": "t"},
        {**CODE, "code": "black", "op": "u"},
        {"op": "d"},
        {"id-number": ID, "op": "d"},
        CODE,
        op="op",
    )
    assert reasons(found) == [(1, ""), (2, "code"), (3, "id-number"), (5, "")]
    assert (found.count, found.bad, found.deletes) == (1, 4, [True])
