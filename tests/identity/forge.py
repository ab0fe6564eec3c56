"""Makes what a caller sends, by ``cryptography`` alone: right, or wrong in one point. Nothing of ours that reads it is used here."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from strongroom.catalog.model import Provider

NOW = 1_800_000_000
ORIGIN = "https://records.example"
ISSUER = "https://login.example"


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class Signer:
    """A key with the one algorithm it signs by. ``jwk``: its public members."""

    algorithm: str
    jwk: dict[str, str]
    sign: Callable[[bytes], bytes] = field(repr=False)
    private: dict[str, str] = field(repr=False)

    @property
    def thumbprint(self) -> bytes:
        return hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest()

    @property
    def jkt(self) -> str:
        return base64url(self.thumbprint)

    def compact(self, header: Mapping[str, Any], claims: Any) -> str:
        """``header`` and ``claims`` signed; what is None in them is left out."""
        text = f"{_part({'alg': self.algorithm, **header})}.{_part(claims)}"
        return f"{text}.{base64url(self.sign(text.encode()))}"


def _part(value: Any) -> str:
    kept = {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else value
    return base64url(json.dumps(kept).encode())


def es256(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Signer:
    key = ec.generate_private_key(curve())
    at, size = key.public_key().public_numbers(), (key.key_size + 7) // 8

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    jwk = {
        "crv": {256: "P-256", 384: "P-384"}[key.key_size],
        "kty": "EC",
        "x": base64url(at.x.to_bytes(size, "big")),
        "y": base64url(at.y.to_bytes(size, "big")),
    }
    d = base64url(key.private_numbers().private_value.to_bytes(size, "big"))
    return Signer("ES256", jwk, sign, {**jwk, "d": d})


def eddsa(key: ed25519.Ed25519PrivateKey | None = None, algorithm: str = "EdDSA") -> Signer:
    key = key or ed25519.Ed25519PrivateKey.generate()
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": base64url(key.public_key().public_bytes_raw())}
    return Signer(algorithm, jwk, key.sign, {**jwk, "d": base64url(key.private_bytes_raw())})


def rsa_(algorithm: str = "RS256", bits: int = 2048, exponent: int = 65537) -> Signer:
    key = rsa.generate_private_key(exponent, bits)
    scheme: Any = padding.PKCS1v15() if algorithm == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    all_ = key.private_numbers()
    jwk = {"e": number(exponent), "kty": "RSA", "n": number(key.public_key().public_numbers().n)}
    more = {"d": all_.d, "p": all_.p, "q": all_.q, "dp": all_.dmp1, "dq": all_.dmq1, "qi": all_.iqmp}
    private = {**jwk, **{name: number(value) for name, value in more.items()}}
    return Signer(algorithm, jwk, lambda data: key.sign(data, scheme, hashes.SHA256()), private)


def proof(by: Signer, token: str = "", header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A proof for GET ORIGIN/v1/budgets at NOW, unless told otherwise."""
    said = {
        "htm": "GET",
        "htu": f"{ORIGIN}/v1/budgets",
        "iat": NOW,
        "jti": base64url(hashlib.sha256(token.encode()).digest()),
    }
    if token:
        said["ath"] = base64url(hashlib.sha256(token.encode()).digest())
    return by.compact({"typ": "dpop+jwt", "jwk": by.jwk, **(header or {})}, {**said, **claims})


def token(by: Signer, bound: str, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A token of ISSUER's for ORIGIN, of a clerk of the registry, bound to the key with the thumbprint ``bound``."""
    said = {
        "iss": ISSUER,
        "aud": ORIGIN,
        "sub": "somebody",
        "iat": NOW,
        "exp": NOW + 300,
        "role": "clerk",
        "unit": "registry",
        "cnf": {"jkt": bound},
    }
    return by.compact({"typ": "at+jwt", "kid": "k1", **(header or {})}, {**said, **claims})


def provider(*signers: Signer, issuer: str = ISSUER, audience: str = ORIGIN) -> Provider:
    return Provider(
        issuer=issuer, audience=audience, keys=[one.thumbprint for one in signers], role="role", unit="unit"
    )
