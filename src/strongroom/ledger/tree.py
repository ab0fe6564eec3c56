"""The Merkle tree of RFC 6962 section 2.1 over SHA-256 (SPEC.md section 5.1).

Hashes are 32 bytes. Proofs are listed from the leaf upwards. Verification follows RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from strongroom.errors import ProofError

HASH = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """32-byte hash of one entry."""
    return sha256(b"\0" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """``leaf_hash`` of each, without a call for each."""
    return [sha256(b"\0" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """32-byte hash of two 32-byte hashes."""
    return sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, in order; ``EMPTY_ROOT`` over none."""
    row = list(leaves)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        above = [sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
        # A last node without a sibling rises unhashed: that is RFC 6962's split at the largest power of two.
        if len(row) & 1:
            above.append(row[-1])
        row = above
    return row[0]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """``leaf`` (a leaf hash) stands at ``index`` in the tree of ``size`` entries with ``root``, or ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"inclusion: index {index} is outside a tree of {size}")
    sides = _sides(index, size - 1)
    _check("inclusion", proof, len(sides))
    found = leaf
    for left, sibling in zip(sides, proof, strict=True):
        found = node_hash(sibling, found) if left else node_hash(found, sibling)
    if len(leaf) != HASH or found != root:
        raise ProofError(f"inclusion: entry {index} does not lead to the root of size {size}")


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """The tree of ``size1`` and ``root1`` is the beginning of the tree of ``size2`` and ``root2``, or ProofError.

    Every tree begins with the empty one: from size 0 the proof is empty, as C2SP tlog-witness has it, and nothing is
    learnt about ``root2``.
    """
    if not 0 <= size1 <= size2:
        raise ProofError(f"consistency: sizes {size1} and {size2} are out of order")
    if size1 in (0, size2):
        _check("consistency", proof, 0)
        if size1 == 0 and (root1 != EMPTY_ROOT or len(root2) != HASH):
            raise ProofError("consistency: the root of size 0 is not that of an empty tree")
        if size1 == size2 and root1 != root2:
            raise ProofError(f"consistency: two roots for size {size1}")
        return
    # The last perfect subtree of the smaller tree; when that is all of it, its root is not repeated in the proof.
    height = (size1 & -size1).bit_length() - 1
    position = (size1 >> height) - 1
    sides = _sides(position, (size2 - 1) >> height)
    _check("consistency", proof, len(sides) + (position > 0))
    first = second = proof[0] if position else root1
    for left, node in zip(sides, proof[position > 0 :], strict=True):
        if left:
            first, second = node_hash(node, first), node_hash(node, second)
        else:
            second = node_hash(second, node)
    if first != root1:
        raise ProofError(f"consistency: the proof does not lead to the root of size {size1}")
    if second != root2:
        raise ProofError(f"consistency: the proof does not lead to the root of size {size2}")


def _sides(position: int, last: int) -> list[bool]:
    """For each sibling on the way up from ``position``, when ``last`` is the last of its row: is it to the left?"""
    sides = []
    while last:
        left = bool(position & 1) or position == last
        sides.append(left)
        # On the right edge a node without a sibling rises unhashed, row by row.
        while left and not position & 1:
            position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    return sides


def _check(what: str, proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length:
        raise ProofError(f"{what}: the proof has {len(proof)} hashes, want {length}")
    if any(len(one) != HASH for one in proof):
        raise ProofError(f"{what}: a hash is not 32 bytes")
