"""Rows lie in three levels, and nothing shows but in how many pages are written."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.contract import Contract, draw, put, record

from strongroom.store import levels
from strongroom.store.vault import VaultStore

LEVELS = 0, 1, 2


@pytest.fixture
def small() -> Iterator[None]:
    """Few records fill a level, so that each of them has some, and each transaction moves some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels, "_LIMITS", {2: 2, 1: 4})
        patch.setattr(levels, "_GATHERED", {2: 0, 1: 0})
        patch.setattr(levels, "_SLICES", 2)
        yield


@pytest.mark.usefixtures("small")
class TestMoving(Contract):
    def open(self, place: Path) -> VaultStore:
        return VaultStore(place / "vault.db", create=True)


class TestSpread(Contract):
    """Wherever a record lies."""

    @pytest.fixture(autouse=True)
    def _anywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        turn = random.Random(7)
        monkeypatch.setattr(levels, "level_of", lambda stored, fresh: turn.choice(LEVELS))

    def open(self, place: Path) -> VaultStore:
        return VaultStore(place / "vault.db", create=True)


def test_where_new_records_go() -> None:
    # Little is there: nothing is won by moving it. Much at once goes further down.
    assert [levels.level_of(stored, 1) for stored in (0, 16_383, 16_384, 10_000_000)] == [0, 0, 2, 2]
    assert [levels.level_of(10_000_000, fresh) for fresh in (512, 513, 10_000, 1_000_000)] == [2, 1, 1, 0]
    assert [levels.level_of(stored, 10_000) for stored in (959_999, 960_000)] == [0, 1]


def test_slices_are_all_there_is() -> None:
    for slices in (1, 3, 64):
        bounds = [levels._slice(number, slices) for number in range(slices)]
        assert bounds[0][0] == bytes(16)
        assert bounds[-1][1] > b"\xff" * 16
        assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]


@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12), st.randoms(use_true_random=False)
)
@settings(max_examples=40, deadline=None)
def test_all_is_found_and_in_order_wherever_it_lies(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int, bool]], turn: random.Random
) -> None:
    path, known = tmp_path_factory.mktemp("levels") / "vault.db", dict[bytes, int]()
    with pytest.MonkeyPatch.context() as patch, closing(VaultStore(path, create=True)) as store:
        patch.setattr(levels, "_LIMITS", {2: 3, 1: 8})
        patch.setattr(levels, "_GATHERED", {2: 0, 1: 0})
        patch.setattr(levels, "_SLICES", turn.choice([1, 2, 4]))
        store.add_holding(draw("residents"), "residents")
        for number, (size, later) in enumerate(sizes):
            rows = [record(f"{number} {at}", batch=f"b{number}", tokens=f"{at}x") for at in range(size)]
            put(store, *rows)
            known |= {row.handle: 1 for row in rows}
            if later:
                one = rows[0].handle
                put(store, record(f"{number} 0", 2, batch=f"c{number}", tokens="yx"))
                known[one] = 2
            assert store.problems() == []
            assert store.handles(1, b"", 1000) == sorted(known)
            assert {row.handle: row.version for row in store.latest(1, known)} == known
            assert [row[:2] for row in store.records(1)] == sorted(
                (handle, version) for handle, last in known.items() for version in range(1, last + 1)
            )
            assert store.handles_of_token(1, draw("token x")) == sorted(known)
        store.tidy()
        assert _levels(path) == {0}
        assert store.problems() == []
        assert store.handles_of_token(1, draw("token x")) == sorted(known)


@pytest.mark.usefixtures("small")
def test_each_level_has_some(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    with closing(VaultStore(path, create=True)) as store:
        store.add_holding(draw("residents"), "residents")
        seen = set[int]()
        for number in range(40):
            put(store, *(record(f"{number} {at}", batch=f"b{number}", tokens="xy") for at in range(1 + number % 3)))
            seen |= _levels(path)
        assert seen == set(LEVELS)
        assert store.problems() == []


def test_fsck_tells_of_a_record_that_lies_in_two(tmp_path: Path) -> None:
    path = tmp_path / "vault.db"
    with closing(VaultStore(path, create=True)) as store:
        store.add_holding(draw("residents"), "residents")
        put(store, record("a"))
        put(store, record("a", 2, batch="b"))
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE handles SET level = 2 WHERE version = 2")
        assert any("one level" in line for line in store.problems())


def _levels(path: Path) -> set[int]:
    with closing(sqlite3.connect(path)) as db:
        return {level for (level,) in db.execute("SELECT level FROM handles UNION SELECT level FROM tokens")}
