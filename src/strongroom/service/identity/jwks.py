"""Which of the keys that a provider publishes may sign its tokens: those that the charter pins (RFC 7517, 7638)."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from strongroom.catalog.model import Provider
from strongroom.errors import FormatError
from strongroom.service.identity import jose

_MOST_KEYS = 100
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str


class _Set(msgspec.Struct, frozen=True):
    keys: list[msgspec.Raw]


def discovery(issuer: str) -> str:
    """The address of an issuer's discovery document (OpenID Connect Discovery 1.0, section 4)."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def where(document: bytes, issuer: str) -> str:
    """The address of the keys, by a discovery document. Raises ``FormatError``."""
    try:
        found = msgspec.json.decode(document, type=_Discovery)
    except (ValueError, RecursionError):
        raise FormatError("not a discovery document") from None
    if found.issuer != issuer:
        raise FormatError("the discovery document is another issuer's")
    if not fetchable(found.jwks_uri, loopback=fetchable(issuer, loopback=True) and issuer.startswith("http:")):
        raise FormatError("the keys are at an address that is not fetched from")
    return found.jwks_uri


def fetchable(address: str, *, loopback: bool) -> bool:
    """Whether an address is ``https``, or, with ``loopback``, ``http`` on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (loopback and parts.scheme == "http" and host in _LOOPBACK))


def published(document: bytes) -> list[tuple[str, jose.Key]]:
    """``kid`` and key of each that could sign tokens; others are passed over, of whatever kind they are. Raises ``FormatError``."""
    try:
        found = msgspec.json.decode(document, type=_Set).keys
    except (ValueError, RecursionError):
        raise FormatError("not a set of keys") from None
    if len(found) > _MOST_KEYS:
        raise FormatError(f"over {_MOST_KEYS} keys")
    keys = []
    for raw in found:
        try:
            given = msgspec.json.decode(raw, type=jose.Jwk)
            keys.append((given.kid, jose.key(given)))
        except (ValueError, RecursionError, FormatError):
            continue  # a key to encrypt to, a curve of another century: not ours to judge
    return keys


def pinned(document: bytes, provider: Provider) -> dict[str, jose.Key]:
    """``kid`` -> key, of those whose thumbprint the charter has. Raises ``FormatError``: not a set of keys, or two of ours under
    one name."""
    pins = {jose.base64url(one) for one in provider.keys}
    keys: dict[str, jose.Key] = {}
    for kid, key in published(document):
        if key.thumbprint in pins and keys.setdefault(kid, key) is not key:
            raise FormatError("two keys under one name")
    return keys
