"""Row bodies, padding, plaintexts, epochs: written and parsed one way only (SPEC 3.1, 3.5, 3.6)."""

from __future__ import annotations

import contextlib
import datetime

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import FormatError, SealError
from strongroom.seal import body
from strongroom.seal.epoch import NEVER, epoch_of, epoch_text, expiry_of, parse_epoch
from strongroom.seal.padding import pad, pad_many, padded_size, unpad
from strongroom.seal.plaintext import decode_fields, encode_many

slots = st.builds(
    body.Slot, st.integers(1, 65535), st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=80)
)
bodies = st.lists(slots, min_size=1, max_size=5, unique_by=lambda s: s.compartment).map(sorted)
floors = st.integers(1, 1023).map(lambda n: n * 64)

CORPUS = [
    body.build([body.Slot(1, bytes(16), b"a")]),
    body.build([body.Slot(1, b"m" * 16, b"a" * 109), body.Slot(65535, bytes(16), b"b")]),
]


def test_there_is_a_corpus() -> None:
    assert CORPUS


@given(bodies)
def test_a_body_is_parsed_as_built(found: list[body.Slot]) -> None:
    assert body.parse(body.build(found)) == found


@given(st.binary(max_size=200))
def test_a_body_parser_meets_any_bytes(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        assert body.build(body.parse(data)) == data


@given(st.sampled_from(CORPUS), st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 3))
def test_a_body_parser_meets_near_misses(data: bytes, at: int, byte: int, change: int) -> None:
    at %= len(data)
    changed = [
        data[:at] + bytes([byte]) + data[at + 1 :],
        data[:at],
        data[:at] + bytes([byte]) + data[at:],
        data + data[at:],
    ][change]
    with contextlib.suppress(FormatError):
        assert body.build(body.parse(changed)) == changed


def test_a_body_is_not_built_wrong() -> None:
    good = body.Slot(1, bytes(16), b"a")
    for bad in (
        [], [good, good], [good._replace(compartment=2), good], [good._replace(compartment=0)],
        [good._replace(compartment=65536)], [good._replace(masked=bytes(15))], [good._replace(blob=b"")],
    ):  # fmt: skip
        with pytest.raises(SealError):
            body.build(bad)


@given(st.binary(max_size=3000), floors)
@example(b"\x80" * 63, 64)
@example(b"\x80\0\0", 64)
@example(b"", 64)
def test_padding_comes_off(data: bytes, floor: int) -> None:
    padded = pad(data, floor)
    assert len(padded) == padded_size(len(data) + 1, floor) > len(data)
    assert unpad(padded) == data


@given(st.lists(st.binary(max_size=300), max_size=4), st.sampled_from([64, 128, 256]))
def test_a_column_is_padded_as_each(column: list[bytes], floor: int) -> None:
    assert pad_many(column, floor) == [pad(data, floor) for data in column]
    with pytest.raises(SealError):
        pad_many(column, floor + 1)


@given(st.integers(1, 2**40), floors)
def test_padded_sizes_are_few(n: int, floor: int) -> None:
    size = padded_size(n, floor)
    assert size >= max(n, floor)
    assert size % 64 == 0
    assert padded_size(size, floor) == size, "a padded size stays"
    assert size <= floor or size - n < max(64, n / 8)


