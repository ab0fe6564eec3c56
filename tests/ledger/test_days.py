"""A day's file is what the entries of that day say, and nothing else passes for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import EntryError, TileError
from strongroom.ledger import tag
from strongroom.ledger.days import Days
from strongroom.ledger.directory import Directory

DAY = "tags/2026-11-23"
pairs = st.lists(st.tuples(st.integers(0, 3).map(lambda n: bytes([n]) * 16), st.integers(0, 5)), max_size=6)


def days(published: bytes, said: list[tuple[bytes, int]], size: int = 100) -> Days:
    found = Days(Directory({DAY: published}.__getitem__), size)
    found.begin(DAY)
    found.add([one + index.to_bytes(8, "big") for one, index in said])
    found.close()
    return found


def written(listed: list[tuple[bytes, int]]) -> bytes:
    return b"".join([one + index.to_bytes(8, "big") for one, index in listed])


@given(pairs, pairs, st.sampled_from([b"", b"\0", bytes(23)]))
def test_only_the_lines_themselves_sorted_and_once_each(
    said: list[tuple[bytes, int]], listed: list[tuple[bytes, int]], more: bytes
) -> None:
    for published in (written(listed), written(sorted(listed)), written(sorted(said)), written(said)):
        good = len(set(said)) == len(said) and published + more == tag.marshal_day(set(said))
        if good or not said:
            assert days(published + more, said).tags == len(said)
        else:
            with pytest.raises(EntryError, match=f"^{DAY}: "):
                days(published + more, said)


def test_a_file_that_is_past_the_checkpoint() -> None:
    said, later = [(b"\2" * 16, 7), (b"\1" * 16, 8)], (b"\0" * 16, 9)
    published = tag.marshal_day([*said, later])
    assert days(published, said, 9).tags == 2
    with pytest.raises(EntryError, match="differs"):
        days(published, said, 10)


def test_each_day_is_looked_at_when_the_next_begins() -> None:
    nothing: dict[str, bytes] = {}
    found = Days(Directory(nothing.__getitem__), 100)
    found.begin(DAY)
    found.begin("tags/2026-11-24")
    found.add([bytes(24)])
    found.begin("tags/2026-11-24")
    with pytest.raises(TileError, match=r"^tags/2026-11-24: missing"):
        found.begin("tags/2026-11-25")
