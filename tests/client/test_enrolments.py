"""What a device remembers of its enrolments."""

from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.client import enrolments
from strongroom.errors import InputError
from strongroom.keyholder.protocol import Enrolled

ONE = Enrolled(chain=bytes(32), holding="residents", kind="phone")
TWO = Enrolled(chain=bytes(31) + b"\1", holding="residents", kind="resident-id")


def test_kept_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    device = tmp_path / "zhang.device"
    assert enrolments.load(device) == []
    for one in (ONE, TWO, ONE):
        enrolments.add(device, one)
    assert enrolments.load(device) == [ONE, TWO]
    (kept,) = tmp_path.iterdir()
    assert (kept.name, kept.stat().st_mode & 0o777) == ("zhang.device.enrolled", 0o600)


def test_what_is_there_must_be_what_was_written(tmp_path: Path) -> None:
    device = tmp_path / "zhang.device"
    enrolments.add(device, ONE)
    kept = tmp_path / "zhang.device.enrolled"
    kept.write_bytes(kept.read_bytes() + b"\n")
    with pytest.raises(InputError, match="enrolments"):
        enrolments.load(device)
