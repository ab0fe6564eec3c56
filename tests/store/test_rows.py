"""A row's tokens: sorted, each once, joined (SPEC 3.6)."""

from __future__ import annotations

import pytest

from strongroom.errors import StoreError
from strongroom.store.rows import join_tokens, split_tokens


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
