"""Canonical JSON: one text for one value, checked against another implementation of RFC 8785."""

from __future__ import annotations

import base64
import traceback
from typing import Any, Literal

import pytest
import rfc8785
from hypothesis import assume, example, given
from hypothesis import strategies as st

from strongroom.canonical import U16, Bytes12, Bytes16, Codec, Name, Number, Record, encode
from strongroom.errors import EntryError, FormatError


class Inner(Record):
    note: str


class Sample(Record):
    v: Literal[1]
    name: str
    count: Number
    key: Bytes16
    tags: list[Bytes12]
    sizes: dict[Name, U16]
    inner: Inner | None
    done: bool


codec: Codec[Sample] = Codec(Sample, "sample")

integers = st.integers(0, 2**53 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=0x7F))
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda children: st.lists(children) | st.dictionaries(keys, children),
    max_leaves=20,
)
samples = st.builds(
    Sample,
    v=st.just(1),
    name=texts,
    count=integers,
    key=st.binary(min_size=16, max_size=16),
    tags=st.lists(st.binary(min_size=12, max_size=12), max_size=4),
    sizes=st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True), st.integers(0, 65535), max_size=4),
    inner=st.none() | st.builds(Inner, note=texts),
    done=st.booleans(),
)

GOOD = (
    b'{"count":7,"done":true,"inner":{"note":"a"},"key":"AAECAwQFBgcICQoLDA0ODw==",'
    b'"name":"n","sizes":{"a":1,"b":2},"tags":[],"v":1}'
)


def change(old: str, new: str) -> bytes:
    assert GOOD.count(old.encode()) == 1
    return GOOD.replace(old.encode(), new.encode())


@given(values)
@example('\x00\x08\t\n\x0b\x0c\r\x1f"\\/\x7f\u2028\u2029\ufeff\U0001f510')
@example({"b": 0, "a": 2**53 - 1, "": None, "A": [], "~": {}})
def test_encodes_as_rfc8785_does(value: Any) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(samples)
def test_records_encode_as_rfc8785_does(sample: Sample) -> None:
    plain: Any = {
        "v": 1,
        "name": sample.name,
        "count": sample.count,
        "key": base64.b64encode(sample.key).decode(),
        "tags": [base64.b64encode(tag).decode() for tag in sample.tags],
        "sizes": sample.sizes,
        "inner": sample.inner and {"note": sample.inner.note},
        "done": sample.done,
    }
    assert encode(sample) == rfc8785.dumps(plain)


@given(samples)
def test_parses_what_it_wrote(sample: Sample) -> None:
    assert codec.parse(encode(sample)) == sample


@given(samples, st.data())
def test_one_byte_changed_is_another_value_or_refused(sample: Sample, data: st.DataObject) -> None:
    text = bytearray(encode(sample))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] = data.draw(st.integers(0, 255))
    assume(bytes(text) != encode(sample))
    try:
        found = codec.parse(bytes(text))
    except FormatError:
        return
    assert found != sample
    assert encode(found) == text


@given(st.binary())
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        codec.parse(data)


