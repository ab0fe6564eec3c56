"""The project's own vectors say what the code does, and their signatures, once made, still verify."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.ledger import made, make_vectors

from strongroom.errors import LedgerError
from strongroom.ledger import cosignature, entry, note, proof, tag, tree
from strongroom.ledger.key import COSIGNATURE

FILES = ["ledger-note.json", "ledger-cosignature.json", "ledger-proof.json", "ledger-entry.json", "ledger-tag.json"]


def cases(name: str, member: str = "cases") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((make_vectors.VECTORS / name).read_text())[member]
    assert len(found) >= 3, "the corpus has shrunk: nothing would be tested"
    return found


def expect(case: dict[str, Any], run: Any) -> None:
    if "error" not in case:
        run()
        return
    with pytest.raises(LedgerError) as caught:
        run()
    assert caught.value.code == case["error"]


def test_the_files_are_those_that_the_script_writes() -> None:
    def without_ml_dsa(text: str) -> str:
        return re.sub(r"(/ml-dsa )[A-Za-z0-9+/=]+", r"\1*", text)

    written = make_vectors.documents()
    assert list(written) == FILES
    for name, content in written.items():
        stored = (make_vectors.VECTORS / name).read_text()
        fresh = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        assert without_ml_dsa(stored) == without_ml_dsa(fresh), f"{name} is stale: run tests/ledger/make_vectors.py"


@pytest.mark.parametrize("case", cases("ledger-note.json"), ids=lambda case: case["name"])
def test_notes(case: dict[str, Any]) -> None:
    def run() -> None:
        found, signers = note.open_checkpoint(case["note"], [note.verifier(one) for one in case["vkeys"]])
        assert (found.origin, found.size, found.root.hex()) == (case["origin"], case["size"], case["root"])
        assert [one.vkey for one in signers] == case["signers"]

    expect(case, run)


@pytest.mark.parametrize("case", cases("ledger-cosignature.json"), ids=lambda case: case["name"])
def test_cosignatures(case: dict[str, Any]) -> None:
    text, time, trusted = case["checkpoint"], case["time"], note.verifier(case["vkey"])
    assert note.open_note(f"{text}\n{case['line']}", [trusted]) == text
    ed25519 = trusted.type == COSIGNATURE
    message = cosignature.message(text, time) if ed25519 else cosignature.subtree_message(trusted.name, text, time)
    assert message.hex() == case["message"]
    # Ed25519 is deterministic: whoever has the seed comes to this line.
    if ed25519:
        assert made.vault.cosign(text, time) == case["line"]


@pytest.mark.parametrize("case", cases("ledger-proof.json"), ids=lambda case: case["name"])
def test_proofs(case: dict[str, Any]) -> None:
    def run() -> None:
        verifiers = [note.verifier(one) for one in case["vkeys"]]
        found = proof.verify(proof.parse(case["proof"]), bytes.fromhex(case["entry"]), verifiers)
        assert (found.size, found.root.hex()) == (case["size"], case["root"])

    expect(case, run)


@pytest.mark.parametrize("case", cases("ledger-entry.json"), ids=lambda case: case["name"])
def test_entries(case: dict[str, Any]) -> None:
    text = case["text"].encode()

    def run() -> None:
        assert entry.encode(entry.parse(text)) == text
        assert tree.leaf_hash(text).hex() == case["leaf_hash"]

    expect(case, run)


@pytest.mark.parametrize("chain", cases("ledger-tag.json", "chains"), ids=lambda chain: chain["chain_key"][:8])
def test_chains(chain: dict[str, Any]) -> None:
    key, holding, who = (bytes.fromhex(chain[name]) for name in ("tag_key", "holding_id", "who"))
    found = tag.chain_key(key, holding, who, chain["generation"])
    assert found.hex() == chain["chain_key"]
    assert {n: tag.tag(found, int(n)).hex() for n in chain["tags"]} == chain["tags"]


@pytest.mark.parametrize("case", cases("ledger-tag.json", "days"), ids=lambda case: case["name"])
def test_days(case: dict[str, Any]) -> None:
    def run() -> None:
        found = tag.parse_day(bytes.fromhex(case["file"]))
        assert [[one.hex(), index] for one, index in found] == case["pairs"]

    expect(case, run)
