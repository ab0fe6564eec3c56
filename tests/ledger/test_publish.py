"""Publishing in steps comes to the same files as publishing at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger import made

from strongroom.errors import TileError
from strongroom.ledger import publish, tag, tile

LEDGER = made.ledger(600)
WHOLE = {path: data for path, data in LEDGER.files.items() if path not in ("checkpoint", "cosigned", "vkeys")}


def entries(at: int, count: int) -> list[bytes]:
    return LEDGER.entries[at : at + count]


@settings(max_examples=25)
@given(st.sets(st.integers(1, 599), max_size=8), st.booleans())
def test_steps_do_not_matter(stops: set[int], with_days: bool) -> None:
    files: dict[str, bytes] = {}
    old = 0
    for new in [*sorted(stops), 600]:
        files |= publish.files(LEDGER.read, entries, old, new, files.get if with_days else None)
        old = new
    assert {path: files[path] for path in WHOLE} == WHOLE
    # What else there is are the partial tiles of the sizes in between.
    assert all(".p/" in path for path in files.keys() - WHOLE.keys())


def test_a_run_cut_short_left_more_than_its_checkpoint_says() -> None:
    files = dict(publish.files(LEDGER.read, entries, 0, 20))
    ahead = dict(publish.files(LEDGER.read, entries, 20, 40))
    files |= {path: data for path, data in ahead.items() if path.startswith("tags/")}
    again = dict(publish.files(LEDGER.read, entries, 20, 40, files.get))
    assert again == ahead


def test_nothing_new_is_nothing_to_write() -> None:
    assert list(publish.files(LEDGER.read, entries, 600, 600)) == []


def test_the_files_of_the_specification() -> None:
    days = [path for path in WHOLE if path.startswith("tags/")]
    assert WHOLE.keys() - set(days) == {tile.path(*one) for one in tile.published(0, 600)}
    assert all(tag.parse_day(WHOLE[day]) for day in days)


def test_what_is_missing_is_said() -> None:
    with pytest.raises(TileError, match="tile 0/2: needs 88 hashes, has 0"):
        dict(publish.files(lambda level, n: b"" if n == 2 else LEDGER.read(level, n), entries, 0, 600))
    with pytest.raises(TileError, match="entries 512 to 600: has 87"):
        dict(publish.files(LEDGER.read, lambda at, count: LEDGER.entries[:599][at : at + count], 0, 600))
