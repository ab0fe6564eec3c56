"""What no server starts with, each with its mend."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from strongroom.errors import InputError
from strongroom.serving import safety
from strongroom.serving.config import Listener

PEM = Path("/x.pem")
SECURE = Listener(host="192.0.2.1", tls_certificate=PEM, tls_key=PEM)
PUBLIC = ["0.0.0.0", "::", "192.0.2.1", "10.1.2.3", "example.org", "localhost.example.org", "::ffff:192.0.2.1"]  # noqa: S104


def _found(at: Listener, authentication: str = "tokens") -> list[str]:
    return list(safety.address("vault", at, authentication))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    assert _found(Listener(host=host, admin_host=host, admin_port=1), "") == []


@pytest.mark.parametrize("host", PUBLIC)
def test_others_reach_it(host: str) -> None:
    (without_tls,) = _found(Listener(host=host))
    assert without_tls.startswith(
        f"vault.host {host} is not a loopback address, and there is no TLS. Give vault.tls-cert"
    )
    (unknown,) = _found(msgspec.structs.replace(SECURE, host=host), "")
    assert "is not known by anything. Give identity.origin" in unknown
    assert len(_found(Listener(host=host), "")) == 2
    assert _found(msgspec.structs.replace(SECURE, host=host)) == []
    assert _found(msgspec.structs.replace(SECURE, host=host, client_ca=PEM), "") == []


@pytest.mark.parametrize("host", PUBLIC)
def test_others_reach_its_health(host: str) -> None:
    for given_ in (Listener(), SECURE):
        (found,) = _found(msgspec.structs.replace(given_, admin_host=host, admin_port=0))
        assert found.startswith(f"vault.admin-host {host} is not a loopback address")
        # Without a port there is no such listener.
        assert _found(msgspec.structs.replace(given_, admin_host=host)) == []
    assert _found(msgspec.structs.replace(SECURE, client_ca=PEM, admin_host=host, admin_port=0)) == []


def test_half_of_what_tls_needs() -> None:
    for half in (Listener(tls_certificate=PEM), Listener(tls_key=PEM)):
        assert _found(half) == ["vault.tls-certificate and vault.tls-key: one is there without the other. Give both"]
    (found,) = _found(Listener(client_ca=PEM))
    assert "nobody would be asked for a certificate" in found


def test_the_first_finding_is_raised() -> None:
    with pytest.raises(InputError, match="there is no TLS"):
        safety.verify_address("vault", Listener(host="0.0.0.0"), "")  # noqa: S104
    safety.verify_address("vault", Listener(), "")


# --- key files -------------------------------------------------------------------------------------------------------
def _write(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_key_files_that_others_may_open(tmp_path: Path, mode: int) -> None:
    (found,) = safety.key_files([_write(tmp_path / "a.key", os.urandom(32), mode)])
    assert found.endswith(f"chmod 600 {tmp_path / 'a.key'}")
    (tmp_path / "a.key").chmod(0o600)
    assert list(safety.key_files([tmp_path / "a.key"])) == []


def test_what_systemd_hands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    (tmp_path / "credentials").mkdir()
    inside = _write(tmp_path / "credentials" / "a.key", os.urandom(32), 0o440)
    outside = _write(tmp_path / "a.key", os.urandom(32), 0o440)
    assert len(list(safety.key_files([inside, outside]))) == 1


def test_a_key_file_that_is_gone(tmp_path: Path) -> None:
    (found,) = safety.key_files([tmp_path / "gone.key"])
    assert "gone.key: No such file" in found


def _as_json(key: bytes) -> bytes:
    return msgspec.json.encode(
        {"message": b64encode(os.urandom(32)).decode(), "tag": b64encode(key).decode(), "name": "town"}
    )


@pytest.mark.parametrize("form", [bytes, _as_json, lambda key: os.urandom(64) + key], ids=["raw", "json", "epoch"])
@pytest.mark.parametrize(
    "key", [bytes(32), b"\xff" * 32, bytes(range(32)), bytes(range(255, 223, -1)), b"change me" * 3 + b"chang", b"01" * 16, b"replace this with a secret key!!"]
)  # fmt: skip
def test_keys_that_nobody_drew(tmp_path: Path, form: Callable[[bytes], bytes], key: bytes) -> None:
    (found,) = safety.key_files([_write(tmp_path / "a.key", form(key))])
    assert "was never drawn at random" in found


@given(some.binary(min_size=31, max_size=31).filter(lambda key: len(set(key)) >= 16))
def test_other_keys_are_drawn(key: bytes) -> None:
    assert not safety._is_placeholder(b"\xff" + key[:30] + b"\x01" + key[30:])


# --- houses ----------------------------------------------------------------------------------------------------------
def test_both_houses_in_one_place(tmp_path: Path) -> None:
    vault, keyholder = tmp_path / "vault", tmp_path / "keyholder"
    for one in (vault, keyholder):
        assert list(safety.apart(vault, keyholder)) == []
        one.mkdir()
        (one / "keys.json").touch()
    (found,) = safety.apart(vault, keyholder)
    assert "both houses are in one place" in found
    assert "--development" in found


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_certificate_s_key_that_others_may_open(tmp_path: Path, mode: int) -> None:
    key = _write(tmp_path / "vault.key", b"-----BEGIN PRIVATE KEY-----", mode)
    certificate = _write(tmp_path / "vault.pem", b"-----BEGIN CERTIFICATE-----", 0o644)
    at = Listener(tls_certificate=certificate, tls_key=key)
    (found,) = safety.tls_files("vault", at)
    assert found.endswith(f"chmod 600 {key}")
    key.chmod(0o600)
    assert list(safety.tls_files("vault", at)) == []
    assert list(safety.tls_files("vault", Listener())) == []


@pytest.mark.parametrize("setting", ["tls-certificate", "tls-key", "client-ca"])
def test_a_file_of_tls_that_cannot_be_read_is_named_with_its_setting(tmp_path: Path, setting: str) -> None:
    files = {one: tmp_path / f"{one}.pem" for one in ("tls-certificate", "tls-key", "client-ca")}
    for path in files.values():
        _write(path, b"-----BEGIN", 0o600)
    at = Listener(**{one.replace("-", "_"): path for one, path in files.items()})  # type: ignore[arg-type]
    assert list(safety.tls_files("keyholder", at)) == []
    files[setting].unlink()
    mend = "Name a PEM file that this user may read; strongroom config shows where the setting comes from"
    (found,) = safety.tls_files("keyholder", at)
    assert found == f"keyholder.{setting} names {files[setting]}: No such file or directory. {mend}"
    files[setting].mkdir()
    (found,) = safety.tls_files("keyholder", at)
    assert found == f"keyholder.{setting} names {files[setting]}: Is a directory. {mend}"
