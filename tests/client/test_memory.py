"""The last checkpoint: kept whole, by one at a time, and of this room alone."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.client import memory
from strongroom.client.memory import File, InMemory, Memory
from strongroom.errors import InputError
from strongroom.ledger import tree
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.note import Signer, verifier


@pytest.fixture(params=["file", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Memory:
    return File(tmp_path / "deep" / "state") if request.param == "file" else InMemory()


def test_swaps_only_what_it_was_held_against(kept: Memory) -> None:
    assert kept.read() == ""
    assert kept.swap("", "one")
    assert not kept.swap("", "two")
    assert kept.read() == "one"
    assert kept.swap("one", "two")
    assert kept.read() == "two"


def test_one_at_a_time(kept: Memory) -> None:
    """As many as wanted count to forty; no step is lost."""

    def count() -> None:
        for _ in range(10):
            while not kept.swap(before := kept.read(), str(int(before or "0") + 1)):
                pass

    threads = [threading.Thread(target=count) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert kept.read() == "40"


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        File(tmp_path / "state").swap("", "note")
    finally:
        os.umask(before)
    assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {0o600}


def test_a_file_that_cannot_be_read_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"\xff")
    with pytest.raises(InputError, match="cannot be read"):
        File(tmp_path / "state").read()
    with pytest.raises(InputError, match="cannot be read"):
        File(tmp_path).read()


def test_another_rooms_checkpoint_is_none() -> None:
    signer = Signer("t/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    other = Signer("t/ledger", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
    text = Checkpoint("t/ledger", 0, tree.EMPTY_ROOT).marshal()
    note = f"{text}\n{signer.sign(text)}"
    assert memory.remembered(note, verifier(signer.vkey)).size == 0
    for wrong in (note[:-2], "", text):
        with pytest.raises(InputError, match="not signed"):
            memory.remembered(wrong, verifier(signer.vkey))
    with pytest.raises(InputError, match="another room's"):
        memory.remembered(note, verifier(other.vkey))


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert memory.default_path(bytes(16)) == tmp_path / "strongroom" / f"{'00' * 16}.checkpoint"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert memory.default_path(bytes(16)) == tmp_path / ".local/state/strongroom" / f"{'00' * 16}.checkpoint"
