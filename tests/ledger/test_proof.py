"""Receipts: an entry, its place, and a checkpoint that the log signed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger import made
from tests.ledger.mutate import mutations

from strongroom.errors import LedgerError, NoteError, ProofError
from strongroom.ledger import proof, tile
from strongroom.ledger.proof import Proof

LEDGER = made.ledger(300)
NOTE = made.sign(LEDGER.checkpoint())
RECEIPT = Proof(270, tuple(tile.prove_inclusion(LEDGER.read, 270, 300)), NOTE)
SHORT = Proof(270, RECEIPT.hashes, f"{LEDGER.checkpoint().marshal()}\n{made.log.sign(LEDGER.checkpoint().marshal())}")
TEXT = SHORT.marshal()


def test_a_receipt() -> None:
    assert TEXT.startswith("c2sp.org/tlog-proof@v1\nindex 270\n")
    assert proof.parse(RECEIPT.marshal()) == RECEIPT
    assert proof.verify(RECEIPT, LEDGER.entries[270], made.verifiers) == LEDGER.checkpoint()


def test_a_ledger_of_one() -> None:
    one = made.ledger(1)
    receipt = Proof(0, (), made.sign(one.checkpoint()))
    assert proof.parse(receipt.marshal()) == receipt
    proof.verify(receipt, one.entries[0], made.verifiers)


def test_a_receipt_for_another_entry() -> None:
    with pytest.raises(ProofError):
        proof.verify(RECEIPT, LEDGER.entries[271], made.verifiers)
    with pytest.raises(ProofError):
        proof.verify(Proof(271, RECEIPT.hashes, NOTE), LEDGER.entries[270], made.verifiers)
    with pytest.raises(ProofError):
        proof.verify(Proof(270, RECEIPT.hashes[:-1], NOTE), LEDGER.entries[270], made.verifiers)


def test_a_receipt_that_only_the_vault_signed() -> None:
    text = LEDGER.checkpoint().marshal()
    with pytest.raises(NoteError):
        proof.verify(
            Proof(270, RECEIPT.hashes, f"{text}\n{made.vault.cosign(text, 1)}"), LEDGER.entries[270], made.verifiers
        )


@given(mutations(TEXT) | st.text(st.characters()))
def test_any_text_is_canonical_or_refused_and_proves_nothing_else(text: str) -> None:
    try:
        found = proof.parse(text)
    except ProofError:
        return
    assert found.marshal() == text
    try:
        proof.verify(found, LEDGER.entries[270], made.verifiers)
    except LedgerError:
        return
    # Only strangers' signatures may differ.
    assert (found.index, found.hashes) == (270, SHORT.hashes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"), ("@v1\n", "@v1\nextra AAAA\n"), ("index 270", "index +270"), ("index 270", "index 0270"), ("index 270", "index ٢٧٠"),
        ("index 270", "index 9223372036854775808"), ("index 270\n", ""), ("index 270", "index 270\nAAAA"), ("index 270\n", "index 270\n\n"),
        ("\n\n", "\n"), ("c2sp", "\nc2sp"), ("index 270", "index 270" + ("\n" + "A" * 43 + "=") * 64),
    ],
)  # fmt: skip
def test_other_forms_are_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(ProofError):
        proof.parse(TEXT.replace(old, new, 1))
