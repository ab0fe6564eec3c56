"""That a ledger only grew, out of receipts and entries: held against the trees themselves."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.client import growth
from strongroom.client.growth import Growth
from strongroom.errors import LedgerError, ProofError, TileError
from strongroom.ledger import proof, tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.edge import Edge
from strongroom.ledger.note import Signer, verifier
from strongroom.ledger.prover import Prover

LOG = Signer("t/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
LEDGER = [b"entry %d" % at for at in range(70_000)]


class Tree:
    """Entries, and what can be proved of them."""

    def __init__(self, entries: list[bytes]) -> None:
        self.entries = entries
        tiles = tile.append(lambda level, n: b"", 0, [tree.leaf_hash(one) for one in entries])
        self.prover = Prover(lambda level, n: tiles.get((level, n), b""))

    def at(self, size: int, origin: str = "t/ledger") -> Checkpoint:
        return Checkpoint(origin, size, self.prover.root(size))

    def receipt(self, index: int, size: int) -> str:
        text = self.at(size).marshal()
        return proof.Proof(index, tuple(self.prover.inclusion(index, size)), f"{text}\n{LOG.sign(text)}").marshal()


@cache
def ledger() -> Tree:
    return Tree(LEDGER)


class Shown:
    """A ledger as the vault shows it, which has ``size`` entries by now."""

    def __init__(self, size: int, shown: Tree | None = None) -> None:
        self.size, self.tree = size, shown or ledger()
        self.receipts = self.sent = 0

    def told(self, index: int) -> Any:
        yield from ()
        self.receipts += 1
        return self.tree.entries[index], self.tree.receipt(index, self.size)

    def page(self, first: int, count: int) -> Any:
        yield from ()
        self.sent += count
        return self.tree.entries[: self.size][first : first + count]

    def growth(self) -> Growth:
        return Growth(verifier(LOG.vkey), self.told, self.page)


def verify(found: Growth, small: Checkpoint, large: Checkpoint) -> None:
    for _ in found.verify(small, large):
        raise AssertionError("nothing is left to be fetched")


@settings(max_examples=200)
@given(size=st.integers(1, 600), more=st.integers(0, 600))
def test_one_receipt_has_the_proof_and_the_edge(size: int, more: int) -> None:
    prover, within = ledger().prover, size + more
    leaf, hashes = tree.leaf_hash(LEDGER[size - 1]), prover.inclusion(size - 1, within)
    if more:
        assert growth.consistency_of(size, leaf, hashes) == prover.consistency(size, within)
    edge = Edge()
    edge.extend(tree.leaf_hash(one) for one in LEDGER[:size])
    found = growth.edge_of(size, within, leaf, hashes)
    assert found._hashes == edge._hashes
    assert found.root() == prover.root(size)


@settings(max_examples=60)
@given(sizes=st.lists(st.integers(0, 1_500), min_size=3, max_size=6), ahead=st.integers(0, 300))
def test_whatever_the_order(sizes: list[int], ahead: int) -> None:
    found = Shown(max(*sizes, 1) + ahead).growth()
    for one, other in pairwise(sizes):
        verify(found, ledger().at(min(one, other)), ledger().at(max(one, other)))


@pytest.mark.parametrize(
    ("small", "large"), [(0, 70_000), (3, 69_999), (65_536, 65_537), (300, 66_000), (69_000, 69_999)]
)
def test_large_ones_cost_little(small: int, large: int) -> None:
    shown = Shown(70_000 if large > 69_000 else large + 100)
    verify(shown.growth(), ledger().at(small), ledger().at(large))
    assert shown.receipts <= 2
    assert shown.sent <= 256


def test_one_more_entry_costs_one_entry() -> None:
    shown = Shown(66_000)
    found = shown.growth()
    for size in range(66_000, 66_010):
        shown.size = size + 1
        verify(found, ledger().at(size), ledger().at(size + 1))
    assert (shown.receipts, shown.sent) == (1, 10)
    assert found.texts == {66_009: LEDGER[66_009]}


def test_one_that_grows_faster_than_it_can_be_followed() -> None:
    class Fast(Shown):
        def told(self, index: int) -> Any:
            self.size += 1_000
            return super().told(index)

    with pytest.raises(TileError, match="faster"):
        verify(Fast(20_000).growth(), ledger().at(10), ledger().at(2_000))
    # Where it slows down, it is caught up with.
    slower = Shown(20_000)
    verify(slower.growth(), ledger().at(10), ledger().at(2_000))
    assert slower.receipts <= 4


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 700), more=st.integers(0, 600), changed=st.integers(0, 699))
def test_a_ledger_that_was_rewritten(size: int, more: int, changed: int) -> None:
    changed %= size
    other = Tree([*LEDGER[:changed], b"another", *LEDGER[changed + 1 : 1_400]])
    shown = Shown(1_400, other)
    with pytest.raises(ProofError):
        verify(shown.growth(), ledger().at(size), other.at(size + more))
    # And where it shows the true entries beside the false root.
    with pytest.raises(ProofError):
        verify(Shown(1_400).growth(), ledger().at(size), other.at(size + more))


def test_what_is_false_is_no_proof_and_not_kept() -> None:
    shown = Shown(600)
    found = shown.growth()
    other = Tree([*LEDGER[:550], b"another", *LEDGER[551:1_000]])
    shown.tree = other
    with pytest.raises(ProofError):
        verify(found, ledger().at(560), ledger().at(600))
    with pytest.raises(ProofError):
        verify(found, ledger().at(500), ledger().at(600))
    shown.tree = ledger()
    verify(found, ledger().at(560), ledger().at(600))
    shown.size = 605
    with pytest.raises(TileError, match="does not show all entries"):
        verify(found, ledger().at(600), ledger().at(610))
    verify(found, ledger().at(600), ledger().at(605))


def test_another_ledger_or_another_key() -> None:
    shown = Shown(700)
    with pytest.raises(ProofError, match="not the ledger"):
        verify(shown.growth(), ledger().at(5), ledger().at(10, "u/ledger"))
    stranger = Signer("t/ledger", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
    with pytest.raises(LedgerError):
        verify(Growth(verifier(stranger.vkey), shown.told, shown.page), ledger().at(5), ledger().at(600))
