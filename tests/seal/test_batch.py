"""Batches: what they take, what they refuse, what they forget (SPEC 3.2 to 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.seal import made

from strongroom.errors import FormatError, SealError, StrongroomError
from strongroom.seal import body, hpke, ids, slot
from strongroom.seal.batch import MAX_RECORDS, SEALED_SIZE, Batch, Column, open_batch_secret, seal_records
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.columns import put_u16s, put_u32s, split, u16s, u32s, xor
from strongroom.seal.person import HoldingKeys
from strongroom.seal.plaintext import encode_fields


def new(random: str = "batch") -> Batch:
    return Batch.open(made.ROOM, made.KEYHOLDER, made.HOLDING, made.EPOCH, made.PRIVATE.public, made.stream(random))


def columns(count: int) -> list[Column]:
    texts = [encode_fields({"n": str(i)}, {}) for i in range(count)]
    return [Column(n, 128, texts, [made.draw(f"who {n} {i}", 16) for i in range(count)]) for n in (2, 5)]


def handles(count: int) -> list[bytes]:
    return [made.draw(f"handle {i}", 16) for i in range(count)]


def test_many_records_open_each_with_its_own_share() -> None:
    batch, names, cols = new(), handles(50), columns(50)
    rows = seal_records(batch, made.KEYS, names, [1] * 50, cols, made.stream("nonces"))
    assert [row[0] for row in rows] == sorted(names) != names
    assert batch.id == ids.batch_id(batch.sealed)
    assert len(batch.sealed) == SEALED_SIZE == 1169
    secret = open_batch_secret(made.PRIVATE, made.ROOM, made.KEYHOLDER, made.HOLDING, made.EPOCH, batch.sealed)
    slots = [(handle, found) for handle, _, data in rows for found in body.parse(data)]
    whos, shares = slot.release(
        [made.draw("unused", 32), secret], [1] * 100, b"".join(handle for handle, _ in slots),
        [1] * 100, [found.compartment for _, found in slots], b"".join(found.masked for _, found in slots),
    )  # fmt: skip
    assert len({found.blob[1:13] for _, found in slots}) == 100, "every nonce is its own"
    assert {len(data) for _, _, data in rows} == {len(rows[0][2])}, "lengths say nothing"
    for (handle, found), who, share in zip(slots, whos, split(shares, 32), strict=True):
        i = names.index(handle)
        assert who == cols[(2, 5).index(found.compartment)].whos[i]
        assert open_compartment(made.KEYS, share, handle, 1, found.compartment, found.blob) == {"n": str(i)}


@pytest.mark.parametrize("wrong", ["room", "keyholder", "holding", "epoch", "key", "cut", "version"])
def test_a_batch_secret_opens_only_where_it_was_sealed_for(wrong: str) -> None:
    private = hpke.private_from(made.draw("another epoch key", 96)) if wrong == "key" else made.PRIVATE
    room = bytes(16) if wrong == "room" else made.ROOM
    keyholder = bytes(16) if wrong == "keyholder" else made.KEYHOLDER
    holding = bytes(16) if wrong == "holding" else made.HOLDING
    epoch = made.EPOCH + (wrong == "epoch")
    sealed = new().sealed
    sealed = {"cut": sealed[:-1], "version": b"\2" + sealed[1:]}.get(wrong, sealed)
    with pytest.raises(SealError):
        open_batch_secret(private, room, keyholder, holding, epoch, sealed)


def test_a_closed_batch_seals_no_more() -> None:
    batch = new()
    batch.close()
    assert batch.closed
    with pytest.raises(SealError, match="closed"):
        seal_records(batch, made.KEYS, handles(1), [1], columns(1), made.stream("nonces"))


def test_a_batch_takes_ten_thousand() -> None:
    batch = new()
    batch.records = MAX_RECORDS - 1
    seal_records(batch, made.KEYS, handles(1), [1], columns(1), made.stream("nonces"))
    with pytest.raises(SealError, match="0 records more"):
        seal_records(batch, made.KEYS, handles(1), [1], columns(1), made.stream("nonces"))


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
        (made.KEYS, handles(2), [1, 1], [Column(2, 128, two[0].plaintexts, [bytes(16), bytes(17)])]),
    ):
        batch = new()
        with pytest.raises(SealError):
            seal_records(batch, keys, names, versions, cols, random)
        assert batch.records == 0


def test_a_batch_shows_no_secret() -> None:
    batch = new()
    secret = open_batch_secret(made.PRIVATE, made.ROOM, made.KEYHOLDER, made.HOLDING, made.EPOCH, batch.sealed)
    assert secret == made.stream("batch")(32)
    assert "secret" not in repr(batch)
    with pytest.raises(SealError):
        Batch.open(made.ROOM, made.KEYHOLDER, bytes(15), made.EPOCH, made.PRIVATE.public, made.stream("x"))
    with pytest.raises(SealError):
        Batch.open(made.ROOM, made.KEYHOLDER, made.HOLDING, 2**32, made.PRIVATE.public, made.stream("x"))


def test_release_refuses_columns_that_disagree() -> None:
    good: list[Any] = [[bytes(32)], [0], bytes(16), [1], [1], bytes(16)]
    slot.release(*good)
    shapes: list[tuple[int, Any]] = [
        (1, [1]), (1, [-1]), (1, []), (2, bytes(32)), (2, bytes(15)), (3, []), (4, [1, 2]), (5, bytes(15)), (5, b""),
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
