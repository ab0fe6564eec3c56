"""Batches: what they take, what they refuse, what they forget (SPEC 3.2 to 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import FormatError, SealError, StrongroomError
from strongroom.seal import body, hpke, slot
from strongroom.seal.batch import MAX_RECORDS, SEALED_SIZE, Batch, Column, members, open_batch_secret, seal_batch_secret
from strongroom.seal.batch import seal_records as seal
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.columns import put_u16s, put_u32s, split, u16s, u32s, xor
from strongroom.seal.epoch import NEVER
from strongroom.seal.person import HoldingKeys


def columns(count: int) -> list[Column]:
    texts = [made.text({"n": str(i)}) for i in range(count)]
    return [Column(n, 128, texts, [made.draw(f"who {n} {i}", 16) for i in range(count)]) for n in (2, 5)]


def handles(count: int) -> list[bytes]:
    return [made.draw(f"handle {i}", 16) for i in range(count)]


def test_many_records_open_each_with_its_own_share() -> None:
    batch, names, cols = made.new(), handles(50), columns(50)
    rows = seal(batch, made.KEYS, names, [1] * 50, cols, made.stream("nonces"))
    assert [row[0] for row in rows] == sorted(names) != names
    held, sealed = batch.held, batch.close(made.PRIVATE.public)
    assert (sealed.epoch, sealed.expires, len(sealed.id)) == (made.EPOCH, made.EXPIRES, 16)
    assert len(sealed.secret) == SEALED_SIZE == 1169
    assert sealed.members == members(slot.places(names[::-1], [1] * 50))
    secret = made.opened(sealed)
    assert slot.held(secret) == held
    slots = [(handle, found) for handle, _, data in rows for found in body.parse(data)]
    whos, shares = slot.release(
        [made.draw("unused", 32), secret], [1] * 100, b"".join(handle for handle, _ in slots),
        [1] * 100, [found.compartment for _, found in slots], b"".join(found.masked for _, found in slots),
    )  # fmt: skip
    assert len({found.blob[1:13] for _, found in slots}) == 100, "every nonce is its own"
    assert len({found.masked for _, found in slots} | set(split(shares, 32))) == 200
    assert {len(data) for _, _, data in rows} == {len(rows[0][2])}, "lengths say nothing"
    for (handle, found), who, share in zip(slots, whos, split(shares, 32), strict=True):
        i = names.index(handle)
        assert who == cols[(2, 5).index(found.compartment)].whos[i]
        assert open_compartment(made.KEYS, share, handle, 1, found.compartment, found.blob) == {"n": str(i)}


def test_one_person_in_every_slot_is_masked_otherwise_in_each() -> None:
    """The vault must not see that a record's compartments, its versions or two records are about one person."""
    who, names, texts = made.draw("who", 16), handles(3), columns(3)[0].plaintexts
    batch, cols = made.new(), [Column(n, 64, texts, [who] * 3) for n in (1, 2, 258)]
    rows = [*seal(batch, made.KEYS, names, [1] * 3, cols, made.stream("a")),
            *seal(batch, made.KEYS, names, [2] * 3, cols, made.stream("b"))]  # fmt: skip
    assert len({found.masked for _, _, data in rows for found in body.parse(data)}) == 18


@pytest.mark.parametrize("wrong", [*(f"bound {i}" for i in range(6)), "key", "cut", "version"])
def test_a_batch_secret_opens_only_where_it_was_sealed_for(wrong: str) -> None:
    named = members([bytes(20)])
    bound, other = made.bound(named), (bytes(16), bytes(16), bytes(16), made.EPOCH - 1, made.EXPIRES + 1, bytes(32))
    sealed = seal_batch_secret(made.PRIVATE.public, bound, b"b" * 32)
    assert open_batch_secret(made.PRIVATE, bound, sealed) == b"b" * 32
    private = hpke.private_from(made.draw("another epoch key", 96)) if wrong == "key" else made.PRIVATE
    if wrong.startswith("bound"):
        bound = type(bound)(*(two if f"bound {i}" == wrong else one for i, (one, two) in enumerate(zip(bound, other, strict=True))))  # type: ignore[arg-type] # fmt: skip
    sealed = {"cut": sealed[:-1], "version": b"\2" + sealed[1:]}.get(wrong, sealed)
    with pytest.raises(SealError):
        open_batch_secret(private, bound, sealed)


def test_members_are_named_in_one_way() -> None:
    one, two = slot.places(handles(2), [1, 1])
    other = slot.places(handles(1), [2])[0]
    assert members([one, two]) == members(iter([two, one]))
    assert len({members(found) for found in ([], [one], [two], [one, two], [other], [one, other])}) == 6
    for bad in ([one, one], [one[:-1]], [one + two], [one + b"\0"]):
        with pytest.raises(SealError):
            members(bad)


def test_a_closed_batch_seals_no_more() -> None:
    batch = made.new()
    batch.close(made.PRIVATE.public)
    assert batch.closed
    assert not batch.secret
    with pytest.raises(SealError, match="closed"):
        seal(batch, made.KEYS, handles(1), [1], columns(1), made.stream("nonces"))
    with pytest.raises(SealError, match="closed"):
        batch.close(made.PRIVATE.public)
    with pytest.raises(SealError):
        batch.held  # noqa: B018


def test_a_key_that_is_none_leaves_the_batch_open() -> None:
    batch = made.new()
    with pytest.raises(SealError):
        batch.close(bytes(1216))
    assert not batch.closed
    assert made.opened(batch.close(made.PRIVATE.public))


