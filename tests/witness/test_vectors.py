"""The vectors of policies and of the witness protocol say what the code does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.witness import make_vectors

from strongroom.errors import Declined, PolicyError, QuorumError
from strongroom.ledger import note, policy
from strongroom.witness import house
from strongroom.witness.core import Witness


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((make_vectors.VECTORS / name).read_text())
    return found


def test_the_files_are_those_that_the_script_writes() -> None:
    for name, content in make_vectors.documents().items():
        assert stored(name) == content, f"{name} is stale: run tests/witness/make_vectors.py"


@pytest.mark.parametrize("case", stored("ledger-policy.json")["cases"], ids=lambda case: case["name"])
def test_policies(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(PolicyError):
            policy.parse(case["policy"].encode())
        return
    found = policy.parse(case["policy"].encode())
    vkeys = [note.verifier(one) for one in stored("ledger-policy.json")["vkeys"]]
    for cosigners in case["quorums"]:
        policy.satisfied(found, [vkeys[n] for n in cosigners])
    for cosigners in case["short"]:
        with pytest.raises(QuorumError):
            policy.satisfied(found, [vkeys[n] for n in cosigners])


def test_a_witness_takes_the_steps(tmp_path: Path) -> None:
    told = stored("witness.json")
    keys = house.create(tmp_path / "w", "witness.example", os.urandom)
    store = house.open_store(tmp_path / "w")
    store.add(house.logs(told["logs"]))
    witness = Witness(store, keys.cosigners, lambda: 1_800_000_000)
    assert len(told["steps"]) > 20
    for step in told["steps"]:
        try:
            lines, status, size = witness.add_checkpoint(step["body"].encode()), 200, None
            text = step["body"].partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
            assert len(note.signed_by(f"{text}\n{lines}", [note.verifier(one) for one in keys.vkeys])[1]) == 2
        except Declined as error:
            status, size = error.status, error.size
        assert (status, size) == (step["status"], step.get("size")), step["name"]
    store.close()
