"""A column is opened as each of it is alone; where one is bent, all are refused, in the way in which that one is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import CommitmentError, FormatError, SealError, StrongroomError
from strongroom.seal import body, compartment, padding, plaintext
from strongroom.seal.cleartext import open_column, open_compartment
from strongroom.seal.slot import address

texts = st.text(st.characters(codec="utf-8"), max_size=80)
fields = st.dictionaries(st.sampled_from(["name", "sex", "email"]), st.none() | texts, min_size=1, max_size=3)
GOOD = b'{"name":"Ada"}'


def sealed(at: int, padded: bytes, share: bytes | None = None) -> tuple[bytes, tuple[bytes, int, int], bytes]:
    """Share, place and blob of a slot of its own for each ``at``."""
    share, place = share or made.draw(f"share {at}", 32), (made.draw(f"handle {at}", 16), at + 1, at % 3 + 1)
    aad = compartment.associated(made.KEYS) + address(*place)
    (blob,) = compartment.seal_many(made.KEYS, [share], [made.draw(f"nonce {at}", 12)], [padded], [aad])
    return share, place, blob


def opened(some: Sequence[Any]) -> list[dict[str, str | None]]:
    shares, places, blobs = zip(*some, strict=True) if some else ((), (), ())
    return open_column(made.KEYS, shares, places, blobs, {"sex"})


def alone(one: Any) -> dict[str, str | None]:
    share, (handle, version, number), blob = one
    return open_compartment(made.KEYS, share, handle, version, number, blob, {"sex"})


@given(st.lists(fields, max_size=6), st.sampled_from([64, 256]))
def test_a_column_is_what_each_is_alone(records: list[dict[str, str | None]], floor: int) -> None:
    some = [sealed(at, padding.pad(made.text(record), floor)) for at, record in enumerate(records)]
    found = opened(some)
    assert found == [alone(one) for one in some]
    assert [{**one, "sex": None} for one in found] == [{**one, "sex": None} for one in records]
    for one, record in zip(found, records, strict=True):
        assert one.get("sex") == ((record.get("sex") or "").rstrip(" ") if record.get("sex") is not None else None)


BENT: dict[str, tuple[type[SealError], Callable[[Any], Any]]] = {
    "half a share": (SealError, lambda one: (one[0][:16], *one[1:])),
    "another's share": (CommitmentError, lambda one: (made.draw("else", 32), *one[1:])),
    "another handle": (SealError, lambda one: (one[0], (bytes(16), *one[1][1:]), one[2])),
    "another version": (SealError, lambda one: (one[0], (one[1][0], 77, one[1][2]), one[2])),
    "another compartment": (SealError, lambda one: (one[0], (*one[1][:2], 77), one[2])),
    "no place": (SealError, lambda one: (one[0], (one[1][0], 0, 1), one[2])),
    "another format": (SealError, lambda one: (*one[:2], b"\2" + one[2][1:])),
    "a nonce changed": (SealError, lambda one: (*one[:2], one[2][:1] + bytes(12) + one[2][13:])),
    "a commitment changed": (CommitmentError, lambda one: (*one[:2], one[2][:13] + bytes(16) + one[2][29:])),
    "a ciphertext changed": (SealError, lambda one: (*one[:2], one[2][:-1] + bytes([one[2][-1] ^ 1]))),
    "cut": (SealError, lambda one: (*one[:2], one[2][:-64])),
    "of no size": (SealError, lambda one: (*one[:2], one[2][:-1])),
    "nothing": (SealError, lambda one: (*one[:2], b"")),
}
PADDED = {
    "no end": bytes(64),
    "a fill that is not zeros": GOOD + b"\x80" + b"\1" + bytes(48),
    "text behind the fill": GOOD + b"\x80" + bytes(48) + b"x",
    "not JSON": padding.pad(b"{", 64),
    "two values": padding.pad(b'{"a":"b"}\n{"c":"d"}', 64),
    "one value's first half": padding.pad(b'{"a":"b",', 64),
    "no value": padding.pad(b"", 64),
    "a blank behind it": padding.pad(GOOD + b" ", 64),
    "a line feed behind it": padding.pad(GOOD + b"\n", 64),
    "not sorted": padding.pad(b'{"b":"x","a":"y"}', 64),
    "a member twice": padding.pad(b'{"a":"x","a":"x"}', 64),
    "an escape that is none": padding.pad(b'{"a":"\\u0041"}', 64),
    "a number": padding.pad(b'{"a":1}', 64),
    "not UTF-8": padding.pad(b'{"a":"\xff"}', 64),
}


@pytest.mark.parametrize("name", [*BENT, *PADDED])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_one_bent_slot_refuses_all_as_it_is_refused_alone(name: str, at: int) -> None:
    some = [sealed(n, padding.pad(GOOD, 64)) for n in range(5)]
    assert len(opened(some)) == 5
    kind, bend = BENT.get(name, (SealError, None))
    some[at] = sealed(at, PADDED[name]) if bend is None else bend(some[at])
    with pytest.raises(kind) as lonely:
        alone(some[at])
    with pytest.raises(kind) as together:
        opened(some)
    assert type(together.value) is type(lonely.value)
    assert str(together.value) == str(lonely.value)


@pytest.mark.parametrize("halves", [(b'{"a":"b"', b'"c":"d"}'), (b'{"a":"b"},{"c":"d"', b'"e":"f"}'), (b"{}\n{}", b"")])
def test_plaintexts_that_are_good_only_together_are_refused(halves: tuple[bytes, bytes]) -> None:
    for texts in (halves, (*halves, GOOD), (GOOD, *halves), (halves[0] + b"\n", halves[1])):
        with pytest.raises(SealError):
            plaintext.decode_many(texts)


def test_shares_in_each_others_place_open_nothing() -> None:
    """What is compared at once is compared in its order."""
    one, other = sealed(0, padding.pad(GOOD, 64)), sealed(1, padding.pad(GOOD, 64))
    with pytest.raises(CommitmentError):
        opened([(other[0], *one[1:]), (one[0], *other[1:])])
    same = made.draw("one share for both", 32)
    one, other = sealed(0, padding.pad(GOOD, 64), same), sealed(1, padding.pad(GOOD, 64), same)
    with pytest.raises(SealError, match="moved"):
        opened([(same, other[1], one[2]), (same, one[1], other[2])])


def kept(read: Callable[[], object]) -> object:
    try:
        return read()
    except StrongroomError as error:
        return type(error), str(error)


paddeds = st.one_of(
    st.builds(padding.pad, st.binary(max_size=100), st.sampled_from([64, 128])),
    st.binary(max_size=130),
    st.just(bytes(64)),
)


@given(st.lists(paddeds, max_size=4))
def test_paddings_come_off_a_column_as_off_each(column: list[bytes]) -> None:
    assert kept(lambda: padding.unpad_many(column)) == kept(lambda: [padding.unpad(one) for one in column])


def test_large_paddings_come_off_a_column() -> None:
    large = padding.pad(bytes(700_000), 64)
    assert padding.unpad_many([large, padding.pad(b"a", 64)]) == [bytes(700_000), b"a"]
    with pytest.raises(FormatError):
        padding.unpad_many([large + bytes(64)])


@given(
    st.lists(
        st.one_of(fields.map(made.text), st.binary(max_size=12), st.sampled_from([b"{}\n", b"\n", b'{"a":1}'])),
        max_size=4,
    )
)
def test_plaintexts_are_read_as_each(column: list[bytes]) -> None:
    assert kept(lambda: plaintext.decode_many(column)) == kept(lambda: [plaintext.decode_fields(one) for one in column])


blobs = st.one_of(
    st.binary(max_size=150),
    st.builds(lambda n, fill: b"\1" + fill * (44 + 64 * n), st.integers(0, 3), st.binary(min_size=1, max_size=1)),
)


@given(st.lists(blobs, max_size=4))
def test_blobs_are_taken_apart_as_each(column: list[bytes]) -> None:
    assert kept(lambda: list(zip(*compartment.parse_blobs(column), strict=True))) == kept(
        lambda: [compartment.parse_blob(one) for one in column]
    )


def test_a_slot_that_was_parsed_is_one_that_was_built() -> None:
    """Parsing makes them past their class's own constructor."""
    one = body.Slot(1, bytes(16), b"a")
    (found,) = body.parse(body.build([one]))
    assert type(found) is body.Slot
    assert found == one
    assert found._replace(compartment=2) == body.Slot(2, bytes(16), b"a")