@given(st.binary(max_size=300))
def test_unpad_meets_any_bytes(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        found = unpad(data)
        assert pad(found, len(data)) == data


def test_padding_that_nobody_writes_is_refused() -> None:
    large = pad(bytes(700_000), 64)
    assert unpad(large) == bytes(700_000)
    assert len(pad(b"", 524_288)) == 524_288
    for bad in (b"", bytes(64), b"\x80" + bytes(62) + b"\1", b"\x80" + bytes(62), large + bytes(64)):
        with pytest.raises(FormatError):
            unpad(bad)
    for floor in (0, 63, 65, -64, 524_352):
        with pytest.raises(SealError):
            pad(b"", floor)


def test_an_enum_has_one_width() -> None:
    widths = {"sex": 6}
    short, long = (made.text({"name": "x", "sex": sex}, widths) for sex in ("男", "female"))
    assert len(short) == len(long)
    assert decode_fields(short, {"sex"}) == {"name": "x", "sex": "男"}
    assert decode_fields(short)["sex"] == "男   "
    assert decode_fields(made.text({"sex": None}, widths), {"sex", "other"}) == {"sex": None}
    for bad in ("females", "f "):
        with pytest.raises(SealError):
            made.text({"sex": bad}, widths)


@given(
    st.lists(st.from_regex("[a-z][a-z0-9-]{0,5}", fullmatch=True), min_size=1, max_size=5, unique=True),
    st.lists(st.lists(st.none() | st.text(max_size=8), min_size=5, max_size=5), max_size=4),
)
def test_many_plaintexts_are_what_rfc8785_makes_of_each(names: list[str], rows: list[list[str | None]]) -> None:
    records = [dict(zip(names, row, strict=False)) for row in rows]
    found = encode_many({name: [record[name] for record in records] for name in names}, {})
    assert found == [rfc8785.dumps(record) for record in records]
    assert [decode_fields(data) for data in found] == records


def test_a_plaintext_is_canonical() -> None:
    assert made.text({"b": "2", "a": None}) == b'{"a":null,"b":"2"}'
    for bad in (
        b"",
        b'{"b":"2","a":null}',
        b'{ "a":null}',
        b'{"a":1}',
        b'{"a":"1","a":"1"}',
        b'["a"]',
        b'{"a":"\xff"}',
    ):
        with pytest.raises(SealError):
            decode_fields(bad)
    with pytest.raises(SealError):
        made.text({"a": "\ud800"})
    with pytest.raises(SealError):
        made.text({"a": "\ud800"}, {"a": 9})


DAY = (datetime.date(2026, 11, 23) - datetime.date(1970, 1, 1)).days


def test_days_on_which_records_expire_and_keys_go() -> None:
    assert epoch_text(expiry_of(DAY, 30)) == "2026-12-23"
    assert epoch_text(expiry_of(DAY, 365)) == "2027-11-23"
    assert epoch_text(expiry_of(DAY, 366)) == "2027-11-01"
    assert expiry_of(DAY, 0) == NEVER == 2**32 - 1
    # The second multiple of 30 days after 20,780 is 20,820; of 20,790 it is 20,850.
    assert [epoch_of(day, 30, NEVER) for day in (20_780, 20_789, 20_790)] == [20_820, 20_820, 20_850]
    assert epoch_of(DAY, 30, DAY + 14) == DAY + 14, "no key outlives what it is for"
    for bad in ((-1, 10), (10, -1), (DAY, 10_000_000)):
        with pytest.raises(SealError):
            expiry_of(*bad)
    for wrong in ((-1, 10, NEVER), (DAY, 0, NEVER), (DAY, -1, NEVER)):
        with pytest.raises(SealError):
            epoch_of(*wrong)


@given(st.integers(0, 40_000), st.integers(1, 40_000))
def test_nothing_outlives_its_retention(day: int, retention: int) -> None:
    expires = expiry_of(day, retention)
    assert day < expires
    assert day + retention - 31 < expires <= day + retention
    assert parse_epoch(epoch_text(expires)) == expires


@given(st.integers(0, 40_000), st.integers(1, 366), st.integers(0, 40_000))
def test_a_key_lives_one_to_two_rotations(day: int, rotation: int, retention: int) -> None:
    expires = expiry_of(day, retention)
    epoch = epoch_of(day, rotation, expires)
    assert epoch <= expires
    assert epoch == expires or day + rotation < epoch <= day + 2 * rotation
    assert parse_epoch(epoch_text(epoch)) == epoch


@given(st.integers(0, 40_000), st.integers(1, 366), st.integers(0, 1_000))
def test_there_is_time_to_reseal(day: int, rotation: int, retention: int) -> None:
    """What is sealed today and has not expired when its key's last rotation begins can go on to a later key then."""
    expires = expiry_of(day, retention)
    epoch = epoch_of(day, rotation, expires)
    last = epoch - rotation
    if epoch < expires:
        assert day < last
        assert epoch < epoch_of(last, rotation, expires) <= expires


@pytest.mark.parametrize(
    "text", ["", "20270101", "2027-W01-1", "2027-1-1", "1969-12-31", "2027-02-30", "２０２７-01-01"]
)
def test_an_epoch_is_written_one_way(text: str) -> None:
    with pytest.raises(FormatError):
        parse_epoch(text)
