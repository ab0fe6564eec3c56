"""What records are indexed by (SPEC.md 2.3, 3.6): as many tokens for every record, whatever it lacks or has twice."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample
from tests.seal import made

from strongroom.catalog import fields
from strongroom.custody.intake import identifiers
from strongroom.custody.intake.identifiers import Columns, Identifiers
from strongroom.custody.intake.values import Values
from strongroom.seal import ids, person, token

FIELDS = {
    "guardian": sample.field("resident-id", identifier="secondary"),
    "landline": sample.field("phone", region="CN", identifier="secondary"),
    "mobile": sample.field("phone", region="CN", identifier="secondary"),
    "number": sample.field("resident-id", identifier="primary"),
}
HOLDING = sample.holding(fields=FIELDS)
KINDS = {"phone": ["landline", "mobile"], "resident-id": ["guardian", "number"]}
PHONES, NUMBERS = ("+861001234567", "+861007654321"), ("110101199003074418", "11010119900307109X")

Row = dict[str, str | None]
rows = st.lists(
    st.fixed_dictionaries({
        name: st.sampled_from([None, *(PHONES if field.type == "phone" else NUMBERS)]) for name, field in FIELDS.items()
    }),
    min_size=1, max_size=6,
)  # fmt: skip


def derive(taken: list[Row]) -> Identifiers:
    values = Values({name: [row[name] for row in taken] for name in FIELDS}, len(taken), 0, [])
    return identifiers.derive(made.KEYS, HOLDING, values, os.urandom)


def given_tokens(found: Identifiers) -> Columns:
    """What the keyholder answers."""
    index = made.draw("K_index", 32)
    return {
        kind: token.tokens(token.index_key(index, made.HOLDING, ids.kind_id(kind)), column)
        for kind, column in found.asked().items()
    }


@given(rows)
def test_every_row_has_one_token_for_each_field(taken: list[Row]) -> None:
    found = derive(taken)
    assert {kind: len(column) for kind, column in found.asked().items()} == dict.fromkeys(KINDS, 2 * len(taken))
    columns = found.tokens(given_tokens(found))
    assert set(columns) == set(FIELDS)
    assert all(len(set(row)) == len(FIELDS) for row in zip(*columns.values(), strict=True))


@given(rows)
def test_every_value_is_found_and_nothing_else_is(taken: list[Row]) -> None:
    found = derive(taken)
    for at, row in enumerate(taken):
        for kind, names in KINDS.items():
            values = {value for name in names if (value := row[name])}
            normal = [fields.normal(FIELDS[names[0]], value) for value in sorted(values)]
            real = set(person.inners(made.KEYS, kind, normal))
            every = set(person.inners(made.KEYS, kind, PHONES if kind == "phone" else NUMBERS))
            sent = {found.sent[name][at] for name in names}
            assert sent & every == real
        own = person.inners(made.KEYS, "resident-id", [row["number"]] if row["number"] else [])
        assert found.own["number"][at] == b"".join(own), "who a record is about, whatever stands for it in the index"


@given(rows)
def test_the_next_version_of_a_record_with_a_primary_identifier_has_the_same(taken: list[Row]) -> None:
    first, second = derive(taken), derive(taken)
    for at, row in enumerate(taken):
        same = [first.sent[name][at] == second.sent[name][at] for name in FIELDS]
        if row["number"]:
            assert all(same)
        else:
            # Nothing stable is known of it but its values: the rest is drawn.
            assert not same[list(FIELDS).index("number")]


def test_where_two_fields_have_one_value_the_later_one_counts_as_empty() -> None:
    row: Row = {"guardian": NUMBERS[0], "landline": PHONES[0], "mobile": PHONES[0], "number": NUMBERS[0]}
    found = derive([row, {**row, "guardian": None, "mobile": None}])
    (seed,) = person.inners(made.KEYS, "resident-id", NUMBERS[:1])
    assert found.sent["mobile"] == person.no_value(made.KEYS, "phone", "mobile", [seed, seed])
    assert found.sent["number"] == [person.no_value(made.KEYS, "resident-id", "number", [seed])[0], seed]
    # Rows are matched by the value that they have.
    assert len(set(found.tokens_of("number", given_tokens(found)))) == 1
    assert found.tokens_of("number", given_tokens(found))[0] == found.tokens(given_tokens(found))["guardian"][0]


def test_a_holding_without_identifiers_has_no_tokens() -> None:
    holding = sample.holding(fields={"name": sample.field("person-name")})
    found = identifiers.derive(made.KEYS, holding, Values({"name": ["a"]}, 1, 0, []), os.urandom)
    assert (found.asked(), found.tokens({})) == ({}, {})
