"""Access tokens (RFC 9068, RFC 7519; bound to a key by RFC 9449 section 6.1).

Pure: the text is read, then matched to a provider of the charter, then verified with a key that the charter pins. What
was read before is not believed until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from strongroom.catalog.model import Provider
from strongroom.service.identity import jose
from strongroom.service.identity.caller import refuse

SKEW = 30
"""Seconds by which a provider's clock and ours may differ."""
MOST = 8192
_TYPES = frozenset({"at+jwt"})


class _Confirmation(msgspec.Struct, frozen=True):
    jkt: str = ""


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str | list[str]
    exp: int
    sub: str
    iat: int = 0
    nbf: int = 0
    cnf: _Confirmation = _Confirmation()
    how: str = ""


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token that was read, and nothing of it believed. ``named``: the key that it says it is signed with."""

    message: jose.Compact
    algorithm: str
    named: str
    claims: _Claims
    all: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token says, which a pinned key signed. ``bound``: thumbprint of the key that must prove each request;
    ``signer``: of the one that signed the token; ``expires``: seconds; ``how``: the vault's own say how they were given."""

    provider: str
    subject: str
    role: str
    unit: str
    bound: str
    signer: str
    expires: int
    how: str


def read(text: str) -> Unverified:
    """Raises ``IdentityRefused`` (``token-malformed``)."""
    message = jose.split(text, "token", MOST)
    header = jose.header(message.head, "token", _TYPES)
    if header.jwk is not None or not header.kid:
        refuse("token-malformed", "a token names its key, and does not bring it")
    claims = jose.claims(message, _Claims, "token")
    return Unverified(message, header.alg, header.kid, claims, jose.claims(message, dict[str, Any], "token"))


def provider(token: Unverified, providers: Mapping[str, Provider]) -> str:
    """The name of the provider whose token it says it is. Raises ``IdentityRefused`` (``token-issuer``, ``token-audience``)."""
    audiences = token.claims.aud if isinstance(token.claims.aud, list) else [token.claims.aud]
    ours = [name for name in sorted(providers) if providers[name].issuer == token.claims.iss]
    if not ours:
        refuse("token-issuer")
    found = next((name for name in ours if providers[name].audience in audiences), None)
    return refuse("token-audience") if found is None else found


def verify(token: Unverified, name: str, of: Provider, key: jose.Key, now: int) -> Verified:
    """What ``token`` says, by ``key`` of the provider ``of``. Raises ``IdentityRefused`` (``token-...``)."""
    jose.verify(token.message, token.algorithm, key, "token")
    said = token.claims
    if said.exp <= now - SKEW:
        refuse("token-expired")
    if max(said.nbf, said.iat) > now + SKEW:
        refuse("token-early")
    if len(said.cnf.jkt) != 43:
        refuse("token-unbound")
    role, unit = (_one(token.all.get(claim)) for claim in (of.role, of.unit))
    return Verified(name, said.sub, role, unit, said.cnf.jkt, key.thumbprint, said.exp, said.how)


def current(token: Verified, now: int) -> None:
    """Raises ``IdentityRefused`` (``token-expired``)."""
    if token.expires <= now - SKEW:
        refuse("token-expired")


def _one(value: Any) -> str:
    """The one name that a claim gives: a text, or a list of one, as many providers write it."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not value:
        refuse("token-claims")
    return value
