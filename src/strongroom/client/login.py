"""The caller's side of the vault's front door: tokens, each bound to a key that every request proves (SPEC.md section 10.3; RFC 9449),
and a service's login by its device key (RFC 7523)."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from strongroom.api.identity import Token
from strongroom.canonical import encode
from strongroom.client import address as addresses
from strongroom.client.device import Device
from strongroom.client.flow import Broken, Call
from strongroom.client.problems import problem
from strongroom.client.sockets import Wire
from strongroom.errors import FormatError, KeyholderUnavailable

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PATH = "/v1/token"
_FORM = "application/x-www-form-urlencoded"
_LIFE = 60
_MOST_BYTES = 64 * 1024


class ProofKey:
    """A key that proves requests: P-256, which costs either side less than Ed25519 does. It is drawn where it is used and is nowhere
    else; a token asked for with its proof is good with its proofs alone."""

    def __init__(self, random: Callable[[int], bytes], clock: Callable[[], float] = time.time) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._random, self._clock = random, clock
        at = self._key.public_key().public_numbers()
        public = {"crv": "P-256", "kty": "EC", "x": _coordinate(at.x), "y": _coordinate(at.y)}
        self.thumbprint = _base64url(hashlib.sha256(encode(public)).digest())
        self._head = _base64url(encode({"alg": "ES256", "jwk": public, "typ": "dpop+jwt"}))

    def proof(self, method: str, address: str, token: str = "") -> str:
        """The header ``DPoP`` of one request to ``address``. ``token``: that which goes with it, if any."""
        said: dict[str, Any] = {
            "htm": method,
            "htu": address.partition("?")[0],
            "iat": int(self._clock()),
            "jti": self._random(16).hex(),
        }
        if token:
            said["ath"] = _base64url(hashlib.sha256(token.encode()).digest())
        return _signed(self._head, said, self._sign)

    def _sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Login:
    """The ``headers`` of a ``Room``: a token, and for each request the proof of the key that it is bound to.

    ``ask`` gets a token from whoever gives them, as the charter's provider: the key that it is to be bound to -> the token, and for how
    many seconds it is good. It is called when there is none yet, when four fifths of that have passed, and when the vault takes the last
    one no more; an ``AsyncRoom`` waits for it too. Threads may share one.
    """

    def __init__(self, ask: Callable[[ProofKey], tuple[str, float]], key: ProofKey | None = None) -> None:
        self._ask, self._key = ask, key or ProofKey(os.urandom)
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def __call__(self, method: str, address: str) -> Mapping[str, str]:
        with self._lock:
            if not self._token or time.monotonic() > self._until:
                self._token, seconds = self._ask(self._key)
                self._until = time.monotonic() + 0.8 * seconds
            token = self._token
        return {"Authorization": f"DPoP {token}", "DPoP": self._key.proof(method, address, token)}

    def forget(self) -> None:
        """The vault does not take the token: the next request asks for another."""
        with self._lock:
            self._token = ""


def by_device(
    address: str, device: Device, *, ca_file: str | os.PathLike[str] | None = None, timeout: float = 30.0
) -> Login:
    """A ``Login`` at a room that gives its own tokens, by a reader's ``device``. ``address``, ``ca_file``: as of ``Room``. Asking raises what the vault says:
    ``Refused``, ``KeyholderUnavailable``. Raises ``InputError``."""
    where = addresses.parse(address)
    endpoint, tls = where.of(PATH), addresses.tls(where, None if ca_file is None else Path(ca_file))

    def ask(key: ProofKey) -> tuple[str, float]:
        wire = Wire(where, tls, timeout, lambda method, at: {"DPoP": key.proof(method, at)})
        form = urlencode(token_request(device, endpoint, os.urandom, int(time.time())))
        try:
            answer = wire.call(Call("POST", PATH, form.encode(), {"Content-Type": _FORM}, _MOST_BYTES))
        except Broken as broken:
            raise KeyholderUnavailable(f"the vault did not answer: {broken}") from None
        finally:
            wire.close()
        if answer.status != 200:
            raise problem(answer)
        try:
            found = msgspec.json.decode(answer.body, type=Token)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise FormatError("the vault's answer is no token") from None
        return found.access_token, found.expires_in

    return Login(ask)


def token_request(device: Device, endpoint: str, random: Callable[[int], bytes], now: int) -> dict[str, str]:
    """The form by which a device asks the vault's own ``endpoint`` for a token; a proof goes with it."""
    me = device.reader.hex()
    head = _base64url(encode({"alg": "EdDSA", "typ": "client-authentication+jwt"}))
    said = {"aud": endpoint, "exp": now + _LIFE, "iat": now, "iss": me, "jti": random(16).hex(), "sub": me}
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": _signed(head, said, device.key.sign),
    }


def _signed(head: str, said: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    text = f"{head}.{_base64url(encode(said))}"
    return f"{text}.{_base64url(sign(text.encode()))}"


def _coordinate(value: int) -> str:
    return _base64url(value.to_bytes(32, "big"))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
