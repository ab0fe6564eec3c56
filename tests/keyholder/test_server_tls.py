"""The keyholder as its operator starts it: a configuration file, TLS with the vault's certificate, health, a disk that fills."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from tests.cli.session import Session
from tests.crash.houses import CHILD
from tests.faults.disk import mounted
from tests.houses import Houses
from tests.service.town import evidence
from tests.serving.certificates import Authority
from tests.serving.conftest import Process, ask

from strongroom.client.device import Asker
from strongroom.client.operator import Operator
from strongroom.custody import keys as vault_keys
from strongroom.custody import read
from strongroom.custody.room import Room
from strongroom.errors import InputError, KeyholderUnavailable, StrongroomError
from strongroom.keyholder import line

MAIN = [sys.executable, "-m", "strongroom.cli.main"]


@dataclass
class Apart:
    """Two machines: ``root`` has the vault, ``other`` the keyholder."""

    root: Path
    other: Path
    authority: Authority
    process: Process
    port: int = 0
    admin: int = 0

    def room(self) -> Room:
        return Room(self.root / "vault")

    def address(self, host: str = "127.0.0.1") -> str:
        return f"https://{host}:{self.port}"

    def point_to(self, address: str) -> None:
        """What the ceremony would have written."""
        path = self.root / "vault" / "room.json"
        was = vault_keys.load_room(self.root / "vault")
        path.unlink()
        vault_keys.write_room(
            self.root / "vault", vault_keys.RoomFile(genesis=was.genesis, keyholder=address, log=was.log)
        )

    def trust(self) -> None:
        shutil.copy(self.authority.file, self.root / "vault" / line.CA_FILE)

    def show(self, name: str = "vault") -> None:
        self.authority.sign(name)
        shutil.copy(self.authority.directory / f"{name}.both", self.root / "vault" / line.CLIENT_FILE)

    def look(self) -> tuple[int, dict[str, str]]:
        status, said = ask(self.admin, "GET", "/readyz")
        return status, json.loads(said)["checks"]


@pytest.fixture
def apart(houses: Houses, tmp_path: Path) -> Iterator[Apart]:
    houses.town.keyholder.store.close()
    root, other = houses.town.root, tmp_path / "other"
    other.mkdir()
    for part in ("keyholder", "public"):
        shutil.move(root / part, other / part)
    authority = Authority(tmp_path)
    certificate, key = authority.sign("keyholder")
    (other / "strongroom.toml").write_text(
        f"[keyholder]\ntls-certificate = '{certificate}'\ntls-key = '{key}'\nclient-ca = '{authority.file}'\nadmin-port = 0\n"
    )
    made = Apart(root, other, authority, Process([*MAIN, "--room", str(other), "keyholder"]))
    made.admin = int(made.process.event("health and metrics")["event"].rpartition(":")[2])
    said = made.process.event("keyholder ready on https://")["event"]
    made.port = int(said.partition(",")[0].rpartition(":")[2])
    made.point_to(made.address())
    yield made
    made.process.end()
    for part in ("keyholder", "public"):
        shutil.move(other / part, root / part)
    houses.town.keyholder = houses.town._keyholder()


def test_a_read_over_tls_and_the_operator_beside_it(houses: Houses, apart: Apart) -> None:
    apart.trust()
    apart.show()
    room = apart.room()
    room.sync()
    asker = Asker(houses.town.key_of("ana"), room.keys.room, room.rules().enacted.hash, os.urandom)
    got = read.disclose(
        room,
        asker.disclose(
            "residents", "confirm", houses.handles[:1], ["name"], "case-1", "a passport to be renewed", room.now()
        ),
    )
    assert got.index == room.mirror.size - 1
    room.close()
    operator = Operator(apart.other / "keyholder")
    operator.freeze("freeze", "holding:calls")
    operator.close()
    assert apart.process.stop() == 0
    assert not (apart.other / "keyholder" / "address").exists()


def test_a_read_through_both_servers_over_tls(houses: Houses, apart: Apart) -> None:
    """A client to the vault, the vault to the keyholder: TLS on both lines, a certificate shown on the second."""
    certificate, key = apart.authority.sign("front")
    environment = {
        "STRONGROOM_VAULT_TLS_CERTIFICATE": str(certificate),
        "STRONGROOM_VAULT_TLS_KEY": str(key),
        "STRONGROOM_VAULT_ADMIN_PORT": "0",
        "STRONGROOM_DEVELOPMENT": "true",
    }
    apart.trust()
    apart.show()
    vault = Process([*MAIN, "--room", str(apart.root), "serve"], {**os.environ, **environment})
    try:
        admin = int(vault.event("health and metrics")["event"].rpartition(":")[2])
        port = int(vault.event("vault ready on https://")["event"].partition(",")[0].rpartition(":")[2])
        mine = apart.authority.client()
        room = json.loads(ask(port, "GET", "/v1/room", tls=mine)[1])
        asker = Asker(houses.town.key_of("ana"), bytes.fromhex(room["id"]), bytes.fromhex(room["charter"]), os.urandom)
        now = int(time.time())
        signed = asker.disclose(
            "residents", "confirm", houses.handles[:1], ["name"], "case-1", "a passport to be renewed", now
        )
        body = msgspec.json.encode(evidence(signed))
        status, said = ask(port, "POST", "/v1/disclosures", body, mine, {"Content-Type": "application/json"})
        assert status == 200, said
        assert json.loads(said)["receipt"]
        assert ask(admin, "GET", "/readyz")[0] == 200
        # Somebody else where the keyholder was: one clear refusal, and no more than that is said to the client.
        (apart.root / "vault" / line.CA_FILE).write_bytes(certificate.read_bytes())
        vault.end()
        vault = Process([*MAIN, "--room", str(apart.root), "serve"], {**os.environ, **environment})
        admin = int(vault.event("health and metrics")["event"].rpartition(":")[2])
        port = int(vault.event("vault ready on https://")["event"].partition(",")[0].rpartition(":")[2])
        again = asker.disclose(
            "residents", "confirm", houses.handles[:1], ["name"], "case-1", "a passport to be renewed", now
        )
        body = msgspec.json.encode(evidence(again))
        status, said = ask(port, "POST", "/v1/disclosures", body, mine, {"Content-Type": "application/json"})
        assert (status, json.loads(said)["code"]) == (503, "keyholder"), said
        checks = json.loads(ask(admin, "GET", "/readyz")[1])["checks"]
        assert "its certificate is not to be believed" in checks["keyholder"]
        assert vault.stop() == 0
    finally:
        vault.end()


def _fails(apart: Apart, kind: type[StrongroomError], words: str) -> None:
    room = apart.room()
    with pytest.raises(kind, match=words):
        room.sync()
    room.close()


def test_who_is_not_believed(apart: Apart, tmp_path: Path) -> None:
    """Each of these is one error, with what is to be done."""
    unknown = r"its certificate is not to be believed .*put who signed it into the vault's keyholder-ca\.pem"
    _fails(apart, KeyholderUnavailable, unknown)
    apart.trust()
    _fails(apart, KeyholderUnavailable, "broke off")  # we have no certificate to show
    (tmp_path / "strange").mkdir()
    Authority(tmp_path / "strange").sign("vault")
    shutil.copy(tmp_path / "strange" / "vault.both", apart.root / "vault" / line.CLIENT_FILE)
    _fails(apart, KeyholderUnavailable, "broke off")
    apart.show()
    apart.room().close()
    apart.point_to(apart.address().removeprefix("https://"))
    _fails(apart, KeyholderUnavailable, "broke off")
    apart.point_to("192.0.2.1:443")
    _fails(apart, InputError, r"without TLS\. Write https://192\.0\.2\.1:443")


def test_ready_once_the_vault_was_heard(apart: Apart) -> None:
    apart.trust()
    apart.show()
    status, checks = apart.look()
    assert status == 503
    assert checks.pop("speaks").startswith("it has just started")
    assert set(checks.values()) == {"ok"}
    room = apart.room()
    room.sync()
    room.close()
    status, checks = apart.look()
    assert (status, set(checks.values())) == (200, {"ok"})
    assert checks.keys() >= {"book", "charter", "public", "speaks"}
    figures = ask(apart.admin, "GET", "/metrics")[1].decode()
    assert 'strongroom_requests_total{method="POST",route="/v1/entries",status="2xx"}' in figures
    assert f"strongroom_ledger_entries {float(_size(apart))}" in figures
    assert apart.process.event("request", route="/v1/entries")["status"] == 200


def _size(apart: Apart) -> int:
    room = apart.room()
    room.sync()
    size = room.mirror.size
    room.close()
    return size


# --- what it does not start with -------------------------------------------------------------------------------------
def _refused(root: Path, *argv: str) -> str:
    ran = Session(root).run(*argv)
    # In development a keyholder was started for it, which is a line of its own.
    said = ran.err.strip().splitlines()
    assert (ran.code, len(said)) == (1, 1 + ran.err.startswith("started a keyholder")), ran.err
    assert "defect" not in ran.err
    return said[-1]


def test_refused_starts(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "room"
    shutil.copytree(founded, root)
    for server in ("keyholder", "serve"):
        assert "both houses are in one place" in _refused(root, server)
        assert "is not a loopback address, and there is no TLS" in _refused(root, server, "--host", "192.0.2.1")
    monkeypatch.setenv("STRONGROOM_VAULT_TLS_CERTIFICATE", "x")
    monkeypatch.setenv("STRONGROOM_VAULT_TLS_KEY", "x")
    assert "not known by anything" in _refused(root, "serve", "--host", "192.0.2.1")
    development = _refused(root, "serve", "--host", "192.0.2.1", "--development")
    assert "in development nobody is asked who they are" in development
    monkeypatch.undo()
    (tmp_path / "c.toml").write_text("[keyholder]\nprot = 1\n")
    assert "c.toml:2: [keyholder] has no setting prot" in _refused(
        root, "keyholder", "--config", str(tmp_path / "c.toml")
    )
    key = root / "keyholder" / "keys.json"
    key.chmod(0o640)
    assert f"chmod 600 {key}" in _refused(root, "keyholder", "--development")
    key.chmod(0o600)
    key = root / "vault" / "holdings" / "residents.key"
    key.chmod(0o604)
    assert f"chmod 600 {key}" in _refused(root, "config", "check", "--development")
    key.chmod(0o600)
    key.write_bytes(bytes(32))
    assert "was never drawn at random" in _refused(root, "config", "check", "--development")
    shutil.move(root / "keyholder", tmp_path / "keyholder")
    shutil.copy(founded / "vault" / "holdings" / "residents.key", key)
    assert "its keyholder is on this machine" in _refused(root, "serve")


# --- a disk that fills -----------------------------------------------------------------------------------------------
def test_a_disk_that_fills_is_seen(founded: Path, tmp_path: Path) -> None:
    root = tmp_path / "room"
    shutil.copytree(founded, root)
    shutil.copytree(root / "keyholder", tmp_path / "kept")
    with mounted(root / "keyholder", 1024 * 80) as disk:
        shutil.copytree(tmp_path / "kept", disk.seen, dirs_exist_ok=True)
        process = Process(
            [*disk.prefix, *CHILD, "keyholder", "--development", "--room", str(root), "--admin-port", "0"],
            env={**os.environ, "STRONGROOM_CHILD": "{}"},
        )
        try:
            admin = int(process.event("health and metrics")["event"].rpartition(":")[2])

            def book() -> str:
                found: str = json.loads(ask(admin, "GET", "/readyz")[1])["checks"]["book"]
                return found

            assert book() == "ok"
            with disk.full(1024 * 4):
                assert "4 MiB are left on its disk. Free space on it" in book()
            with disk.full():
                assert "No space left on device. Free space on its disk" in book()
                assert ask(admin, "GET", "/livez")[0] == 200
            assert book() == "ok"
            assert process.stop() == 0
        finally:
            process.end()
