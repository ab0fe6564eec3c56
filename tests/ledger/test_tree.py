"""RFC 6962 trees: known roots, other people's proofs, and every way to bend a proof."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ProofError
from strongroom.ledger import tile, tree

VECTORS = Path(__file__).parents[2] / "vectors"

# From the tests of Certificate Transparency's own implementation (google/certificate-transparency, merkletree).
ENTRIES = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text())["cases"]
    assert len(found) == 98, "the corpus has shrunk: nothing would be tested"
    return found


def unbase64(text: str | None) -> bytes:
    return b64decode(text or "")


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert tree.root([tree.leaf_hash(one) for one in ENTRIES[:size]]).hex() == ROOTS[size]


@pytest.mark.parametrize("case", cases("merkle-inclusion.json"), ids=lambda case: case["name"])
def test_inclusion_vectors(case: dict[str, Any]) -> None:
    def verify() -> None:
        proof = [unbase64(one) for one in case["proof"] or []]
        leaf, root = unbase64(case["leafHash"]), unbase64(case["root"])
        tree.verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root)

    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify()
    else:
        verify()


@pytest.mark.parametrize("case", cases("merkle-consistency.json"), ids=lambda case: case["name"])
def test_consistency_vectors(case: dict[str, Any]) -> None:
    # All from size 0 are refused, as there: their roots are not those of an empty tree, or not 32 bytes.
    # That a true empty tree grows into any other is C2SP tlog-witness's rule, tested below.
    def verify() -> None:
        proof = [unbase64(one) for one in case["proof"] or []]
        tree.verify_consistency(case["size1"], case["size2"], unbase64(case["root1"]), unbase64(case["root2"]), proof)

    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify()
    else:
        verify()


def test_the_empty_tree_begins_every_tree() -> None:
    tree.verify_consistency(0, 0, tree.EMPTY_ROOT, tree.EMPTY_ROOT, [])
    tree.verify_consistency(0, 8, tree.EMPTY_ROOT, bytes.fromhex(ROOTS[8]), [])
    for size2, root1, root2, proof in (
        (0, tree.EMPTY_ROOT, bytes(32), []),
        (0, bytes(32), bytes(32), []),
        (8, bytes(32), bytes.fromhex(ROOTS[8]), []),
        (8, tree.EMPTY_ROOT, bytes.fromhex(ROOTS[8]), [bytes(32)]),
    ):
        with pytest.raises(ProofError):
            tree.verify_consistency(0, size2, root1, root2, proof)


def built(size: int) -> tuple[list[bytes], tile.Prover]:
    leaves = [tree.leaf_hash(b"%d" % n) for n in range(size)]
    tiles = tile.append(lambda _level, _n: b"", 0, leaves)
    return leaves, tile.Prover(lambda level, n: tiles.get((level, n), b""))


LEAVES, PROVER = built(600)


@given(st.data())
def test_a_bent_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 600))
    index = data.draw(st.integers(0, size - 1))
    proof, root = PROVER.inclusion(index, size), PROVER.root(size)
    tree.verify_inclusion(index, size, LEAVES[index], proof, root)
    bent = data.draw(bend(proof))
    with pytest.raises(ProofError):
        tree.verify_inclusion(index, size, LEAVES[index], bent, root)
    with pytest.raises(ProofError):
        tree.verify_inclusion(index, size, LEAVES[(index + 1) % 600], proof, root)
    other = data.draw(st.integers(-3, 700).filter(lambda one: one != index))
    with pytest.raises(ProofError):
        tree.verify_inclusion(other, size, LEAVES[index], proof, root)


@given(st.data())
def test_a_bent_consistency_proof_is_refused(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(1, 600))
    size1 = data.draw(st.integers(1, size2))
    proof, root1, root2 = PROVER.consistency(size1, size2), PROVER.root(size1), PROVER.root(size2)
    tree.verify_consistency(size1, size2, root1, root2, proof)
    with pytest.raises(ProofError):
        tree.verify_consistency(size1, size2, root1, root2, data.draw(bend(proof)))
    if size1 < size2:
        # A history of the same length in which one early entry was another.
        forked = tree.root([tree.leaf_hash(b"another"), *LEAVES[1:size1]])
        with pytest.raises(ProofError):
            tree.verify_consistency(size1, size2, forked, root2, proof)


def bend(proof: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Something else than ``proof``: a hash added, dropped, changed, swapped, or of another length."""
    ways: list[st.SearchStrategy[list[bytes]]] = [st.just([*proof, bytes(32)]), st.just([bytes(32), *proof])]
    if proof:
        at = st.integers(0, len(proof) - 1)
        ways += [
            at.map(lambda i: proof[:i] + proof[i + 1 :]),
            at.map(lambda i: [*proof[:i], proof[i][:-1] + bytes([proof[i][-1] ^ 1]), *proof[i + 1 :]]),
            at.map(lambda i: [*proof[:i], proof[i] + b"\0", *proof[i + 1 :]]),
        ]
    if len(proof) > 1:
        ways.append(st.just(proof[::-1]))
    return st.one_of(ways)
