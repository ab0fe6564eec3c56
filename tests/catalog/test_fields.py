"""Values: what is stored, what they are compared by, what is refused and why (SPEC.md 6.4)."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric
from tests.catalog import pictures, sample

from strongroom.catalog import values
from strongroom.catalog.fields import kind, missing, normal, parse, parser, warnings, width
from strongroom.catalog.model import Field
from strongroom.catalog.text import clean, folded
from strongroom.catalog.types import TYPES
from strongroom.catalog.unassigned import unassigned
from strongroom.errors import ValueRejected

VECTORS: list[dict[str, Any]] = json.loads(Path("vectors/fields.json").read_text("utf-8"))["values"]


def field_of(vector: dict[str, Any]) -> Field:
    return sample.field(vector["type"], **vector.get("field", {}))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['type']}: {vector['why']}")
def test_value(vector: dict[str, Any]) -> None:
    field = field_of(vector)
    if "reason" in vector:
        with pytest.raises(ValueRejected, match=re.escape(vector["reason"])):
            parse(field, vector["raw"])
        return
    stored = parse(field, vector["raw"])
    assert stored == vector["stored"]
    if "normal" in vector:
        assert stored is not None
        assert normal(field, stored) == vector["normal"]


def test_vectors_accept_and_refuse_every_type() -> None:
    assert {vector["type"] for vector in VECTORS if "stored" in vector} == set(TYPES)
    assert {vector["type"] for vector in VECTORS if "reason" in vector} == set(TYPES)


FIELDS = [
    *(sample.field(name, values=["a", "bb"] if name == "enum" else []) for name in TYPES),
    sample.field("text", pattern="[A-Z]{2}[0-9]+", max=12),
    sample.field("text", identifier="secondary"),
    sample.field("phone", region="CN"),
    sample.field("number", required=True, max=4),
]
raws = (
    st.text(max_size=60)
    | st.from_regex(r"[+-]?\d{1,18}[xX.]?\d{0,3}")
    | st.dates().map(str)
    | st.emails()
    | st.from_regex(r"\+?[0-9 ()./-]{3,20}", fullmatch=True)
    | st.sampled_from(
        [pictures.text(made()) for made in (pictures.png, pictures.jpeg, pictures.webp, pictures.webp_lossy)]
    )
)


@given(st.sampled_from(FIELDS), raws)
def test_only_our_error_escapes_and_what_is_stored_stays(field: Field, raw: str) -> None:
    """The reason never quotes the value; a stored value is its own stored value, within its width, with a normal form."""
    try:
        stored = parse(field, raw)
    except ValueRejected as found:
        said = str(found)
        assert said.replace(f"than {width(field)} bytes", "than N bytes") in REASONS
        return
    if stored is None:
        assert not field.required
        return
    assert parse(field, stored) == stored
    assert len(stored.encode()) <= width(field)
    if TYPES[field.type].identifier:
        form = normal(field, stored)
        assert form
        assert folded(form) == form or field.type not in ("text", "email")
    assert all(stored not in text for text in warnings(field, stored))


REASONS = {
    "is longer than N bytes",
    "has a control character",
    "has a control, direction or undecodable character",
    "is missing, and the field is required",
    "is not one of the declared values",
    "does not match the field's pattern",
    "has no visible character to be found by",
    "has a character that Unicode 14.0 does not have, and cannot be found by it",
    "want 18 characters: 17 digits and a digit or X",
    "has a birth date that does not exist",
    "its check character is wrong: a digit is mistyped",
    "want a date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD",
    "is a date that does not exist",
    "want a decimal number such as -12.5, without separators or exponent",
    "want a telephone number: digits, spaces and + ( ) . / - alone, without extension",
    "want the country before the number, such as +86, since the field declares no region",
    "is not a telephone number",
    "has too few or too many digits for its country",
    "is not an e-mail address",
    "is not an e-mail address: its domain has no dot",
    "want a picture in base64",
    "want a PNG, JPEG or WebP, whole and with nothing after it",
    "want a picture with sides of 1 to 16383 pixels",
}


@given(st.integers(100000, 999999), st.dates(min_value=date(1000, 1, 1)), st.integers(0, 999), st.integers(1, 17))
def test_resident_id_holds_by_check_and_date(region: int, born: date, turn: int, at: int) -> None:
    digits = f"{region}{born:%Y%m%d}{turn:03}" if born.year >= 1000 else ""
    number = digits + ric.calc_check_digit(f"{digits}0")
    assert values.resident_id(number.lower()) == number
    wrong = number[: at - 1] + str((int(number[at - 1]) + 1) % 10) + number[at:]
    with pytest.raises(ValueRejected):
        values.resident_id(wrong)


@given(st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True))
def test_check_characters_agree_with_the_library(text: str) -> None:
    assert values.checks(text) == (ric.calc_check_digit(text) == text[-1])
    assert values.checks(text[:-1] + ric.calc_check_digit(text))


@given(st.dates(min_value=date(1000, 1, 1)))
def test_three_ways_to_write_a_date_are_one(day: date) -> None:
    assert {values.calendar_date(f"{day:{form}}") for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")} == {day.isoformat()}
    assert values.calendar_date((day + timedelta(0)).isoformat()) == str(day)


@given(st.from_regex(r"(\+86)?1[3-9][0-9]{9}", fullmatch=True))
def test_short_way_for_phones_agrees_with_the_library(text: str) -> None:
    number = phonenumbers.parse(text, "CN")
    assert values.phone(text, "CN") == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert phonenumbers.is_possible_number(number)


@given(st.from_regex(r"\+8610[0-9]{8}", fullmatch=True), st.sampled_from(["CN", "", "US"]))
def test_short_way_for_fixed_lines_of_beijing_agrees_with_the_library(text: str, region: str) -> None:
    number = phonenumbers.parse(text, region or None)
    assert values._PHONE_BEIJING.fullmatch(text)
    assert values.phone(text, region) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert phonenumbers.is_possible_number(number)


labels = st.text(alphabet="aB0", min_size=1, max_size=8) | st.sampled_from(["a-b", "a--b", "xn--a", "-a"])
mails = st.builds(
    lambda local, domain, last: f"{local}@{'.'.join(domain)}.{last}",
    st.lists(st.text(alphabet="aZ0_", min_size=1, max_size=3), min_size=1, max_size=3).map("+".join)
    | st.text("a.+-", min_size=1),
    st.lists(labels, min_size=1, max_size=3),
    st.sampled_from(["com", "Example", "TEST", "local", "cn", "co"]),
)


@given(mails)
def test_short_way_for_email_agrees_with_the_library(text: str) -> None:
    assume(values._EMAIL.fullmatch(text))
    try:
        wanted = validate_email(text, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError:
        with pytest.raises(ValueRejected):
            values.email(text)
    else:
        assert values.email(text) == wanted


@given(st.text(max_size=40))
def test_clean_and_folded_are_settled(text: str) -> None:
    try:
        once = clean(text)
    except ValueRejected:
        return
    assert clean(once) == once
    assert folded(folded(once)) == folded(once)


def test_folding_every_character_once_is_enough() -> None:
    unsettled = [
        c for c in map(chr, range(0x110000)) if not 0xD800 <= ord(c) < 0xE000 and folded(folded(c)) != folded(c)
    ]
    assert not unsettled


@given(
    st.text(
        st.sampled_from(
            "aAeEiIsßſkKµİıʼnǰΐᾳᾼ\u0345ς \u00a0\u1680\u0301\u0307\u0308\u0327\u031b\u200c\u200dｅﬁ①각\u1100\u1161\u11a8"
        )
    )
)
def test_folding_is_settled_whatever_stands_together(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_a_joiner_between_any_letter_and_mark_is_as_none() -> None:
    for mark in "\u0301\u0307\u0308\u030c\u0327\u0345\u3099":
        for letter in map(chr, range(0x20, 0x3100)):
            assert folded(folded(f"{letter}\u200d{mark}")) == folded(f"{letter}\u200d{mark}")


def test_unassigned_are_those_of_unicode_14() -> None:
    """Whatever this Python knows: a later one has assigned some of them and no others."""
    listed = {c for c in range(0x110000) if unassigned(chr(c))}
    own = {c for c in range(0x110000) if unicodedata.category(chr(c)) == "Cn"}
    assert own <= listed
    assert len(listed) == 829_834
    if unicodedata.unidata_version == "14.0.0":
        assert own == listed


def test_ten_megabytes_are_refused_before_they_cost() -> None:
    with pytest.raises(ValueRejected, match="longer than 64 bytes"):
        parse(sample.field("text"), "é" * 10_000_000)


def test_kinds() -> None:
    assert kind("badge", sample.field("text")) == "text:badge"
    assert kind("case", sample.field("number")) == "number:case"
    assert kind("mobile", sample.field("phone")) == "phone"


def test_type_that_identifies_nobody_has_no_normal_form() -> None:
    with pytest.raises(ValueRejected, match="a date is not an identifier"):
        normal(sample.field("date"), "2000-01-01")


def test_unassigned_region_and_unused_range_are_warnings() -> None:
    field = sample.field("resident-id")
    assert warnings(field, "11010519491231002X") == []
    assert warnings(field, "99010119491231002X") == ["its region code is not assigned"]
    assert warnings(sample.field("phone"), "+8619999999999") == []
    assert len(warnings(sample.field("phone"), "+12001230000")) == 1


def test_one_parser_for_a_column() -> None:
    reads = parser(sample.field("date", required=True))
    assert [reads(raw) for raw in ("20000229", " 2000-02-29 ")] == ["2000-02-29"] * 2
    with pytest.raises(ValueRejected, match="required"):
        reads("  ")


MADE = [pictures.png(), pictures.jpeg(), pictures.webp(), pictures.webp_lossy(), pictures.webp_extended()]


@given(st.sampled_from(MADE), st.data())
def test_a_picture_that_is_changed_is_refused_or_still_one(picture: bytes, data: st.DataObject) -> None:
    """Whatever is done to it: our error, or the very bytes in canonical base64; and never with anything behind it."""
    at = data.draw(st.integers(0, len(picture)))
    changed = picture[:at] + data.draw(st.binary(max_size=6)) + picture[at + data.draw(st.integers(0, 6)) :]
    try:
        stored = parse(sample.field("image"), pictures.text(changed))
    except ValueRejected:
        return
    assert stored == pictures.text(changed)
    assert (
        changed[-2:] == b"\xff\xd9"
        or changed[-8:-4] == b"IEND"
        or len(changed) == int.from_bytes(changed[4:8], "little") + 8
    )


@given(
    st.binary(min_size=1, max_size=64),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBPVP8 "]),
)
def test_no_bytes_break_the_reading_of_pictures(data: bytes, head: bytes) -> None:
    with pytest.raises(ValueRejected):
        parse(sample.field("image"), pictures.text(head + data))


def test_the_largest_picture_fits_and_no_larger() -> None:
    field = sample.field("image", max=262_144)
    png = pictures.png()
    filled = png[:-12] + b"\0" * (196_608 - len(png)) + png[-12:]
    assert parse(field, pictures.text(filled)) == pictures.text(filled)
    with pytest.raises(ValueRejected, match="longer than 262144 bytes"):
        parse(field, pictures.text(filled[:-12] + b"\0\0\0" + png[-12:]))


CODES = sample.holding(
    fields={
        "id-number": sample.field("resident-id", identifier="primary", required=True),
        "code": sample.field(
            "enum",
            "contact",
            values=["green", "yellow", "红"],
            needs={"evidence": ["yellow", "红"], "seen": ["红"]},
        ),
        "evidence": sample.field("text", "contact"),
        "seen": sample.field("date", "contact"),
    }
)


@pytest.mark.parametrize(
    ("record", "lacks"),
    [
        ({"code": "green"}, []),
        ({"code": None}, []),
        ({}, []),
        ({"code": "yellow"}, ["evidence"]),
        ({"code": "红"}, ["evidence", "seen"]),
        ({"code": "红", "evidence": "PCR 2026/17", "seen": None}, ["seen"]),
        ({"code": "红", "evidence": "PCR 2026/17", "seen": "2026-11-02"}, []),
    ],
)
def test_a_value_may_need_others(record: dict[str, str | None], lacks: list[str]) -> None:
    found = missing(CODES, record)
    assert [field for field, _ in found] == lacks
    assert {reason for _, reason in found} <= {"is missing, and what code says needs it"}
