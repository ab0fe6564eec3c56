"""The caller's side of the vault's front door: a key for proofs, and a service's login by its device key (SPEC.md section 10.3;
RFC 9449, RFC 7523). Pure but for the key: no network."""

from __future__ import annotations

import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from strongroom.canonical import encode
from strongroom.client.device import Device

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 60


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
        """The header ``DPoP`` of one request. ``address``: without query; ``token``: that which goes with it, if any."""
        said: dict[str, Any] = {
            "htm": method,
            "htu": address,
            "iat": int(self._clock()),
            "jti": self._random(16).hex(),
        }
        if token:
            said["ath"] = _base64url(hashlib.sha256(token.encode()).digest())
        return _signed(self._head, said, self._sign)

    def _sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


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
