"""What a caller sends to the vault's front door, and what a provider publishes (SPEC.md section 10.3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuzz.seeds import kept
from fuzz.target import Target, text_of
from strongroom.catalog.model import Provider, RosterLine
from strongroom.client.device import Device
from strongroom.client.login import ProofKey, token_request
from strongroom.errors import FormatError
from strongroom.service.identity import assertion, credentials, jose, jwks, proof, token
from strongroom.service.identity.caller import IdentityRefused
from strongroom.service.identity.issuer import Issuer
from strongroom.service.identity.passkey import Ceremonies

_NOW = 1_800_000_000
_ORIGIN = "https://records.example"
_ENDPOINT = f"{_ORIGIN}/v1/token"
_READER = b"\1" * 16
_DEVICE = Device("ana", Ed25519PrivateKey.from_private_bytes(b"\7" * 32))
_LINE = RosterLine(key=_DEVICE.public, role="clerk", unit="registry")


def targets() -> list[Target]:
    return [
        Target(
            name="identity.token",
            read=_token,
            errors=IdentityRefused,
            seeds=lambda: [_issuer().give(_READER, _LINE, _proof_key().thumbprint, "device", _NOW).encode()],
            of=(token.read, jose.split, jose.unbase64),
            weight=0.3,
        ),
        Target(
            name="identity.proof",
            read=_proof,
            errors=IdentityRefused,
            seeds=lambda: [_proof_key().proof("POST", _ENDPOINT, "a.b.c").encode()],
            of=(jose.split, jose.header, jose.key),
            weight=0.3,
        ),
        Target(
            name="identity.assertion",
            read=lambda data: assertion.verify(
                text_of(data), roster={_DEVICE.reader: _LINE}, audience=_ENDPOINT, now=_NOW
            ),
            errors=IdentityRefused,
            seeds=lambda: [
                token_request(_DEVICE, _ENDPOINT, lambda count: b"\5" * count, _NOW)["client_assertion"].encode()
            ],
            of=(assertion.verify,),
            weight=0.3,
        ),
        Target(
            name="identity.keys",
            read=lambda data: jwks.pinned(data, _issuer().provider),
            errors=FormatError,
            seeds=lambda: [_key_set()],
            of=(jwks.pinned,),
        ),
        Target(
            name="identity.discovery",
            read=lambda data: jwks.where(data, _ORIGIN),
            errors=FormatError,
            seeds=lambda: [json.dumps({"issuer": _ORIGIN, "jwks_uri": f"{_ORIGIN}/keys"}).encode()],
            of=(jwks.where,),
        ),
        Target(
            name="identity.passkey-enrolment",
            read=_enrol,
            errors=IdentityRefused,
            seeds=lambda: kept("identity.passkey-enrolment"),
            of=(Ceremonies.enrol,),
            weight=0.3,
        ),
        Target(
            name="identity.passkey-login",
            read=_log_in,
            errors=IdentityRefused,
            seeds=lambda: kept("identity.passkey-login"),
            of=(Ceremonies.login,),
            weight=0.3,
        ),
    ]


@cache
def _issuer() -> Issuer:
    return Issuer(_ORIGIN, lambda count: b"\5" * count)


@cache
def _proof_key() -> ProofKey:
    return ProofKey(lambda count: b"\5" * count, lambda: float(_NOW))


def _key_set() -> bytes:
    return json.dumps({"keys": [{**_issuer().key.key.as_dict(private=False), "kid": "k1"}]}).encode()


def _token(data: bytes) -> None:
    read = token.read(text_of(data))
    providers: dict[str, Provider] = {"": _issuer().provider}
    name = token.provider(read, providers)
    token.verify(read, name, providers[name], _issuer().key, _NOW)


def _proof(data: bytes) -> None:
    proof.verify(
        text_of(data),
        method="POST",
        address=_ENDPOINT,
        token=jose.digest("a.b.c"),
        bound=None,
        now=_NOW,
        keys=proof.Keys(),
    )


class _Notes:
    """The store's notes, in memory."""

    def __init__(self) -> None:
        self._notes: dict[str, bytes] = {}

    def get(self, name: str) -> bytes:
        return self._notes.get(name, b"")

    def put(self, name: str, value: bytes) -> None:
        self._notes[name] = value

    def swap(self, name: str, before: bytes, after: bytes, drop: Sequence[str] = ()) -> bool:
        if self.get(name) != before:
            return False
        self.put(name, after)
        for one in drop:
            self._notes.pop(one, None)
        return True


def _desk() -> tuple[Ceremonies, _Notes, str]:
    """Nothing in it is random, so that the answers that are kept fit its challenges."""
    notes = _Notes()
    code = credentials.draw_code(notes, _READER, _NOW, _sevens)
    return Ceremonies(_ORIGIN, 0, _sevens), notes, code


def _sevens(count: int) -> bytes:
    return b"\7" * count


def _answer(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _enrol(data: bytes) -> None:
    desk, notes, code = _desk()
    desk.enrol(notes, _READER, code, _answer(data), _NOW)


def _log_in(data: bytes) -> None:
    desk, notes, code = _desk()
    desk.enrol(notes, _READER, code, json.loads(kept("identity.passkey-enrolment")[0]), _NOW)
    desk.login(notes, _answer(data), _NOW)
