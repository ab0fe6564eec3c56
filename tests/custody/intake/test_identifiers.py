"""What records are indexed by (SPEC.md 2.3, 3.6): as many tokens for every record, whatever it lacks or has twice."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample
from tests.seal import made

from strongroom.catalog import fields
from strongroom.custody.intake import identifiers
from strongroom.custody.intake.identifiers import Bound, Columns, Identifiers
from strongroom.seal import ids, person, token

FIELDS = {
    "guardian": sample.field("resident-id", identifier="secondary"),
    "landline": sample.field("phone", region="CN", identifier="primary"),
    "mobile": sample.field("phone", region="CN", identifier="primary"),
    "number": sample.field("resident-id", identifier="primary"),
}
HOLDING = sample.holding(fields=FIELDS)
KINDS = {"phone": ["landline", "mobile"], "resident-id": ["guardian", "number"]}
HANDLES = [made.draw(f"handle {at}", 16) for at in range(6)]
PHONES, NUMBERS = ("+861001234567", "+861007654321"), ("110101199003074418", "11010119900307109X")

Row = dict[str, str | None]
rows = st.lists(
    st.fixed_dictionaries({
        name: st.sampled_from([None, *(PHONES if field.type == "phone" else NUMBERS)]) for name, field in FIELDS.items()
    }),
    min_size=1, max_size=6,
)  # fmt: skip


def derive(taken: list[Row]) -> tuple[Identifiers, Bound]:
    found = identifiers.derive(made.KEYS, HOLDING, {name: [row[name] for row in taken] for name in FIELDS})
    return found, found.bind(made.KEYS, HANDLES[: len(taken)])


def tokens(inners: Columns) -> Columns:
    """What the keyholder answers."""
    keys = {
        name: token.index_key(made.draw("K_index", 32), made.HOLDING, ids.kind_id(kind))
        for kind, names in KINDS.items()
        for name in names
    }
    return {name: token.tokens(keys[name], column) for name, column in inners.items()}


def by_row(columns: Columns) -> list[set[bytes]]:
    return [set(row) for row in zip(*columns.values(), strict=True)]


@given(rows)
def test_every_row_has_one_token_for_each_field(taken: list[Row]) -> None:
    _, bound = derive(taken)
    assert set(bound.sent) == set(FIELDS)
    assert {len(row) for row in by_row(tokens(bound.sent))} == {len(FIELDS)}


@given(rows)
def test_every_value_is_found_and_nothing_else_is(taken: list[Row]) -> None:
    _, bound = derive(taken)
    for at, row in enumerate(taken):
        for kind, names in KINDS.items():
            real = set(inners(kind, {value for name in names if (value := row[name])}))
            every = set(inners(kind, PHONES if kind == "phone" else NUMBERS))
            assert {bound.sent[name][at] for name in names} & every == real


@given(rows)
def test_each_identifier_is_one_person_or_somebody_unidentified(taken: list[Row]) -> None:
    _, bound = derive(taken)
    for name in ("landline", "mobile", "number"):
        kind = "resident-id" if name == "number" else "phone"
        whos = bound.whos(made.KEYS, name, HANDLES)
        for at, row in enumerate(taken):
            value = row[name]
            inner = inners(kind, [value])[0] if value else person.no_value(made.KEYS, kind, name, [HANDLES[at]])[0]
            assert whos[at] == inner[:16], "the same person in whatever field, also where its token is asked once"
    assert bound.whos(made.KEYS, "", HANDLES[:1]) == [person.who_of_handle(made.KEYS, HANDLES[0])]


@given(rows, st.sampled_from(sorted(FIELDS)))
def test_with_the_key_first_the_rest_gives_the_same_tokens_and_asks_none_twice(taken: list[Row], key: str) -> None:
    taken = [{**row, key: row[key] or (PHONES if FIELDS[key].type == "phone" else NUMBERS)[0]} for row in taken]
    found, bound = derive(taken)
    rest = found.beside(key, bound)
    assert set(rest) == set(FIELDS) - {key}
    in_two = tokens(rest) | tokens({key: found.own[key]})
    assert by_row(in_two) == by_row(tokens(bound.sent))
    assert {len(row) for row in by_row(in_two)} == {len(FIELDS)}


def test_where_two_fields_have_one_value_the_later_one_counts_as_empty() -> None:
    row: Row = {"guardian": NUMBERS[0], "landline": PHONES[0], "mobile": PHONES[0], "number": NUMBERS[0]}
    found, bound = derive([row, {**row, "guardian": None, "mobile": None}])
    assert bound.sent["mobile"] == person.no_value(made.KEYS, "phone", "mobile", HANDLES[:2])
    assert bound.sent["number"][0] == person.no_value(made.KEYS, "resident-id", "number", HANDLES[:1])[0]
    assert bound.sent["number"][1] == found.own["number"][1]


def test_a_record_without_values_is_the_same_nobody_in_every_version_and_in_no_other_record() -> None:
    none: Row = dict.fromkeys(FIELDS)
    (_, one), (_, two) = derive([none, none]), derive([none, none])
    assert one.named == one.sent == two.sent
    assert len({inner for column in one.sent.values() for inner in column}) == 2 * len(FIELDS)


def test_a_holding_without_identifiers_has_no_tokens() -> None:
    holding = sample.holding(fields={"name": sample.field("person-name")})
    found = identifiers.derive(made.KEYS, holding, {"name": ["a"]})
    assert found.bind(made.KEYS, HANDLES[:1]).sent == {}


def inners(kind: str, values: Iterable[str]) -> list[bytes]:
    field = FIELDS["mobile"] if kind == "phone" else FIELDS["number"]
    return person.inners(made.KEYS, kind, [fields.normal(field, value) for value in sorted(values)])
