"""Who calls, and every reason for which a call is turned away at the vault's front door (SPEC.md section 10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from strongroom.catalog.model import RosterLine
from strongroom.errors import StrongroomError

_TOKEN, _PROOF, _CLIENT, _GRANT = "invalid_token", "invalid_dpop_proof", "invalid_client", "invalid_grant"

CODES = {
    "token-missing": (401, "", "No token was given"),
    "token-malformed": (401, _TOKEN, "Not a token of the form that is wanted"),
    "token-issuer": (401, _TOKEN, "The token is from nobody whom the charter names"),
    "token-audience": (401, _TOKEN, "The token is for somebody else"),
    "token-key": (
        401,
        _TOKEN,
        "The token is signed by a key that the charter does not pin, or that its provider has withdrawn",
    ),
    "token-signature": (401, _TOKEN, "The token's signature does not hold"),
    "token-expired": (401, _TOKEN, "The token has expired"),
    "token-early": (401, _TOKEN, "The token is not valid yet"),
    "token-unbound": (401, _TOKEN, "The token is bound to no key"),
    "token-claims": (401, _TOKEN, "The token does not say one role and one unit"),
    "proof-missing": (401, _PROOF, "The request proves no key"),
    "proof-malformed": (401, _PROOF, "Not a proof of the form that is wanted"),
    "proof-key": (401, _PROOF, "The proof is by another key than the token is bound to"),
    "proof-signature": (401, _PROOF, "The proof's signature does not hold"),
    "proof-method": (401, _PROOF, "The proof is for another method"),
    "proof-address": (401, _PROOF, "The proof is for another address"),
    "proof-token": (401, _PROOF, "The proof is for another token"),
    "proof-time": (401, _PROOF, "The proof is not of this minute"),
    "proof-replayed": (401, _PROOF, "The proof was used before"),
    "assertion-malformed": (401, _CLIENT, "Not an assertion of the form that is wanted"),
    "assertion-reader": (401, _CLIENT, "The assertion is by nobody of the roster"),
    "assertion-signature": (401, _CLIENT, "The assertion's signature does not hold"),
    "assertion-audience": (401, _CLIENT, "The assertion is for somebody else"),
    "assertion-time": (401, _CLIENT, "The assertion is too old, too early or lasts too long"),
    "assertion-replayed": (401, _CLIENT, "The assertion was used before"),
    "passkey-code": (401, _GRANT, "The code is not this reader's, was used or has expired"),
    "passkey-challenge": (401, _GRANT, "The challenge is not ours, was answered or has expired"),
    "passkey": (401, _GRANT, "The passkey's answer does not hold"),
    "passkey-count": (401, _GRANT, "The passkey has counted backwards: it may have been copied"),
    "grant": (400, "unsupported_grant_type", "Not a way in that this room has"),
    "identity": (403, "insufficient_scope", "The ask is signed for somebody else than who calls"),
    "provider": (503, "temporarily_unavailable", "The provider's keys cannot be had"),
}
"""Stable code -> HTTP status, the OAuth error of it (RFC 6749, 6750, 9449), and what it says."""


class IdentityRefused(StrongroomError):
    """Turned away. ``code`` is one of ``CODES``; nothing of what was sent is quoted."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.status, self.error, said = CODES[code]
        self.code, self.detail = code, detail or said
        super().__init__(f"{code}: {self.detail}")


def refuse(code: str, detail: str = "") -> NoReturn:
    """Raises ``IdentityRefused``."""
    raise IdentityRefused(code, detail) from None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as the vault needs to know. ``subject``: a pseudonym of this process's life, for limiting rates
    and nothing else. ``reader``: 16 bytes where the vault itself gave the token, and so knows; empty of a provider's.
    ``confirmation``: thumbprint (RFC 7638, base64url) of the key that the request proved. ``how``: ``provider NAME``,
    ``device``, ``passkey``, or ``development``."""

    subject: str
    role: str
    unit: str
    reader: bytes
    confirmation: str
    how: str

    def may_ask(self, reader: bytes, line: RosterLine | None) -> None:
        """Raises ``IdentityRefused`` (``identity``) unless an ask of ``reader``, whose line of the roster is ``line``, may come
        from this caller: a stolen device key opens nothing without a token, nor the token without the key. Whose a provider's token is
        nobody here knows: a colleague's serves as well."""
        if self.how == DEVELOPMENT:
            return
        if line is None or (line.role, line.unit) != (self.role, self.unit) or self.reader not in (b"", reader):
            refuse("identity")


DEVELOPMENT = "development"
ANYBODY = Caller("", "", "", b"", "", DEVELOPMENT)
"""Who calls a vault on loopback that was started for development: no token is wanted there."""
