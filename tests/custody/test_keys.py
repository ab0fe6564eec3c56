"""The vault's key files: written whole or not at all, once, and read when they are needed (SPEC.md 9)."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from strongroom.custody import keys
from strongroom.errors import StoreError

ROOM = bytes(range(16))


@pytest.fixture
def vault(tmp_path: Path) -> keys.VaultKeys:
    return keys.create(tmp_path / "vault", ROOM, "riverton.example", ["residents"], os.urandom)


def test_a_file_for_each_holding(vault: keys.VaultKeys) -> None:
    path = vault.directory / "holdings" / "residents.key"
    assert path.read_bytes() == vault.holding("residents").key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert vault.holding("residents").key not in (vault.directory / "keys.json").read_bytes()
    assert vault.names() == ["residents"]


def test_a_new_holding_is_known_to_rooms_opened_before(vault: keys.VaultKeys) -> None:
    before = keys.load(vault.directory)
    drawn = vault.draw("calls", os.urandom)
    assert before.holding("calls").key == drawn.key != vault.holding("residents").key
    assert before.names() == ["calls", "residents"]


def test_a_key_is_drawn_once(vault: keys.VaultKeys) -> None:
    first = vault.draw("calls", os.urandom).key
    assert vault.draw("calls", os.urandom).key == first
    assert keys.load(vault.directory).draw("calls", os.urandom).key == first
    with pytest.raises(StoreError, match="exists already"):
        keys.create(vault.directory, ROOM, "riverton.example", [], os.urandom)


def test_two_that_draw_at_once_have_one_key(vault: keys.VaultKeys) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = {one.key for one in pool.map(lambda _: keys.load(vault.directory).draw("calls", os.urandom), range(16))}
    assert found == {(vault.directory / "holdings" / "calls.key").read_bytes()}


@pytest.mark.parametrize("step", ["write_secret", "link", "unlink", "sync_folder"])
def test_killed_while_drawing(vault: keys.VaultKeys, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whatever was reached, the next try has one whole key, and keeps it."""

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(*((keys, step) if hasattr(keys, step) else (os, step)), killed)
        if step == "unlink":
            broken.setattr(Path, "unlink", lambda path, missing_ok=False: None if missing_ok else killed())
        with pytest.raises(KeyboardInterrupt):
            vault.draw("calls", os.urandom)
    path = vault.directory / "holdings" / "calls.key"
    before = path.read_bytes() if path.exists() else None
    drawn = keys.load(vault.directory).draw("calls", os.urandom)
    assert path.read_bytes() == drawn.key
    assert before in (None, drawn.key)
    assert vault.names() == ["calls", "residents"]


def test_a_draft_cut_short_is_no_key(vault: keys.VaultKeys) -> None:
    (vault.directory / "holdings" / ".calls.draft").write_bytes(b"\1" * 7)
    with pytest.raises(StoreError, match="no key for the holding calls"):
        vault.holding("calls")
    assert len(vault.draw("calls", os.urandom).key) == 32
    assert sorted(path.name for path in (vault.directory / "holdings").iterdir()) == ["calls.key", "residents.key"]


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_damaged_key_is_said_to_be(vault: keys.VaultKeys, content: bytes) -> None:
    path = vault.directory / "holdings" / "residents.key"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"residents\.key: not a holding's key"):
        keys.load(vault.directory).holding("residents")
    with pytest.raises(StoreError, match=r"residents\.key: not a holding's key"):
        keys.load(vault.directory).draw("residents", os.urandom)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["", "../keys", "a/b", "A", ".calls", "calls\0", "x" * 41])
def test_a_name_leads_nowhere_else(vault: keys.VaultKeys, name: str) -> None:
    with pytest.raises(StoreError):
        vault.holding(name)
    with pytest.raises(StoreError):
        vault.draw(name, os.urandom)