def test_a_batch_takes_ten_thousand() -> None:
    batch = made.new()
    batch.places = slot.places([made.draw("x", 16)] * (MAX_RECORDS - 1), range(1, MAX_RECORDS))
    seal(batch, made.KEYS, handles(1), [1], columns(1), made.stream("nonces"))
    with pytest.raises(SealError, match="0 records more"):
        seal(batch, made.KEYS, handles(1), [2], columns(1), made.stream("nonces"))


def test_no_version_of_a_record_is_sealed_twice_in_a_batch() -> None:
    """One mask over two persons would tell how they differ."""
    batch, (one, two) = made.new(), handles(2)
    seal(batch, made.KEYS, [one, one], [1, 2], columns(2), made.stream("nonces"))
    for names, versions in (([two, one], [1, 2]), ([two, two], [1, 1])):
        with pytest.raises(SealError, match="twice"):
            seal(batch, made.KEYS, names, versions, columns(2), made.stream("more"))
    seal(batch, made.KEYS, [two, one], [1, 3], columns(2), made.stream("more"))
    assert batch.close(made.PRIVATE.public).members == members(slot.places([one, one, two, one], [1, 2, 1, 3]))


def test_misshapen_columns_are_refused() -> None:
    two, random = columns(2), made.stream("nonces")
    other = HoldingKeys(made.draw("KH", 32), made.ROOM, bytes(16))
    twice, short = handles(1) * 2, [handles(1)[0], bytes(15)]
    for keys, names, versions, cols in (
        (other, handles(2), [1, 1], two),
        (made.KEYS, twice, [1, 1], two),
        (made.KEYS, short, [1, 1], two),
        (made.KEYS, [], [], []),
        (made.KEYS, handles(2), [1, 1], []),
        (made.KEYS, handles(2), [1, 1], two[::-1]),
        (made.KEYS, handles(2), [1, 1], [two[0], two[0]]),
        (made.KEYS, handles(2), [1], two),
        (made.KEYS, handles(2), [0, 1], two),
        (made.KEYS, handles(2), [1, 2**32], two),
        (made.KEYS, handles(2), [1, 1], columns(3)),
        (made.KEYS, handles(2), [1, 1], [Column(2, 100, two[0].plaintexts, two[0].whos)]),
        (made.KEYS, handles(2), [1, 1], [Column(0, 128, two[0].plaintexts, two[0].whos)]),
        (made.KEYS, handles(2), [1, 1], [Column(2**16, 128, two[0].plaintexts, two[0].whos)]),
        (made.KEYS, handles(2), [1, 1], [Column(2, 128, two[0].plaintexts, [bytes(16), bytes(17)])]),
        (made.KEYS, handles(2), [1, 1], [Column(2, 128, two[0].plaintexts, [bytes(17), bytes(15)])]),
    ):
        batch = made.new()
        with pytest.raises(SealError):
            seal(batch, keys, names, versions, cols, random)
        assert not batch.places


def test_a_batch_shows_no_secret() -> None:
    batch = made.new()
    assert batch.secret == made.opened(batch.close(made.PRIVATE.public)) or batch.closed
    assert "secret" not in repr(made.new())
    assert "places" not in repr(made.new())


@pytest.mark.parametrize(
    ("holding", "epoch", "expires"),
    [(bytes(15), 1, 1), (bytes(16), 2**32, 2**32), (bytes(16), -1, 5), (bytes(16), 6, 5), (bytes(16), 5, NEVER + 1)],
)
def test_a_batch_is_of_a_holding_and_of_days(holding: bytes, epoch: int, expires: int) -> None:
    Batch.open(made.ROOM, made.KEYHOLDER, made.HOLDING, 5, NEVER, made.stream("x"))
    with pytest.raises(SealError):
        Batch.open(made.ROOM, made.KEYHOLDER, holding, epoch, expires, made.stream("x"))


def test_release_refuses_columns_that_disagree() -> None:
    good: list[Any] = [[bytes(32)], [0], bytes(16), [1], [1], bytes(16), bytes(32)]
    slot.release(*good)
    shapes: list[tuple[int, Any]] = [
        (1, [1]), (1, [-1]), (1, []), (2, bytes(32)), (2, bytes(15)), (3, []), (4, [1, 2]), (5, bytes(15)), (5, b""),
        (6, bytes(31)), (6, bytes(64)),
    ]  # fmt: skip
    values: list[tuple[int, Any]] = [(0, [bytes(31)]), (3, [0]), (3, [2**32]), (4, [0]), (4, [65536])]
    for error, wrong in ((FormatError, shapes), (SealError, values)):
        for at, bad in wrong:
            with pytest.raises(error):
                slot.release(*[*good[:at], bad, *good[at + 1 :]])


@given(st.lists(st.integers(0, 65535)), st.lists(st.integers(0, 2**32 - 1)), st.binary(min_size=16, max_size=16))
def test_columns(small: list[int], large: list[int], value: bytes) -> None:
    assert u16s(put_u16s(small)) == small
    assert u32s(put_u32s(large)) == large
    assert xor(xor(value, b"k" * 16), b"k" * 16) == value


def test_columns_refuse_what_does_not_divide() -> None:
    wrong: list[tuple[type[StrongroomError], Callable[[], object]]] = [
        (FormatError, lambda: u16s(b"abc")),
        (FormatError, lambda: u32s(b"abc")),
        (FormatError, lambda: split(b"abc", 2)),
        (FormatError, lambda: split(b"abc", 0)),
        (SealError, lambda: put_u16s([65536])),
        (SealError, lambda: put_u32s([-1])),
        (SealError, lambda: xor(b"a", b"")),
    ]
    for error, run in wrong:
        with pytest.raises(error):
            run()
