"""What is exported goes into a file that was made for it, and not through a link or into another's (custody/outfile.py)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from strongroom.custody.migrate import _BadFile
from strongroom.custody.outfile import Outfile
from strongroom.errors import InputError

HEAD: dict[str, Any] = {"count": None, "export": "00" * 16, "fields": ["name"], "form": "jsonl"}
ROWS: list[tuple[bytes, dict[str, str | None]]] = [(bytes(16), {"name": "王五"})]


def begun(path: Path) -> Outfile:
    return Outfile(path, "jsonl", ["name"], HEAD)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    made = tmp_path / "notes"
    made.write_text("somebody's notes\n")
    return made


def test_both_are_the_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        out = begun(path)
        out.add_receipt(1, 1, "", b"")
        out.write(ROWS)
        out.close()
        bad = path.with_name("MAP.bad.csv")
        _BadFile(bad).add([(bytes(16), "name", "is empty")])
    finally:
        os.umask(before)
    beside = path.with_name("out.jsonl.receipts")
    assert [mode(one) for one in (path, beside, bad)] == [0o600] * 3


@pytest.mark.parametrize("there", [True, False])
def test_a_link_where_the_file_shall_be(path: Path, notes: Path, there: bool) -> None:
    path.symlink_to(notes if there else notes.with_name("nowhere"))
    with pytest.raises(InputError, match="is there already"):
        begun(path)
    assert notes.read_text() == "somebody's notes\n"
    assert not notes.with_name("nowhere").exists()
    assert not path.with_name("out.jsonl.receipts").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_where_the_receipts_shall_be(path: Path, notes: Path, there: bool) -> None:
    path.with_name("out.jsonl.receipts").symlink_to(notes if there else notes.with_name("nowhere"))
    with pytest.raises(InputError, match="link"):
        begun(path)
    assert notes.read_text() == "somebody's notes\n"
    assert not notes.with_name("nowhere").exists()


def test_a_link_laid_while_it_is_written(path: Path, notes: Path) -> None:
    """Neither cut short nor written on, by the run at hand or by the one that goes on."""
    out = begun(path)
    path.symlink_to(notes)
    with pytest.raises(InputError, match="link"):
        out.write(ROWS)
    with pytest.raises(InputError, match="link"):
        out.resume(0)
    out.close()
    again = begun(path)
    with pytest.raises(InputError, match="link"):
        again.resume(0)
    again.close()
    assert notes.read_text() == "somebody's notes\n"


def test_what_is_no_file(path: Path) -> None:
    os.mkfifo(path.with_name("out.jsonl.receipts"))
    with pytest.raises(InputError, match="no file"):
        begun(path)
    out = begun(path.with_name("other"))
    os.mkfifo(path.with_name("other"))
    with pytest.raises(InputError, match="no file"):
        out.write(ROWS)
    out.close()


def test_another_users(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.with_name("out.jsonl.receipts").touch()
    monkeypatch.setattr(os, "geteuid", lambda: path.parent.stat().st_uid + 1)
    with pytest.raises(InputError, match="another user's"):
        begun(path)


def test_a_list_of_bad_records_is_no_link(path: Path, notes: Path) -> None:
    path.symlink_to(notes)
    with pytest.raises(OSError, match="symbolic links"):
        _BadFile(path).add([(bytes(16), "name", "is empty")])
    assert notes.read_text() == "somebody's notes\n"
