"""Cosignatures with both kinds of key: they bind the checkpoint, the time and, post-quantum, the name."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from tests.ledger import made

from strongroom.errors import CheckpointError, NoteError
from strongroom.ledger import cosignature, note
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.cosignature import Cosigner, MLDSACosigner

TEXT = Checkpoint(made.ORIGIN, 20852163, b"\xab" * 32).marshal()


def test_the_message_of_the_specification() -> None:
    body = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosignature.message(body, 1679315147) == b"cosignature/v1\ntime 1679315147\n" + body.encode()


def test_the_subtree_message() -> None:
    found = cosignature.subtree_message("w.example", TEXT, 7)
    origin = made.ORIGIN.encode()
    parts = [b"subtree/v1\n\0", b"\x09w.example", bytes(7) + b"\7", bytes([len(origin)]) + origin, bytes(8)]
    assert found == b"".join([*parts, (20852163).to_bytes(8, "big"), b"\xab" * 32])


@pytest.mark.parametrize("cosigner", [made.vault, made.post_quantum], ids=["ed25519", "ml-dsa-44"])
def test_what_a_cosignature_binds(cosigner: Cosigner | MLDSACosigner) -> None:
    trusted = note.verifier(cosigner.vkey)
    signature = note.parse_note(f"{TEXT}\n{cosigner.cosign(TEXT, 5)}").signatures[0].signature
    trusted.verify(TEXT, signature)
    for text, bent in (
        (Checkpoint(made.ORIGIN, 20852164, b"\xab" * 32).marshal(), signature),
        (Checkpoint(made.ORIGIN, 20852163, b"\xac" * 32).marshal(), signature),
        (Checkpoint("other", 20852163, b"\xab" * 32).marshal(), signature),
        (TEXT, signature[:7] + b"\6" + signature[8:]),
        (TEXT, signature[:-1]),
        (TEXT, signature + b"\0"),
        (TEXT, b"\xff" + signature[1:]),
        ("not a checkpoint\n", signature),
    ):
        with pytest.raises(NoteError):
            trusted.verify(text, bent)


def test_only_the_post_quantum_one_binds_the_name() -> None:
    key = MLDSA44PrivateKey.from_seed_bytes(b"\2" * 32)
    other = note.verifier(MLDSACosigner("other", key).vkey)
    signature = note.parse_note(f"{TEXT}\n{made.post_quantum.cosign(TEXT, 5)}").signatures[0].signature
    with pytest.raises(NoteError):
        other.verify(TEXT, signature)


@pytest.mark.parametrize("cosigner", [made.vault, made.post_quantum], ids=["ed25519", "ml-dsa-44"])
def test_nothing_but_checkpoints_is_signed(cosigner: Cosigner | MLDSACosigner) -> None:
    with pytest.raises(CheckpointError):
        cosigner.cosign("a text\n", 5)
    for time in (-1, 2**63):
        with pytest.raises(NoteError):
            cosigner.cosign(TEXT, time)


def test_names_have_a_length() -> None:
    long = Checkpoint("o" * 256, 1, bytes(32)).marshal()
    made.vault.cosign(long, 1)
    with pytest.raises(NoteError, match="255"):
        made.post_quantum.cosign(long, 1)
