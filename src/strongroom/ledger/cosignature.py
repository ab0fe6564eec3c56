"""Cosignatures: somebody has seen this checkpoint grow from those before (C2SP tlog-cosignature; SPEC.md 5.2).

A signature is ``u64 time`` and then an Ed25519 (64 bytes) or ML-DSA-44 (2,420 bytes) signature over the messages here.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from strongroom.errors import NoteError
from strongroom.ledger import checkpoint
from strongroom.ledger.key import COSIGNATURE, ML_DSA_44, key_id, line, vkey

MAX_TIME = 2**63 - 1


def message(text: str, time: int) -> bytes:
    """What an Ed25519 cosignature (0x04) signs: it does not commit to the cosigner's name."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def subtree_message(name: str, text: str, time: int) -> bytes:
    """What an ML-DSA-44 cosignature (0x06) signs, from start 0; no extension lines. Raises CheckpointError, NoteError."""
    found = checkpoint.parse_any(text)
    cosigner, origin = name.encode(), found.origin.encode()
    if max(len(cosigner), len(origin)) > 255:
        raise NoteError("a cosigner name or origin is over 255 bytes")
    return b"".join([
        b"subtree/v1\n\0",
        bytes([len(cosigner)]) + cosigner,
        time.to_bytes(8, "big"),
        bytes([len(origin)]) + origin,
        bytes(8),
        found.size.to_bytes(8, "big"),
        found.root,
    ])  # fmt: skip


class Cosigner:
    """Signs checkpoints, and nothing else, with Ed25519 (type 0x04). Use a key for one cosigner only."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        public = key.public_key().public_bytes_raw()
        self.name, self._key = name, key
        self.vkey, self.key_id = vkey(name, COSIGNATURE, public), key_id(name, COSIGNATURE, public)

    def cosign(self, checkpoint_text: str, time: int) -> str:
        """Signature line, newline included; ``time`` in POSIX seconds. Raises CheckpointError, NoteError."""
        checkpoint.parse_any(checkpoint_text)
        _check_time(time)
        return line(self.name, self.key_id, time.to_bytes(8, "big") + self._key.sign(message(checkpoint_text, time)))


class MLDSACosigner:
    """Signs checkpoints, and nothing else, with ML-DSA-44 (type 0x06, empty context), which outlasts quantum computers."""

    def __init__(self, name: str, key: MLDSA44PrivateKey) -> None:
        public = key.public_key().public_bytes_raw()
        self.name, self._key = name, key
        self.vkey, self.key_id = vkey(name, ML_DSA_44, public), key_id(name, ML_DSA_44, public)

    def cosign(self, checkpoint_text: str, time: int) -> str:
        """Signature line, newline included; ``time`` in POSIX seconds. Raises CheckpointError, NoteError."""
        _check_time(time)
        signed = self._key.sign(subtree_message(self.name, checkpoint_text, time))
        return line(self.name, self.key_id, time.to_bytes(8, "big") + signed)


def _check_time(time: int) -> None:
    if not 0 <= time <= MAX_TIME:
        raise NoteError("a cosignature's time is out of range")
