"""A log to witness, which can fork, and witnesses on disk."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from strongroom.ledger import tile, tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import MLDSACosigner
from strongroom.ledger.note import Signer
from strongroom.ledger.prover import Prover
from strongroom.witness.request import Request


class Log:
    """Entries of its own: two logs of one ``seed`` and different ``branch`` are equal up to ``common``."""

    def __init__(self, origin: str = "log.example/one", branch: int = 0, common: int = 0, seed: int = 1) -> None:
        self.origin, self._branch, self._common = origin, branch, common
        self.signer = Signer(origin, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
        self.quantum = MLDSACosigner(origin, MLDSA44PrivateKey.from_seed_bytes(bytes([seed]) * 32))
        self._tiles: dict[tuple[int, int], bytes] = {}
        self.size = 0

    def grow(self, count: int) -> None:
        leaves = [
            tree.leaf_hash(b"%d of %d" % (n, self._branch if n >= self._common else 0))
            for n in range(self.size, self.size + count)
        ]
        self._tiles |= tile.append(lambda level, n: self._tiles.get((level, n), b""), self.size, leaves)
        self.size += count

    @property
    def prover(self) -> Prover:
        return Prover(lambda level, n: self._tiles.get((level, n), b""))

    def text(self, size: int | None = None) -> str:
        size = self.size if size is None else size
        return Checkpoint(self.origin, size, self.prover.root(size)).marshal()

    def note(self, size: int | None = None) -> str:
        text = self.text(size)
        return f"{text}\n{self.signer.sign(text)}"

    def ask(self, old: int, size: int | None = None) -> Request:
        size = self.size if size is None else size
        return Request(old, tuple(self.prover.consistency(old, size)) if old <= size else (), self.note(size))
