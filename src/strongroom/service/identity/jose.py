"""JSON Web Signatures as this door takes them: compact, by public keys alone, of a closed set of algorithms
(RFC 7515, 7517, 7518, 8037, 9864; advice of RFC 8725).

``joserfc`` has the keys and signatures. What is read before a signature is known to hold is read here, strictly: no
``none``, no shared secrets, nothing that a message says about where its key or what its rules are to be had from.
"""

from __future__ import annotations

import hashlib
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from strongroom.errors import FormatError
from strongroom.service.identity.caller import refuse

T = TypeVar("T")

_OF = {"EC": ("ES256",), "OKP": ("EdDSA", "Ed25519"), "RSA": ("PS256", "RS256")}
ALGORITHMS = tuple(sorted(name for names in _OF.values() for name in names))
_VERIFIERS = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}
_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("e", "n")}
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
_BITS = range(2048, 4097)
_EXPONENT = "AQAB"  # 65537, which all providers use; a huge one costs the verifier, a tiny one has known attacks

_TO = bytes.maketrans(b"-_+/", b"+/  ")  # what is not of the alphabet must not become part of it
_FROM = bytes.maketrans(b"+/", b"-_")


class Jwk(msgspec.Struct, frozen=True, kw_only=True):
    """A key as JSON. Members of no use here are dropped; those of a private or shared key are looked for."""

    kty: str
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""
    kid: str = ""
    alg: str = ""
    use: str = "sig"
    d: Any = None
    p: Any = None
    q: Any = None
    dp: Any = None
    dq: Any = None
    qi: Any = None
    oth: Any = None
    k: Any = None

    def secret(self) -> bool:
        return any(getattr(self, name) is not None for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Of a message. What would have the reader fetch a key, or keep rules it may not know, is looked for."""

    alg: str
    typ: str = ""
    kid: str = ""
    jwk: Jwk | None = None
    crit: Any = None
    b64: Any = None
    jku: Any = None
    x5u: Any = None


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that may verify. ``thumbprint`` is RFC 7638's with SHA-256, as base64url text."""

    key: jwk.Key
    algorithms: tuple[str, ...]
    thumbprint: str


@dataclass(frozen=True, slots=True)
class Compact:
    """A message taken apart: ``head`` is its first part as it came, ``signed`` what the signature is of."""

    head: str
    signed: bytes
    payload: bytes
    signature: bytes


def key(given: Jwk) -> Key:
    """A public key for one of ``ALGORITHMS``. Raises ``FormatError``: another kind or curve, too short, or private."""
    if given.secret():
        raise FormatError("a key to verify with has private members")
    if given.kty not in _OF or given.use != "sig" or _CURVES.get(given.kty, "") != given.crv:
        raise FormatError("not a kind of key that signatures are taken from")
    # Thumbprints are of the text: a key written in another way must not pass for a second one.
    members = {name: getattr(given, name) for name in _MEMBERS[given.kty]}
    try:
        raw = {name: unbase64(text) for name, text in members.items() if name != "crv"}
        if given.kty == "RSA" and (
            int.from_bytes(raw["n"], "big").bit_length() not in _BITS or not raw["n"][0] or given.e != _EXPONENT
        ):
            raise FormatError("an RSA key has 2048 to 4096 bits and the exponent 65537")
        found = jwk.import_key({"kty": given.kty, **members})
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
        raise FormatError("not a key") from None
    algorithms = tuple(name for name in _OF[given.kty] if given.alg in ("", name))
    if not algorithms:
        raise FormatError("a key for another algorithm")
    return Key(found, algorithms, found.thumbprint())


def device_key(raw: bytes) -> Key:
    """The same of a device's 32 bytes (Ed25519)."""
    found = jwk.OKPKey.import_key(Ed25519PublicKey.from_public_bytes(raw))
    return Key(found, _OF["OKP"], found.thumbprint())


def split(text: str, what: str, most: int) -> Compact:
    """Take a compact message of at most ``most`` characters apart. Raises ``IdentityRefused`` (``WHAT-malformed``)."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > most:
        refuse(f"{what}-malformed")
    try:
        return Compact(parts[0], text[: -len(parts[2]) - 1].encode("ascii"), unbase64(parts[1]), unbase64(parts[2]))
    except ValueError:
        refuse(f"{what}-malformed")


def header(text: str, what: str, types: frozenset[str]) -> Header:
    """The header in a message's first part. Raises ``IdentityRefused`` (``WHAT-malformed``) for one of another type, or
    that brings rules (``crit``) or places to fetch keys from."""
    try:
        found = msgspec.json.decode(unbase64(text), type=Header)
    except (ValueError, RecursionError):
        refuse(f"{what}-malformed")
    strange = [one for one in (found.crit, found.b64, found.jku, found.x5u) if one is not None]
    if found.alg not in _VERIFIERS or found.typ.lower().removeprefix("application/") not in types or strange:
        refuse(f"{what}-malformed")
    return found


def claims(message: Compact, kind: type[T], what: str) -> T:
    """The payload as ``kind``; members that it does not have are dropped. Raises ``IdentityRefused`` (``WHAT-malformed``)."""
    try:
        return msgspec.json.decode(message.payload, type=kind)
    except (ValueError, RecursionError):
        refuse(f"{what}-malformed")


def verify(message: Compact, algorithm: str, signer: Key, what: str) -> None:
    """Raises ``IdentityRefused`` (``WHAT-signature``) unless ``signer`` signed it by ``algorithm``, which must be its own."""
    if algorithm not in signer.algorithms or not _VERIFIERS[algorithm].verify(
        message.signed, message.signature, signer.key
    ):
        refuse(f"{what}-signature")


def base64url(data: bytes) -> str:
    return _base64url(data).decode()


def _base64url(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).translate(_FROM).rstrip(b"=")


def unbase64(text: str) -> bytes:
    """Accept exactly what ``base64url`` writes. Raises ``ValueError``."""
    try:
        given = text.encode("ascii")
        found = a2b_base64(given.translate(_TO) + b"=" * (-len(given) % 4), strict_mode=True)
    except ValueError:
        raise ValueError("not base64url") from None
    if _base64url(found) != given:  # the last character may have bits that say nothing
        raise ValueError("not base64url")
    return found


def digest(text: str) -> str:
    """SHA-256 of ASCII text, in base64url: how a proof names its token (RFC 9449 section 4.2)."""
    return base64url(hashlib.sha256(text.encode()).digest())
