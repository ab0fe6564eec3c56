"""The keyholder's own files: 0600, written once, and a torn one is named (SPEC.md 9)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.houses import Houses

from strongroom.errors import StoreError
from strongroom.keyholder import files, keys
from strongroom.keyholder.store import Store
from strongroom.seal import hpke

ROOM = bytes(range(16))


def test_keys_are_drawn_once_and_never_overwritten(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "k", ROOM, "riverton.example", os.urandom)
    path = tmp_path / "k" / "keys.json"
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(StoreError, match="never overwritten"):
        keys.create(tmp_path / "k", ROOM, "riverton.example", os.urandom)
    assert path.read_bytes() == before
    assert keys.load(tmp_path / "k").message_public == made.message_public
    assert made.index not in repr(made).encode()


def test_keys_that_are_missing_or_torn(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="strongroom init"):
        keys.load(tmp_path / "nowhere")
    keys.create(tmp_path / "k", ROOM, "riverton.example", os.urandom)
    path = tmp_path / "k" / "keys.json"
    whole = path.read_bytes()
    for torn in (b"", whole[:-1], whole[:100], whole.replace(b'"name"', b'"nam"'), b"\0" * 100, whole + b" "):
        path.write_bytes(torn)
        with pytest.raises(StoreError, match=r"keys\.json"):
            keys.load(tmp_path / "k")


def test_a_keyholder_without_its_ceremony_or_its_book(houses: Houses) -> None:
    directory, public = houses.town.root / "keyholder", houses.town.root / "public"
    houses.town.keyholder.store.close()
    ceremony, book = directory / "ceremony.json", directory / "keyholder.db"
    kept = ceremony.read_bytes()
    ceremony.unlink()
    with pytest.raises(StoreError, match="first charter's hash was never brought here"):
        files.open_keyholder(directory, public)
    ceremony.write_bytes(kept[:-3])
    with pytest.raises(StoreError, match=r"ceremony\.json"):
        files.open_keyholder(directory, public)
    ceremony.write_bytes(kept)
    # The book: a new one under the same keys would be a second ledger, with every used ask and erasure forgotten.
    whole = book.read_bytes()
    book.unlink()
    with pytest.raises(StoreError, match="is gone"):
        files.open_keyholder(directory, public)
    book.write_bytes(b"")
    with pytest.raises(StoreError, match="is empty"):
        files.open_keyholder(directory, public)
    book.write_bytes(os.urandom(8192))
    with pytest.raises(StoreError, match="Restore"):
        files.open_keyholder(directory, public)
    book.write_bytes(whole)
    houses.town.keyholder = houses.town._keyholder()


def test_a_book_of_another_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "k.db")
    assert stat.S_IMODE((tmp_path / "k.db").stat().st_mode) == 0o600
    store.db.execute("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(StoreError, match="schema 99"):
        Store(tmp_path / "k.db")


# --- epochs ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def epochs(tmp_path: Path) -> keys.EpochKeys:
    (tmp_path / "epochs").mkdir()
    return keys.EpochKeys(tmp_path, os.urandom)


def test_an_epochs_key_is_made_once(epochs: keys.EpochKeys, tmp_path: Path) -> None:
    assert epochs.get("residents", 20_000) is None
    made = epochs.get_or_make("residents", 20_000)
    (path,) = (tmp_path / "epochs").iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("residents-2024-10-04.key", 0o600)
    again = keys.EpochKeys(tmp_path, os.urandom)
    assert again.get_or_make("residents", 20_000).public == made.public
    assert hpke.private_from(path.read_bytes()).public == made.public
    assert again.get("residents", 20_001) is None
    assert again.get("resident", 20_000) is None


@pytest.mark.parametrize("left", [b"", b"x" * 50, b"x" * 96])
def test_what_a_crash_left_is_not_taken_for_a_key(epochs: keys.EpochKeys, tmp_path: Path, left: bytes) -> None:
    """The draft was never handed out: it stands under its own name only until it is durable."""
    draft = tmp_path / "epochs" / ".residents-20000.draft"
    draft.write_bytes(left)
    assert epochs.get("residents", 20_000) is None
    epochs.get_or_make("residents", 20_000)
    assert not draft.exists()


def test_a_crash_between_draft_and_name(
    epochs: keys.EpochKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            epochs.get_or_make("residents", 20_000)
    assert epochs.get("residents", 20_000) is None
    assert epochs.get_or_make("residents", 20_000) is epochs.get("residents", 20_000)


def test_a_name_is_on_disk_before_anything_is_sealed_to_its_key(
    epochs: keys.EpochKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost in a power cut, another key would be made under that name, and what was sealed to the first opens no more."""
    steps: list[str] = []
    replace, sync = os.replace, keys.sync_folder

    def replaced(source: Path, target: Path) -> None:
        steps.append("replace")
        replace(source, target)

    def synced(path: Path) -> None:
        steps.append("sync")
        sync(path)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(keys, "sync_folder", synced)
    epochs.get_or_make("residents", 20_000)
    assert steps == ["sync", "replace", "sync"]


@pytest.mark.parametrize("epoch", [2**32 - 1, 3_000_000])
def test_a_day_of_no_calendar_has_no_key(epochs: keys.EpochKeys, epoch: int) -> None:
    assert epochs.get("residents", epoch) is None
