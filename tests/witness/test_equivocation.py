"""A witness that cosigns two versions of one ledger: what a quorum bears, and what it does not (THREATS.md)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.witness.made import Log

from strongroom.errors import Declined, QuorumError
from strongroom.ledger import note, policy, witnessed
from strongroom.witness import house
from strongroom.witness.core import Witness
from strongroom.witness.house import Keys
from strongroom.witness.store import Store

NOW = 1_800_000_000
Cosign = Callable[[bytes], str]


def witness(directory: Path, keys: Keys, log: str) -> Cosign:
    """One that keeps its word, as far as ``directory`` goes."""
    store = Store(directory / "witness.db", create=True)
    store.add(house.logs([log]))
    return Witness(store, keys.cosigners, lambda: NOW).add_checkpoint


class Town:
    """``count`` witnesses, the last of whom keeps two books; ``quorum`` of them are wanted. Two versions of a log, equal up to 5."""

    def __init__(self, root: Path, count: int, quorum: int) -> None:
        self.versions = [Log(), Log(branch=1, common=5)]
        for one in self.versions:
            one.grow(9)
        log = self.versions[0].signer.vkey
        keys = [house.create(root / f"w{n}", f"w{n}.example", os.urandom) for n in range(count)]
        for n in range(count):
            (root / f"b{n}").mkdir()
        self._books = {n: [witness(root / f"b{n}", keys[n], log)] * 2 for n in range(count)}
        (root / "second").mkdir()
        self._books[count - 1][1] = witness(root / "second", keys[-1], log)
        for n, books in self._books.items():
            for book in dict.fromkeys(books):
                book(self.versions[0].ask(0, 5).marshal())
            assert len(dict.fromkeys(books)) == 1 + (n == count - 1)
        names = " ".join(f"w{n}" for n in range(count))
        lines = "".join(f"witness w{n} {one.ed25519.vkey}\n" for n, one in enumerate(keys))
        self.policy = policy.parse(f"{lines}group q {quorum} {names}\nquorum q\n".encode())

    def show(self, version: int, witnesses: list[int]) -> witnessed.Witnessed:
        """What comes of showing one version to these, past where the two part."""
        log = self.versions[version]
        lines = ""
        for n in witnesses:
            try:
                lines += self._books[n][version](log.ask(5, 9).marshal())
            except Declined as error:
                assert error.size == 9  # noqa: PT017 - it has seen the other version
        return witnessed.opened(log.note() + lines, [note.verifier(log.signer.vkey)], self.policy)


def test_where_quorums_share_an_honest_witness_one_version_has_one(tmp_path: Path) -> None:
    town = Town(tmp_path, count=4, quorum=3)
    witnessed.verify(town.show(0, [0, 1, 3]), town.policy, 60, NOW)
    with pytest.raises(QuorumError):
        witnessed.verify(town.show(1, [0, 1, 2, 3]), town.policy, 60, NOW)


def test_where_they_may_share_a_liar_alone_both_have(tmp_path: Path) -> None:
    """Two of three bear a witness that is dead, and none that lies. It has convicted itself: two roots of one size, both cosigned."""
    town = Town(tmp_path, count=3, quorum=2)
    both = [town.show(0, [0, 2]), town.show(1, [1, 2])]
    for one in both:
        witnessed.verify(one, town.policy, 60, NOW)
    liar = town.policy.witnesses[2].verifier
    assert all(liar in one.times for one in both)
    assert both[0].size == both[1].size
    assert both[0].checkpoint.root != both[1].checkpoint.root
