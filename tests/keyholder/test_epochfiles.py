"""Epoch keys on disk: made once, durable before they are used, destroyed for good (SPEC.md 1.5 and 8.9)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from strongroom.errors import StoreError
from strongroom.keyholder import epochfiles, keys
from strongroom.keyholder.epochfiles import EpochFiles
from strongroom.seal import hpke

NAME = "residents-2024-10-04.key"


@pytest.fixture
def epochs(tmp_path: Path) -> EpochFiles:
    (tmp_path / "epochs").mkdir()
    return EpochFiles(tmp_path, os.urandom)


def test_an_epochs_key_is_made_once(epochs: EpochFiles, tmp_path: Path) -> None:
    assert epochs.get("residents", 20_000) is None
    made = epochs.make("residents", 20_000)
    (path,) = (tmp_path / "epochs").iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == (NAME, 0o600)
    again = EpochFiles(tmp_path, os.urandom).get("residents", 20_000)
    assert again is not None
    assert again.public == made.public == hpke.private_from(path.read_bytes()).public
    assert epochs.get("residents", 20_001) is None
    assert epochs.get("resident", 20_000) is None
    assert epochs.listed() == [("residents", 20_000)]


@pytest.mark.parametrize("left", [b"", b"x" * 50, b"x" * 96])
def test_what_a_crash_left_is_not_taken_for_a_key(epochs: EpochFiles, tmp_path: Path, left: bytes) -> None:
    """The draft was never handed out: it stands under its own name only until it is durable."""
    draft = tmp_path / "epochs" / f".{NAME}.draft"
    draft.write_bytes(left)
    assert epochs.get("residents", 20_000) is None
    assert epochs.listed() == []
    epochs.make("residents", 20_000)
    assert not draft.exists()
    draft.write_bytes(left)
    epochs.sweep()
    assert [path.name for path in (tmp_path / "epochs").iterdir()] == [NAME]


def test_a_crash_between_draft_and_name(epochs: EpochFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            epochs.make("residents", 20_000)
    assert epochs.get("residents", 20_000) is None
    assert epochs.make("residents", 20_000) is epochs.get("residents", 20_000)


def test_a_name_is_on_disk_before_anything_is_sealed_to_its_key(
    epochs: EpochFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost in a power cut, another key would be made under that name, and what was sealed to the first opens no more."""
    steps: list[str] = []
    replace, write, sync = os.replace, keys.write_secret, keys.sync_folder

    def replaced(source: Path, target: Path) -> None:
        steps.append("replace")
        replace(source, target)

    def written(path: Path, data: bytes) -> None:
        steps.append("write")
        write(path, data)

    def synced(path: Path) -> None:
        steps.append("sync")
        sync(path)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(epochfiles, "write_secret", written)
    monkeypatch.setattr(epochfiles, "sync_folder", synced)
    epochs.make("residents", 20_000)
    assert steps == ["write", "replace", "sync"]


@pytest.mark.parametrize("epoch", [2**32 - 1, 3_000_000])
def test_a_day_of_no_calendar_has_no_key(epochs: EpochFiles, epoch: int) -> None:
    assert epochs.get("residents", epoch) is None


def test_other_files_are_no_keys(epochs: EpochFiles, tmp_path: Path) -> None:
    for name in ("notes.txt", "residents-2024-13-04.key", "residents-2024-10-04.key.old", "Residents-2024-10-04.key"):
        (tmp_path / "epochs" / name).write_bytes(b"x" * 96)
    assert epochs.listed() == []


def test_a_full_disk_makes_no_key(epochs: EpochFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(epochfiles, "write_secret", full)
    with pytest.raises(StoreError, match="No space left"):
        epochs.make("residents", 20_000)
    assert list((tmp_path / "epochs").iterdir()) == []


# --- destroyed -------------------------------------------------------------------------------------------------------
def test_a_key_is_overwritten_before_it_is_unlinked(
    epochs: EpochFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = epochs.make("residents", 20_000)
    path = tmp_path / "epochs" / NAME
    whole, left, synced = path.read_bytes(), list[bytes](), list[int]()
    unlink, fsync = Path.unlink, os.fsync

    def unlinked(self: Path, missing_ok: bool = False) -> None:
        left.append(self.read_bytes())
        unlink(self, missing_ok)

    def fsynced(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        fsync(file)

    inode = path.stat().st_ino
    monkeypatch.setattr(Path, "unlink", unlinked)
    monkeypatch.setattr(os, "fsync", fsynced)
    epochs.destroy("residents", 20_000)
    assert len(left[0]) == len(whole)
    assert left[0] != whole
    assert synced == [inode, (tmp_path / "epochs").stat().st_ino]
    assert epochs.get("residents", 20_000) is None
    assert made.public  # what is held elsewhere is held there; the files object has forgotten it
    epochs.destroy("residents", 20_000)


def test_a_key_that_cannot_be_destroyed_is_named(
    epochs: EpochFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs.make("residents", 20_000)

    def read_only(self: Path, mode: str = "r") -> object:
        assert mode == "r+b"
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", read_only)
    for attempt in (epochs.destroy, epochs.destroyable):
        with pytest.raises(StoreError, match=rf"{NAME}.*Read-only"):
            attempt("residents", 20_000)
    monkeypatch.undo()
    epochs.destroyable("residents", 20_000)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StoreError, match="writable"):
        epochs.destroyable("residents", 20_000)
    # What is not there needs no destroying.
    epochs.destroyable("residents", 20_001)
