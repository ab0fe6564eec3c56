"""A room is founded whole or not at all, and its charter changes only as its steward signs (SPEC.md 6, 9)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests import world
from tests.houses import Houses, change

from strongroom.catalog import source
from strongroom.catalog.model import RosterLine
from strongroom.client import device
from strongroom.custody import ceremony
from strongroom.custody import keys as vault_keys
from strongroom.errors import CatalogError, InputError, Refused, StoreError

SOURCE = source.load(world.CHARTER, "charter.yaml")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the two million bucket keys, which have a test of their own."""
    monkeypatch.setattr(ceremony, "bucket_roots", lambda wanted, _: [bytes(32)] * len(wanted))


def _found(root: Path, random: Any = os.urandom) -> bytes:
    return ceremony.found(root, SOURCE, random, lambda _: None)


@pytest.mark.usefixtures("quick")
def test_every_secret_is_its_owners_alone(tmp_path: Path) -> None:
    root = tmp_path / "room"
    genesis = _found(root)
    assert sorted(path.name for path in root.iterdir()) == ["keyholder", "public", "steward", "vault"]
    secret = [path for path in root.rglob("*") if path.is_file() and "public" not in path.parts]
    assert {path.name for path in secret} >= {"keys.json", "room.json", "ceremony.json", "steward.key", "auditor.key"}
    for path in secret:
        if path.name not in ("lock", "keyholder.db-wal", "keyholder.db-shm"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert vault_keys.load_room(root / "vault").genesis == genesis


@pytest.mark.usefixtures("quick")
def test_never_over_another_room(tmp_path: Path) -> None:
    _found(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="a room already"):
        _found(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("at", range(1, 14))
def test_a_founding_that_fails_leaves_nothing(tmp_path: Path, at: int) -> None:
    """Half a room would have keys, and refuse to be founded again."""
    drawn = 0

    def dry(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        if drawn == at:
            raise OSError("no more randomness")
        return os.urandom(count)

    with pytest.raises(OSError, match="no more"):
        _found(tmp_path, dry)
    assert list(tmp_path.iterdir()) == []
    _found(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_founding_under_way_is_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / ".founding").mkdir()
    with pytest.raises(InputError, match="cut short, or is under way"):
        _found(tmp_path)


def test_a_wrong_source_makes_nothing(tmp_path: Path) -> None:
    wrong = world.CHARTER.replace("reads: {residents: {name: clear,", "reads: {residents: {nam: clear,")
    with pytest.raises(CatalogError):
        ceremony.found(tmp_path / "room", source.load(wrong, "charter.yaml"), os.urandom, lambda _: None)
    assert not (tmp_path / "room" / "vault").exists()


# --- changing the charter ----------------------------------------------------------------------------------------------
def test_amend_and_enrol(houses: Houses) -> None:
    room = houses.town.room
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    made = device.create(houses.town.root / "people" / "bo.device", "bo", os.urandom)
    new = ceremony.enrol_reader(room, steward, made.public, "clerk", "registry")
    assert room.rules().charter == new
    assert made.reader in room.rules().roster
    with pytest.raises(InputError, match="already"):
        ceremony.enrol_reader(room, steward, made.public, "clerk", "registry")
    with pytest.raises(Refused) as caught:
        ceremony.amend(room, Ed25519PrivateKey.generate(), lambda charter: charter, [])
    assert caught.value.code == "charter"
    with pytest.raises(CatalogError):
        ceremony.amend(room, steward, lambda charter: change(charter, room=bytes(16)), [])
    assert room.rules().charter == new


def test_a_roster_twice_the_same_line(houses: Houses) -> None:
    room = houses.town.room
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    line = RosterLine(key=bytes(32), role="clerk", unit="registry")
    with pytest.raises(Exception, match="sorted"):
        ceremony.amend(room, steward, lambda charter: charter, [line, line])


def test_a_steward_key_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no steward key"):
        ceremony.load_steward(tmp_path / "steward.key")
    (tmp_path / "steward.key").write_bytes(b'{"key":"AA')
    with pytest.raises(InputError):
        ceremony.load_steward(tmp_path / "steward.key")


# --- keys files ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["keys.json", "room.json"])
def test_a_vault_whose_keys_are_missing_or_torn(houses: Houses, name: str) -> None:
    path = houses.town.root / "vault" / name
    whole = path.read_bytes()
    for torn in (b"", whole[:-1], whole[: len(whole) // 2], whole + b"\n", b"\0" * len(whole)):
        path.write_bytes(torn)
        with pytest.raises(StoreError, match=name):
            houses.town.open_room()
    path.unlink()
    with pytest.raises(StoreError, match="strongroom init"):
        houses.town.open_room()
    path.write_bytes(whole)


def test_a_holding_without_a_key(houses: Houses) -> None:
    with pytest.raises(StoreError, match="no key for the holding patients"):
        houses.town.room.keys.holding("patients")
    with pytest.raises(InputError, match="no holding patients"):
        houses.town.room.holding("patients")


def test_secrets_stay_out_of_what_is_printed(houses: Houses) -> None:
    keys = houses.town.room.keys
    text = repr(keys) + repr(houses.town.keyholder.keys) + repr(houses.town.key_of("ana"))
    for secret in (houses.town.keyholder.keys.tag, houses.town.keyholder.keys.index):
        assert repr(secret) not in text
    assert "PrivateKey" not in text
    assert "HoldingKeys" not in text
