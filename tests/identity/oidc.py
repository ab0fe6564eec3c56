"""A real OpenID provider of the tests' own: npm's ``oidc-provider``, on loopback, by its lock (tests/get-oidc-provider)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from tests.identity.forge import Signer

HERE = Path(__file__).parent
PROGRAM = HERE / "provider" / "provider.mjs"
INSTALLED = HERE.parent.parent / ".oidc-provider"
WANTED = "no OpenID provider here: apt-get install nodejs npm, then tests/get-oidc-provider"


@dataclass
class Client:
    """One of the provider's: it logs in there by ``key``, and its tokens say ``role`` and ``unit``."""

    name: str
    key: Signer
    role: str
    unit: str


@dataclass
class Oidc:
    """A running one. ``use`` makes it anew, under the same issuer."""

    process: subprocess.Popen[str]
    clients: Sequence[Client]
    audience: str
    issuer: str = ""

    def use(self, *signers: tuple[str, Signer]) -> None:
        """Have it publish these keys (``kid`` and key), and sign with the first."""
        algorithm = signers[0][1].algorithm
        said = {
            "keys": [{**key.private, "kid": kid, "alg": key.algorithm, "use": "sig"} for kid, key in signers],
            "audience": self.audience,
            "algorithm": algorithm,
            "clients": [
                {
                    "client_id": one.name,
                    "token_endpoint_auth_method": "private_key_jwt",
                    "jwks": {"keys": [one.key.jwk]},
                    "grant_types": ["client_credentials"],
                    "redirect_uris": [],
                    "response_types": [],
                    "dpop_bound_access_tokens": True,
                    "role": one.role,
                    "unit": one.unit,
                }
                for one in self.clients
            ],
        }
        assert self.process.stdin
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()
        self.issuer = _issuer(self.process.stdout)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def _issuer(out: IO[str] | None) -> str:
    assert out
    for line in out:
        if line.startswith("http://127.0.0.1:"):  # the rest is advice for those who run one for real
            return line.strip()
    raise AssertionError("the OpenID provider ended")


@contextmanager
def running(audience: str, clients: Sequence[Client], *signers: tuple[str, Signer]) -> Iterator[Oidc]:
    node = shutil.which("node")
    if node is None or not (INSTALLED / "done").exists():
        pytest.skip(WANTED)
    environment: dict[str, Any] = {**os.environ, "OIDC_PROVIDER": str(INSTALLED / "node_modules" / "oidc-provider")}
    with subprocess.Popen(
        [node, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        found = Oidc(process, clients, audience)
        try:
            found.use(*signers)
            yield found
        finally:
            found.stop()
