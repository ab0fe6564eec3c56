"""OpenBao's transit engine with an audit device, over the same loopback and the same load generator as ours.

Its keys live in its memory (``inmem``): transit writes nothing but the audit file, which it does not flush to disk. Ours
commits each read durably, twice.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.processes import processor_seconds

from bench import load

_CONFIG = """
storage "inmem" {{}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}
audit "file" "audit" {{
  options {{
    file_path = "{audit}"
  }}
}}
"""
_START_SECONDS = 30.0


class Bao:
    """A server of its own: unsealed, transit mounted, one key."""

    def __init__(self, address: str, pid: int, token: str = "") -> None:
        self.address, self.pid, self.token = address, pid, token

    def ask(self, method: str, path: str, said: object) -> dict[str, object]:
        host, _, port = self.address.rpartition(":")
        line = http.client.HTTPConnection(host, int(port), timeout=30)
        line.request(method, f"/v1/{path}", json.dumps(said), {"X-Vault-Token": self.token})
        answer = line.getresponse()
        body = answer.read()
        line.close()
        if answer.status >= 300:
            raise SystemExit(f"OpenBao: {path}: {answer.status} {body[:200]!r}")
        return dict(json.loads(body)) if body else {}

    def request(self, what: str, items: Sequence[object]) -> bytes:
        """As it goes onto the wire: one item, or a batch of them."""
        body = items[0] if len(items) == 1 else {"batch_input": list(items)}
        return load.post(f"/v1/transit/{what}/town", json.dumps(body).encode(), X_Vault_Token=self.token)


@contextmanager
def server(binary: Path, directory: Path) -> Iterator[Bao]:
    directory.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = directory / "config.hcl"
    config.write_text(_CONFIG.format(port=port, audit=(directory / "audit.log").absolute()))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, "server", f"-config={config}"],
            stdout=log,
            stderr=log,
            env={**os.environ, "BAO_ADDR": "", "VAULT_ADDR": ""},
        )
    try:
        bao = Bao(f"127.0.0.1:{port}", process.pid)
        _wait(port, process)
        made = bao.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        keys = made["keys"]
        assert isinstance(keys, list)
        bao.token = str(made["root_token"])
        bao.ask("PUT", "sys/unseal", {"key": keys[0]})
        bao.ask("POST", "sys/mounts/transit", {"type": "transit"})
        bao.ask("POST", "transit/keys/town", {})
        yield bao
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("OpenBao did not start")


def measure(
    binary: Path, directory: Path, values: Sequence[bytes], seconds_each: float
) -> Iterator[tuple[str, load.Load, float]]:
    """(what, load, processor seconds of the server) of encrypting and decrypting one value, and 100 a request, at 8 connections."""
    with server(binary, directory) as bao:
        plain = [{"plaintext": base64.b64encode(value).decode()} for value in values]
        made = bao.ask("POST", "transit/encrypt/town", {"batch_input": plain})["data"]
        assert isinstance(made, dict)
        sealed = [{"ciphertext": one["ciphertext"]} for one in made["batch_results"]]
        for size, first in ((1, 400), (100, 40)):
            for what, items in (("encrypt", plain), ("decrypt", sealed)):
                groups = [items[at : at + size] for at in range(0, len(items), size)]
                groups = [group for group in groups if len(group) == size]
                path = directory / "requests"

                def requests(
                    count: int, groups: list[list[dict[str, str]]] = groups, what: str = what
                ) -> Iterator[bytes]:
                    for number in range(count):
                        yield bao.request(what, groups[number % len(groups)])

                load.write(path, requests(first))
                tried = load.run(bao.address, path, 8, '"data"')
                load.write(path, requests(max(first, int(tried.rate * seconds_each))))
                before = processor_seconds(bao.pid)
                yield f"{what} {size}", load.run(bao.address, path, 8, '"data"'), processor_seconds(bao.pid) - before
