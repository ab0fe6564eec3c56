"""That a ledger only grew, out of whatever of it is published: held against the trees themselves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.client.growth import Growth
from strongroom.errors import LedgerError, ProofError
from strongroom.ledger import tile, tree
from strongroom.ledger.checkpoint import Checkpoint

_LEDGER = [b"entry %d" % at for at in range(70_000)]
_LEAVES = [tree.leaf_hash(one) for one in _LEDGER]


class Shown:
    """A ledger as the vault shows it: all entries, and the tiles of a published size."""

    def __init__(self, published: int, entries: list[bytes] | None = None, *, gone: bool = True) -> None:
        self.entries = _LEDGER if entries is None else entries
        leaves = _LEAVES if entries is None else [tree.leaf_hash(one) for one in entries]
        found = tile.append(lambda level, n: b"", 0, leaves[:published])
        self.files = {tile.path(level, n, len(data) // 32): data for (level, n), data in found.items()}
        self.asked: list[str] = []
        self.sent = 0

    def file(self, path: str) -> Any:
        self.asked.append(path)
        yield from ()
        return self.files.get(path)

    def page(self, first: int, count: int) -> Any:
        yield from ()
        self.sent += count
        return self.entries[first : first + count]

    def growth(self) -> Growth:
        return Growth(self.file, self.page)


def at(size: int, leaves: list[bytes] | None = None) -> Checkpoint:
    return Checkpoint("t/ledger", size, tree.root((_LEAVES if leaves is None else leaves)[:size]))


def verify(growth: Growth, small: Checkpoint, large: Checkpoint) -> None:
    for _ in growth.verify(small, large):
        raise AssertionError("nothing is left to be fetched")


@settings(max_examples=60)
@given(sizes=st.lists(st.integers(0, 1_500), min_size=3, max_size=6), published=st.integers(0, 1_500))
def test_whatever_is_published(sizes: list[int], published: int) -> None:
    growth = Shown(published).growth()
    for one, other in pairwise(sizes):
        verify(growth, at(min(one, other)), at(max(one, other)))


@pytest.mark.parametrize(("small", "large"), [(3, 69_999), (65_536, 65_537), (300, 66_000), (69_000, 70_000)])
@pytest.mark.parametrize("published", [0, 65_536, 70_000])
def test_large_ones(small: int, large: int, published: int) -> None:
    shown = Shown(published)
    verify(shown.growth(), at(small), at(large))
    if published == 70_000:
        assert len(shown.asked) < 12
        assert shown.sent < 256


def test_one_more_entry_costs_one_entry() -> None:
    shown = Shown(66_000)
    growth = shown.growth()
    verify(growth, at(65_990), at(66_000))
    shown.sent, shown.asked = 0, []
    for size in range(66_000, 66_010):
        verify(growth, at(size), at(size + 1))
    assert shown.sent == 10
    assert growth.texts == {66_009: _LEDGER[66_009]}


@settings(max_examples=60)
@given(size=st.integers(1, 700), more=st.integers(0, 700), changed=st.integers(0, 699), published=st.integers(0, 1_400))
def test_a_ledger_that_was_rewritten(size: int, more: int, changed: int, published: int) -> None:
    changed %= size
    other = [*_LEDGER[:changed], b"another", *_LEDGER[changed + 1 : 1_400]]
    leaves = [tree.leaf_hash(one) for one in other]
    growth = Shown(published, other).growth()
    with pytest.raises(ProofError):
        verify(growth, at(size), at(size + more, leaves))
    # What it showed is not held against it when it shows the true one.
    assert growth.texts == {}


def test_what_is_false_is_no_proof_and_not_kept() -> None:
    shown = Shown(512)
    growth = shown.growth()
    true = dict(shown.files)
    shown.files = {path: bytes(len(data)) for path, data in true.items()}
    with pytest.raises(ProofError):
        verify(growth, at(200), at(512))
    shown.files = {path: data[:-1] for path, data in true.items()}
    with pytest.raises(LedgerError):
        verify(growth, at(200), at(512))
    shown.files = true
    verify(growth, at(200), at(512))
    shown.entries = _LEDGER[:600]
    with pytest.raises(LedgerError, match="does not show all entries"):
        verify(growth, at(512), at(610))


def test_another_ledger() -> None:
    with pytest.raises(ProofError, match="not the ledger"):
        verify(Shown(10).growth(), at(5), Checkpoint("u/ledger", 10, at(10).root))
