"""``strongroom config``: every setting, its value, where it came from; and what the servers would not start with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.cli.session import Session


def test_each_setting_with_its_source(alone: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    file = alone.room / "strongroom.toml"
    file.write_text("[vault]\nport = 7443\ntls-key = 'tls/vault.key'\n")
    monkeypatch.setenv("STRONGROOM_TELEMETRY_LOG", "text")
    ran = alone.run("config", "--json", "--development")
    found = json.loads(ran.out)
    assert found["file"] == str(file)
    settings = found["settings"]
    assert settings["vault.port"] == {"source": f"{file}:2", "value": 7443}
    assert settings["vault.tls-key"] == {"source": f"{file}:3", "value": str(alone.room / "tls" / "vault.key")}
    assert settings["telemetry.log"] == {"source": "$STRONGROOM_TELEMETRY_LOG", "value": "text"}
    assert settings["development"] == {"source": "--development", "value": True}
    assert settings["keyholder.port"] == {"source": "default", "value": 0}
    shown = alone.run("config").out.splitlines()
    assert len(shown) == 1 + len(settings)
    (line,) = [one for one in shown if one.startswith("vault.port")]
    assert line.split() == ["vault.port", "7443", f"{file}:2"]


def test_no_secret_is_shown(alone: Session, tmp_path: Path) -> None:
    """A key is named by its file, which is not opened."""
    (tmp_path / "vault.key").write_text("planted")
    (alone.room / "strongroom.toml").write_text(f"[vault]\ntls-key = '{tmp_path / 'vault.key'}'\n")
    for argv in (("config",), ("config", "--json"), ("config", "check"), ("config", "check", "--json")):
        ran = alone.run(*argv)
        assert "planted" not in ran.out + ran.err
        assert "check" in argv or str(tmp_path / "vault.key") in ran.out


def test_all_that_is_wrong_at_once(alone: Session) -> None:
    (alone.room / "strongroom.toml").write_text("[vault]\nhost = '192.0.2.1'\n[keyholder]\nclient-ca = 'x'\n")
    os.chmod(alone.room / "keyholder" / "keys.json", 0o644)
    ran = alone.run("config", "check", "--json")
    assert ran.code == 1
    found = json.loads(ran.out)["findings"]
    assert sum(text.startswith("vault.host 192.0.2.1") for text in found) == 2
    for words in (
        "keyholder.client-ca without",
        "chmod 600",
        "both houses are in one place",
        "its keyholder is on this machine",
    ):
        assert any(words in text for text in found), words
    assert len(ran.err.strip().splitlines()) == len(found)
    (alone.room / "strongroom.toml").unlink()
    os.chmod(alone.room / "keyholder" / "keys.json", 0o600)
    fine = alone.run("config", "check", "--development")
    assert (fine.code, fine.err) == (0, "")
