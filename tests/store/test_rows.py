"""A row's tokens: sorted, each once, joined (SPEC 3.6)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import StoreError
from strongroom.store.rows import RecordRow, join_tokens, placed_tokens, split_tokens


def test_tokens_are_joined_one_way() -> None:
    two = [b"a" * 16, b"b" * 16]
    assert join_tokens(two[::-1]) == join_tokens([*two, two[0]]) == b"".join(two)
    assert split_tokens(b"".join(two)) == two
    assert split_tokens(b"") == []
    for bad in (b"a", b"".join(two[::-1]), two[0] * 2):
        with pytest.raises(StoreError):
            split_tokens(bad)
    with pytest.raises(StoreError):
        join_tokens([b"short"])


_FEW = st.sampled_from([b"a" * 16, b"b" * 16, b"c" * 16, b"d" * 15])


@given(st.lists(st.lists(_FEW, max_size=4).map(b"".join), max_size=6))
def test_tokens_of_many_rows_are_those_of_each(joined: list[bytes]) -> None:
    rows = [RecordRow(bytes([at]) * 16, 1, b"", one, b"") for at, one in enumerate(joined)]
    wanted: list[bytes] | None = None
    with suppress(StoreError):
        wanted = sorted(token + row.handle for row in rows for token in split_tokens(row.tokens))
    if wanted is None:
        with pytest.raises(StoreError, match="not sorted"):
            placed_tokens(rows)
    else:
        assert sorted(placed_tokens(rows)) == wanted
