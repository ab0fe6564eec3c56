"""A whole room as it runs: keyholder and vault, each a process of its own, and somebody who speaks HTTP to the vault."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from strongroom.canonical import encode
from strongroom.client import device
from strongroom.client.device import Asker, Device, SignedAsk
from strongroom.gate import ask as asks

CASE, REASON = "case-17", "confirming an application for a passport"
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}


class House:
    """One server: its process, its log, where it listens."""

    def __init__(self, root: Path, name: str, *options: str, environment: dict[str, str] | None = None) -> None:
        self.root, self.name, self._environment = root, name, environment or {}
        self.log = root / f"{name}.log"
        self._options = options
        self.start()

    def start(self) -> None:
        before = self.log.read_text() if self.log.exists() else ""
        command = [sys.executable, "-m", "strongroom.cli.main", "--room", str(self.root), *self._options]
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=os.environ | self._environment
            )
        until = time.monotonic() + 30
        while not (found := re.search(r"ready on https?://([0-9.]+):([0-9]+)", self.said()[len(before) :])):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.02)
        self.host, self.port = found[1], int(found[2])
        looked = re.search(r"metrics of \w+ on http://[0-9.]+:([0-9]+)", self.said()[len(before) :])
        self.admin = int(looked[1]) if looked else 0

    def said(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.said()


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self) -> Any:
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    def problem(self, status: int, code: str) -> Any:
        """That it is this problem, whole and in order."""
        assert (self.status, self.headers["Content-Type"]) == (status, "application/problem+json"), self.body
        said = self.json()
        assert (said["status"], said["code"], said["type"]) == (status, code, f"urn:strongroom:problem:{code}"), said
        assert said["title"]
        assert said["detail"]
        return said


class Town:
    """``root`` has the room of ``tests.houses``."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None) -> None:
        self.root = root
        options = ("--development", "--port", "0", "--admin-port", "0")
        self.keyholder = House(root, "keyholder", "keyholder", *options, environment=environment)
        self.vault = House(root, "vault", "serve", *options, environment=environment)

    def close(self) -> None:
        for house in (self.vault, self.keyholder):
            if house.process.poll() is None:
                house.stop()

    # --- speaking --------------------------------------------------------------------------------------------------
    def call(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection(self.vault.host, self.vault.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def post(self, path: str, said: Any, headers: dict[str, str] | None = None) -> Answer:
        body = said if isinstance(said, bytes) else msgspec.json.encode(said)
        return self.call("POST", path, body, JSON | (headers or {}))

    def raw(self, data: bytes) -> bytes:
        """Bytes straight into the socket; what comes back until it closes."""
        with socket.create_connection((self.vault.host, self.vault.port), timeout=30) as one:
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
            found = b""
            while part := one.recv(65536):
                found += part
        return found

    # --- asking ----------------------------------------------------------------------------------------------------
    def device(self, name: str = "ana") -> Device:
        return device.load(self.root / "people" / f"{name}.device")

    def asker(self, name: str = "ana") -> Asker:
        room = self.get("/v1/room").json()
        return Asker(self.device(name), bytes.fromhex(room["id"]), bytes.fromhex(room["charter"]), os.urandom)

    def find(self, kind: str, value: str, purpose: str = "confirm", holding: str = "residents") -> asks.Evidence:
        return evidence(self.asker().find(holding, purpose, kind, value, CASE, REASON, now()))

    def disclose(
        self, handles: Sequence[bytes], fields: Sequence[str] = ("name",), purpose: str = "confirm", name: str = "ana"
    ) -> asks.Evidence:
        return evidence(self.asker(name).disclose("residents", purpose, handles, fields, CASE, REASON, now()))

    def check(self, handles: Sequence[bytes], field: str, test: Any, value: str | None) -> asks.Evidence:
        return evidence(self.asker().check("residents", "verify", handles, field, test, value, CASE, REASON, now()))

    def intake(self, count: int, purpose: str = "register", holding: str = "residents") -> asks.Evidence:
        return evidence(self.asker("rui").intake(holding, purpose, count, now() + 3600, CASE, REASON, now()))

    def export(self, fields: Sequence[str], count: int) -> asks.Evidence:
        return evidence(self.asker().export("residents", "extract", fields, count, now() + 3600, CASE, REASON, now()))


def now() -> int:
    return int(time.time())


def evidence(signed: SignedAsk) -> asks.Evidence:
    """The ask as it goes over the wire."""
    return asks.Evidence(
        ask=signed.text.decode(),
        countersignatures=list(signed.countersignatures),
        private=encode(signed.private).decode(),
        signature=signed.signature,
    )
