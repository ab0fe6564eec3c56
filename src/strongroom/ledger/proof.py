"""The receipt: an entry is in the ledger that a signed checkpoint states (C2SP tlog-proof; SPEC.md section 5.3)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.errors import CheckpointError, NoteError, ProofError
from strongroom.ledger import checkpoint, tree
from strongroom.ledger.checkpoint import MAX_SIZE, Checkpoint
from strongroom.ledger.key import unbase64
from strongroom.ledger.note import Verifier, open_checkpoint, parse_note

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """``index`` of the entry, its siblings from the leaf up (32 bytes each), and the signed checkpoint note."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def marshal(self) -> str:
        lines = [HEADER, f"index {self.index}", *[b64encode(one).decode() for one in self.hashes]]
        return "\n".join(lines) + "\n\n" + self.checkpoint


def parse(text: str) -> Proof:
    """Accept exactly what ``marshal`` emits, with no extra data. Nothing is verified yet. Raises ProofError."""
    above, parted, note = text.partition("\n\n")
    header, _, rest = above.partition("\n")
    index, *hashes = rest.split("\n")
    match = _INDEX.fullmatch(index)
    if not parted or header != HEADER or match is None or len(hashes) > 63:
        raise ProofError("want the tlog-proof header, an index, at most 63 hashes, an empty line and a checkpoint")
    try:
        found = Proof(int(match[1]), tuple(unbase64(one) for one in hashes), note)
        checkpoint.parse(parse_note(note).text)
    except (NoteError, CheckpointError) as error:
        raise ProofError(f"proof: {error}") from None
    if found.index > MAX_SIZE or any(len(one) != tree.HASH for one in found.hashes):
        raise ProofError("proof: a field is out of range")
    if found.marshal() != text:
        raise ProofError("proof: not canonical")
    return found


def verify(proof: Proof, entry: bytes, verifiers: Sequence[Verifier]) -> Checkpoint:
    """The checkpoint, signed by the log and by ``verifiers`` as ``open_checkpoint`` wants, in which ``entry`` stands.

    Raises NoteError, CheckpointError, ProofError.
    """
    found, _ = open_checkpoint(proof.checkpoint, verifiers)
    tree.verify_inclusion(proof.index, found.size, tree.leaf_hash(entry), proof.hashes, found.root)
    return found
