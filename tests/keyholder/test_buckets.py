"""Buckets within a transaction: read once, written at its end, and undone with the ask that took out of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.gate.budget import State
from strongroom.keyholder.store import Store

_KEYS = st.sampled_from(["room", "reader", "record"])
_STATES = st.tuples(st.integers(0, 2**53), st.integers(0, 2**53))
_ASK = st.tuples(st.lists(st.tuples(_KEYS, _STATES), max_size=4), st.booleans())


class _Undone(Exception):
    """The whole transaction breaks."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("buckets") / "keyholder.db")


def _rows(store: Store) -> dict[str, State]:
    return {key: (level, time) for key, level, time in store.db.execute("SELECT key, level, time FROM budgets")}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(_ASK, max_size=4), st.booleans()), max_size=3))
def test_a_bucket_is_as_the_asks_that_were_not_undone_left_it(
    store: Store, groups: list[tuple[list[tuple[list[tuple[str, State]], bool]], bool]]
) -> None:
    store.db.execute("DELETE FROM budgets")
    want: dict[str, State] = {}
    for group, breaks in groups:
        within = dict(want)
        try:
            with store.transaction():
                for puts, undone in group:
                    mine = dict(within)
                    store.set_aside()
                    for key, state in puts:
                        store.set_budgets({key: state})
                        mine[key] = state
                        assert {one: store.budget(one) for one in mine} == mine
                    if undone:
                        store.undo_aside()
                    else:
                        within = mine
                    store.end_aside()
                    assert {one: store.budget(one) for one in ("room", "reader", "record")} == {
                        one: within.get(one) for one in ("room", "reader", "record")
                    }
                if breaks:
                    raise _Undone
        except _Undone:
            within = want
        want = within
        assert _rows(store) == want


def test_what_was_read_in_a_transaction_is_as_it_was_written_in_it(store: Store) -> None:
    with store.transaction():
        assert (store.freezes(), store.state("x"), store.epoch("calls", 1)) == ([], None, None)
        store.freeze("room")
        store.set_state("x", b"1")
        store.add_epoch("calls", 1, b"k" * 32)
        row = store.epoch("calls", 1)
        assert (store.freezes(), store.state("x")) == (["room"], b"1")
        assert row is not None
        assert not row.destroyed
        store.set_aside()
        store.thaw("room")
        store.drop_state("x")
        store.expire("calls", 1, b"k" * 32, 7)
        row = store.epoch("calls", 1)
        assert (store.freezes(), store.state("x")) == ([], None)
        assert row is not None
        assert row.destroyed
        store.undo_aside()
        row = store.epoch("calls", 1)
        assert (store.freezes(), store.state("x")) == (["room"], b"1")
        assert row is not None
        assert not row.destroyed
        store.end_aside()
    with store.transaction():
        store.db.execute("DELETE FROM freezes")
        assert store.freezes() == []


def test_what_was_read_outside_of_a_transaction_is_read_again(store: Store) -> None:
    assert store.state("y") is None
    store.db.execute("INSERT INTO state VALUES ('y', x'01')")
    assert store.state("y") == b"\1"


@settings(max_examples=40)
@given(st.lists(st.binary(min_size=1, max_size=1), max_size=9))
def test_each_who_gets_the_next_number_of_its_chain_however_many_there_are(store: Store, whos: list[bytes]) -> None:
    store.db.execute("DELETE FROM chains")
    names, count = [one * 16 for one in whos], dict[bytes, int]()
    for part in (names, names[:1], names):
        want = []
        for who in part:
            count[who] = count.get(who, 0) + 1
            want.append((who, count[who]))
        assert sorted(store.next_numbers(bytes(16), part, 1)) == sorted(want)