REFUSED = {
    "empty": b"",
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "leading space": b" " + GOOD,
    "trailing newline": GOOD + b"\n",
    "inner space": change('"count":7', '"count": 7'),
    "second value": GOOD + GOOD,
    "null byte after": GOOD + b"\0",
    "duplicate member": change('"count":7', '"count":7,"count":7'),
    "duplicate with another value": change('"count":7', '"count":8,"count":7'),
    "duplicate key of a map": change('"a":1', '"a":1,"a":1'),
    "members in another order": change('"count":7,"done":true', '"done":true,"count":7'),
    "map keys in another order": change('"a":1,"b":2', '"b":2,"a":1'),
    "unknown member": change('"count":7', '"count":7,"d":1'),
    "missing member": change('"count":7,', ""),
    "float": change('"count":7', '"count":7.0'),
    "exponent": change('"count":7', '"count":7e0'),
    "fraction": change('"count":7', '"count":7.5'),
    "minus zero": change('"count":7', '"count":-0'),
    "negative": change('"count":7', '"count":-7'),
    "plus sign": change('"count":7', '"count":+7'),
    "leading zero": change('"count":7', '"count":07'),
    "2^53": change('"count":7', f'"count":{2**53}'),
    "2^64": change('"count":7', f'"count":{2**64}'),
    "a thousand digits": change('"count":7', '"count":' + "9" * 1000),
    "number as text": change('"count":7', '"count":"7"'),
    "NaN": change('"count":7', '"count":NaN'),
    "truth as number": change('"done":true', '"done":1'),
    "literal out of set": change('"v":1', '"v":2'),
    "needless escape": change('"name":"n"', '"name":"\\u006e"'),
    "escaped slash": change('"name":"n"', '"name":"\\/"'),
    "upper-case escape": change('"name":"n"', '"name":"\\u001F"'),
    "long form of a short escape": change('"name":"n"', '"name":"\\u000a"'),
    "raw control": change('"name":"n"', '"name":"\n"'),
    "escaped pair": change('"name":"n"', '"name":"\\ud83d\\udd10"'),
    "lone high surrogate": change('"name":"n"', '"name":"\\ud800"'),
    "lone low surrogate": change('"name":"n"', '"name":"\\udc00"'),
    "raw surrogate": GOOD.replace(b'"n"', b'"\xed\xa0\x80"'),
    "overlong UTF-8": GOOD.replace(b'"n"', b'"\xc0\xaf"'),
    "not UTF-8": GOOD.replace(b'"n"', b'"\xff"'),
    "escaped member name": change('"count":7', '"\\u0063ount":7'),
    "base64 without padding": change('Dw=="', 'Dw"'),
    "base64 with loose bits": change('Dw=="', 'Dx=="'),
    "url-safe base64": change("AAECAwQFBgcICQoLDA0ODw==", "-_ECAwQFBgcICQoLDA0ODw=="),
    "base64 with a newline": change("AAEC", "AAEC\\n"),
    "bytes too short": change("AAECAwQFBgcICQoLDA0ODw==", "AAEC"),
    "null where bytes belong": change('"AAECAwQFBgcICQoLDA0ODw=="', "null"),
    "upper-case name": change('"a":1', '"A":1'),
    "name with a newline": change('"a":1', '"a\\n":1'),
    "u16 too large": change('"b":2', '"b":65536'),
    "array for object": b"[]",
    "comment": change('"v":1', '"v":1/**/'),
    "trailing comma": change('"v":1', '"v":1,'),
    "deep nesting": b'{"inner":' * 100_000,
    "deep array": b"[" * 1_000_000,
}


def test_the_good_text_is_good() -> None:
    assert encode(codec.parse(GOOD)) == GOOD


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_refuses(text: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        codec.parse(text)
    assert str(caught.value).startswith("sample: ")


SECRET = "11010519491231002X"


@pytest.mark.parametrize(
    "text",
    [
        change('"name":"n"', f'"name":"n","{SECRET}":1'),
        change('"note":"a"', f'"note":"a","{SECRET}":1'),
        # msgspec ends its messages with the place; a member so named must not pass for one.
        change('"count":7', f'"count":7,"d - at `$.{SECRET}":1'),
        change('"note":"a"', f'"note":"a","b` - at `$.{SECRET}":1'),
        change('"count":7', f'"count":"{SECRET}"'),
        change('"v":1', f'"v":"{SECRET}"'),
        change('"a":1', f'"{SECRET}":1'),
        change("AAECAwQFBgcICQoLDA0ODw==", SECRET),
        change('"name":"n"', f'"name": "{SECRET}"'),
        change('"name":"n"', f'"name":"{SECRET}'),
        SECRET.encode(),
    ],
)
def test_a_refusal_never_holds_the_value(text: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        codec.parse(text)
    # As a log would show it, with whatever the error was raised from.
    assert SECRET not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_refusal_names_the_member() -> None:
    with pytest.raises(FormatError, match=r"\$\.count"):
        codec.parse(change('"count":7', '"count":"7"'))
    with pytest.raises(FormatError, match="`note`"):
        codec.parse(change('{"note":"a"}', "{}"))


def test_raises_what_it_was_told() -> None:
    with pytest.raises(EntryError, match="entry"):
        Codec(Sample, "entry", EntryError).parse(b"{}")
