"""Tags and the day files that list them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import EntryError
from strongroom.ledger import tag

pairs = st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(0, 2**64 - 1)), unique=True)


def test_a_chain_as_the_specification_writes_it() -> None:
    key, holding, who = bytes(range(32)), b"h" * 16, b"w" * 16
    chain = tag.chain_key(key, holding, who, 1)
    message = b"strongroom/v1 chain\0" + holding + who + bytes(7) + b"\1"
    assert chain == hmac.new(key, message, hashlib.sha256).digest()
    second = hmac.new(chain, b"strongroom/v1 tag\0" + bytes(7) + b"\2", hashlib.sha256).digest()[:16]
    assert tag.tags(chain, 1, 3) == [tag.tag(chain, 1), second, tag.tag(chain, 3)]
    assert len({*tag.tags(chain, 1, 100), *tag.tags(tag.chain_key(key, holding, who, 2), 1, 100)}) == 200


def test_a_pseudonym_as_the_specification_writes_it() -> None:
    key, reader = bytes(range(32)), b"r" * 16
    first, last, after = 1_793_491_200, 1_796_083_199, 1_796_083_200  # November 2026, to its last second
    want = hmac.new(key, b"strongroom/v1 asker\0" + reader + b"2026-11", hashlib.sha256).digest()[:12]
    assert tag.asker(key, reader, first) == tag.asker(key, reader, last) == want
    assert tag.asker(key, reader, after) != want != tag.asker(key, reader, first - 1)


def test_widths_are_fixed() -> None:
    for arguments in (
        (b"", b"h" * 16, b"w" * 16, 1),
        (bytes(32), b"h" * 17, b"w" * 15, 1),
        (bytes(32), b"h" * 16, b"w" * 16, 0),
    ):
        with pytest.raises(ValueError, match="want a key"):
            tag.chain_key(*arguments)
    with pytest.raises(ValueError, match="from 1"):
        tag.tag(bytes(32), 0)


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(1, 2**64 - 1),
    st.lists(
        st.tuples(
            st.sampled_from([b"a" * 16, b"b" * 16]) | st.binary(min_size=16, max_size=16), st.integers(1, 2**64 - 1)
        )
    ),
)
def test_the_next_tags_are_those_of_each_chain(key: bytes, generation: int, numbered: list[tuple[bytes, int]]) -> None:
    found = tag.next_tags(key, b"h" * 16, generation, numbered)
    assert found == [tag.tag(tag.chain_key(key, b"h" * 16, who, generation), n) for who, n in numbered]


def test_the_next_tags_refuse_what_one_refuses() -> None:
    good = (bytes(16), 1)
    for key, holding, generation, bad in (
        (bytes(31), bytes(16), 1, good), (bytes(32), bytes(17), 1, good), (bytes(32), bytes(16), 0, good),
        (bytes(32), bytes(16), 1, (bytes(15), 1)), (bytes(32), bytes(16), 1, (bytes(17), 1)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="want a key"):
            tag.next_tags(key, holding, generation, [good, bad])
    with pytest.raises(ValueError, match="from 1"):
        tag.next_tags(bytes(32), bytes(16), 1, [good, (bytes(16), 0)])


def test_marks_are_as_the_specification_writes_them() -> None:
    key, handles = bytes(range(32)), [b"a" * 16, b"b" * 16]
    want = [hmac.new(key, b"strongroom/v1 erased\0" + b"h" * 16 + one, hashlib.sha256).digest()[:16] for one in handles]
    assert tag.erased(key, b"h" * 16, handles) == want
    assert tag.erased(key, b"h" * 16, []) == []


def test_days_are_those_of_utc() -> None:
    assert tag.day_path(0) == "tags/1970-01-01"
    assert tag.day_path(1_700_000_000) == "tags/2023-11-14"
    assert tag.day_path(1_700_006_400 - 1) == "tags/2023-11-14"
    assert tag.day_path(1_700_006_400) == "tags/2023-11-15"
    with pytest.raises(EntryError):
        tag.day_path(2**53 - 1)


@given(pairs)
def test_day_files_come_back_sorted(listed: list[tuple[bytes, int]]) -> None:
    data = tag.marshal_day(listed)
    assert tag.parse_day(data) == sorted(listed)
    assert tag.marshal_day(reversed(listed)) == data


@given(st.one_of(st.binary(), pairs.map(lambda listed: b"".join(t + n.to_bytes(8, "big") for t, n in listed))))
def test_any_day_file_is_canonical_or_refused(data: bytes) -> None:
    try:
        found = tag.parse_day(data)
    except EntryError:
        return
    assert tag.marshal_day(found) == data


def test_a_day_file_lists_a_pair_once() -> None:
    for listed in ([(bytes(16), 1)] * 2, [(bytes(15), 1)]):
        with pytest.raises(EntryError):
            tag.marshal_day(listed)
    with pytest.raises(EntryError):
        tag.parse_day(bytes(48))
