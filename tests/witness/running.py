"""Witnesses as processes of their own: ``strongroom witness``."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.serving.said import calm

from strongroom.ledger.note import Verifier, verifier
from strongroom.witness import house


class Running:
    """Started at once; ``url`` waits until it listens. A restart takes the same port."""

    def __init__(self, directory: Path, name: str, log: str) -> None:
        self.keys = house.create(directory, name, os.urandom)
        self._directory, self._log, self._port = directory, log, 0
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "strongroom.cli.main", "witness", "--directory", str(self._directory)]
        self.process = subprocess.Popen(
            [*command, "--log", self._log, "--port", str(self._port)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._ready = False

    @property
    def verifiers(self) -> tuple[Verifier, Verifier]:
        return verifier(self.keys.ed25519.vkey), verifier(self.keys.ml_dsa.vkey)

    @property
    def url(self) -> str:
        if not self._ready:
            assert self.process.stderr is not None
            for line in self.process.stderr:
                event = json.loads(line)["event"]
                if "ready on http://" in event:
                    self._port = int(event.partition("http://127.0.0.1:")[2].partition(",")[0])
                    break
            else:
                raise AssertionError("the witness did not start")
            self._ready = True
        return f"http://127.0.0.1:{self._port}"

    def lines(self, name: str) -> str:
        """Of a policy: both keys, either of which will do."""
        return (
            f"witness {name}-1 {self.keys.ed25519.vkey} {self.url}\nwitness {name}-2 {self.keys.ml_dsa.vkey} {self.url}\n"
            f"group {name} any {name}-1 {name}-2\n"
        )

    def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, bytes]:
        """(status, content type, body)."""
        assert self.url
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), response.read()
        finally:
            connection.close()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def restart(self) -> None:
        """After a kill -9."""
        self.kill()
        self._start()
        assert self.url

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, said.decode()
        calm(said.decode())


def stop_all(witnesses: list[Running]) -> None:
    try:
        for one in witnesses:
            if one.process.poll() is None:
                one.stop()
    finally:
        for one in witnesses:
            one.kill()
