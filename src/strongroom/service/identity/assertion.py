"""A service logs in by its device key: ``private_key_jwt`` (RFC 7523), the key being the one that the roster has.

Pure. The device key signs asks too (SPEC.md 7.2): those begin with a label that no JSON Web Signature can begin with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from strongroom.catalog.model import RosterLine
from strongroom.service.identity import jose
from strongroom.service.identity.caller import refuse

LIFE = 300
AHEAD = 5
MOST = 2048
_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that holds: of which reader (16 bytes), the name under which it is used once, and its times."""

    reader: bytes
    name: str
    made: int
    expires: int


def verify(text: str, *, roster: Mapping[bytes, RosterLine], audience: str, now: int) -> Assertion:
    """``audience``: the token endpoint's own address. Raises ``IdentityRefused`` (``assertion-...``)."""
    message = jose.split(text, "assertion", MOST)
    header = jose.header(message.head, "assertion", _TYPES)
    said = jose.claims(message, _Claims, "assertion")
    if header.jwk is not None or said.iss != said.sub or not 1 <= len(said.jti) <= 200:
        refuse("assertion-malformed")
    try:
        reader = bytes.fromhex(said.sub)
    except ValueError:
        reader = b""
    line = roster.get(reader)
    if line is None or reader.hex() != said.sub:
        refuse("assertion-reader")
    jose.verify(message, header.alg, jose.device_key(line.key), "assertion")
    if said.aud != audience:
        refuse("assertion-audience")
    if not (now - LIFE <= said.iat <= now + AHEAD and now < said.exp <= said.iat + LIFE):
        refuse("assertion-time")
    return Assertion(reader, f"{said.sub} {said.jti}", said.iat, said.exp)
