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
