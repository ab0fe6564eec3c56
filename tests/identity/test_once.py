"""What is used once, in bounded memory (service/identity/once.py)."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from strongroom.service.identity.once import Once


def test_a_second_use_is_refused_and_another_name_is_not() -> None:
    once = Once(0, os.urandom)
    assert once.use("a", 10, 70, 10)
    assert not once.use("a", 10, 70, 11)
    assert once.use("b", 10, 70, 11)


def test_what_was_made_before_the_process_began_is_refused() -> None:
    once = Once(100, os.urandom)
    assert not once.use("a", 99, 160, 100)
    assert once.use("a", 100, 160, 100)


def test_what_has_died_takes_no_room() -> None:
    once = Once(0, os.urandom)
    for at in range(1000):
        assert once.use(f"name {at}", at, at + 60, at)
    assert len(once) <= 62


def test_a_flood_shortens_how_long_things_are_good_and_opens_nothing() -> None:
    once = Once(0, os.urandom, most=100)
    assert once.use("honest", 5, 65, 5)
    for at in range(200):
        once.use(f"flood {at}", 6, 66 + at % 2, 6)
    assert len(once) <= 100
    assert not once.use("honest", 5, 65, 7)
    assert once.use("later", 10, 70, 10)


_use = st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 3))


@given(st.lists(_use, max_size=200), st.integers(1, 20))
def test_nothing_is_ever_used_twice_however_many_come(uses: list[tuple[int, int, int]], most: int) -> None:
    once, used, now = Once(0, os.urandom, most), set(), 0
    for name, born, step in uses:
        now += step
        # Time alone refuses what has died: whoever asks looks at that first.
        if born + 10 >= now and once.use(f"{name} {born}", born, born + 10, now):
            assert (name, born) not in used
            used.add((name, born))
        assert len(once) <= most
