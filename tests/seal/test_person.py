"""Persons, buckets and tokens (SPEC 2 and 4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import SealError
from strongroom.seal import ids, person, token

forms = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=20)


@given(forms, st.sampled_from(["phone", "resident-id", "text:plate"]))
def test_the_desk_computes_what_the_vault_computed(values: list[str], kind: str) -> None:
    """The desk has one bucket's key and no more; column and single values agree."""
    found = person.inners(made.KEYS, kind, values)
    for value, inner in zip(values, found, strict=True):
        key = person.bucket_key(made.KEYS.person(kind), person.bucket(kind, value))
        assert person.inner(key, value) == inner
        assert person.who_of_inner(inner) == inner[:16]


@given(st.text(st.characters(codec="utf-8")))
def test_buckets_are_bounded(value: str) -> None:
    assert 0 <= person.bucket("phone", value) < person.BUCKETS == 2**20


def test_kinds_holdings_and_rooms_do_not_meet() -> None:
    other = person.HoldingKeys(made.draw("other KH", 32), made.ROOM, made.HOLDING)
    found = [person.inners(keys, kind, ["1"])[0] for keys in (made.KEYS, other) for kind in ("phone", "email")]
    assert len(set(found)) == 4


def test_what_stands_for_no_value_is_of_one_key_kind_field_and_record() -> None:
    other = person.HoldingKeys(made.draw("other KH", 32), made.ROOM, made.HOLDING)
    handles = [made.draw(f"handle {i}", 16) for i in range(2)]
    found = [
        inner
        for keys in (made.KEYS, other)
        for kind, field in (("phone", "mobile"), ("phone", "landline"), ("email", "mobile"))
        for inner in person.no_value(keys, kind, field, handles)
    ]
    assert len(set(found)) == len({person.who_of_inner(one) for one in found}) == 12
    assert {len(one) for one in found} == {32}
    assert person.no_value(made.KEYS, "phone", "mobile", handles[::-1]) == found[1::-1]
    assert person.no_value(made.KEYS, "phone", "mobile", []) == []


def test_somebody_unidentified_is_nobody_else() -> None:
    """Not the one who is identified by any text, not the other part in the record, and not what stands for nobody."""
    handle = made.draw("handle", 16)
    missing = [person.no_value(made.KEYS, "phone", field, [handle])[0][:16] for field in ("callee", "caller")]
    named = [one[:16] for one in person.inners(made.KEYS, "phone", ["", "1", handle.hex()])]
    assert len({*missing, *named, person.who_of_handle(made.KEYS, handle)}) == 6


def test_bucket_leaves() -> None:
    key = made.KEYS.person("phone")
    found = person.bucket_leaves(key, 5, 8)
    assert found == [person.bucket_leaf(person.bucket_key(key, j)) for j in (5, 6, 7)]
    assert person.bucket_leaves(key, 2**20 - 1) == [person.bucket_leaf(person.bucket_key(key, 2**20 - 1))]


def test_out_of_range() -> None:
    key = made.KEYS.person("phone")
    for run in (
        lambda: person.bucket_key(key, 2**20),
        lambda: person.bucket_key(key, -1),
        lambda: person.bucket_leaves(key, 3, 2),
        lambda: person.inners(made.KEYS, "phone", ["\ud800"]),
        lambda: person.who_of_handle(made.KEYS, bytes(15)),
        lambda: person.no_value(made.KEYS, "phone", "mobile", [bytes(16), bytes(15)]),
        lambda: person.HoldingKeys(bytes(31), made.ROOM, made.HOLDING),
        lambda: token.index_key(bytes(31), made.HOLDING, bytes(16)),
        lambda: token.tokens(bytes(32), [bytes(31)]),
        lambda: ids.holding_id(bytes(15), "x"),
        lambda: ids.keyholder_id(bytes(31)),
    ):
        with pytest.raises(SealError):
            run()


def test_tokens_are_the_keyholders() -> None:
    inners = person.inners(made.KEYS, "phone", ["1", "2", "1"])
    found = token.tokens(token.index_key(made.draw("K_index", 32), made.HOLDING, ids.kind_id("phone")), inners)
    assert found[0] == found[2] != found[1]
    assert {len(one) for one in found} == {16}
    other = token.tokens(token.index_key(made.draw("K_index", 32), made.HOLDING, ids.kind_id("email")), inners)
    assert not set(found) & set(other)
