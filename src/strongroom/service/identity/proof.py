"""Proof of possession: each request is signed by the key that its token is bound to (RFC 9449).

Pure: text, time and what is expected come in. Whether a proof was used before is ``once``'s to say.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from strongroom.errors import FormatError
from strongroom.service.identity import jose
from strongroom.service.identity.caller import refuse

AGE = 60
"""Seconds for which a proof is good. It travels at once; the rest is for clocks that are behind."""
AHEAD = 5
MOST = 4096
_TYPES = frozenset({"dpop+jwt"})
_PORTS = {"http": ":80", "https": ":443"}


class _Claims(msgspec.Struct, frozen=True):
    htm: str
    htu: str
    iat: int
    jti: str
    ath: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: by which key (thumbprint), the name under which it is used once, and when it was made."""

    key: str
    name: str
    made: int


_HEAD = 1200
"""Characters of a header worth remembering: with an RSA key of 4096 bits it has a thousand."""


class Keys:
    """Keys of proofs that held lately, by their header's text: a client's is the same each time, and reading it costs half of what
    its signature does. At most ``most``."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._known: OrderedDict[str, tuple[str, jose.Key]] = OrderedDict()

    def of(self, head: str) -> tuple[str, jose.Key]:
        """Algorithm and key that a proof's header names. Raises ``IdentityRefused`` (``proof-malformed``)."""
        return self._known.get(head) or _key(head)

    def keep(self, head: str, found: tuple[str, jose.Key]) -> None:
        """Remember them, once the signature was seen to hold: else what costs nothing to write would fill this."""
        if len(head) > _HEAD:
            return
        self._known[head] = found
        self._known.move_to_end(head)
        if len(self._known) > self._most:
            self._known.popitem(last=False)


def _key(head: str) -> tuple[str, jose.Key]:
    header = jose.header(head, "proof", _TYPES)
    if header.jwk is None:
        refuse("proof-malformed", "a proof brings its public key")
    try:
        return header.alg, jose.key(header.jwk)
    except FormatError as error:
        refuse("proof-malformed", str(error))


def verify(
    text: str, *, method: str, address: str, token: str | None, bound: str | None, now: int, keys: Keys
) -> Proof:
    """Check a proof for a request of ``method`` to ``address`` (scheme, host and path as clients know them).

    ``token``: digest of the access token that it comes with, ``bound``: thumbprint that the token names; None where a
    token is only asked for. Raises ``IdentityRefused`` (``proof-...``). A ``nonce`` is neither given nor looked at: proofs
    die within a minute, and are used once.
    """
    message = jose.split(text, "proof", MOST)
    algorithm, key = keys.of(message.head)
    if bound is not None and key.thumbprint != bound:
        refuse("proof-key")
    jose.verify(message, algorithm, key, "proof")
    keys.keep(message.head, (algorithm, key))
    said = jose.claims(message, _Claims, "proof")
    if not 1 <= len(said.jti) <= 200:
        refuse("proof-malformed", "jti has 1 to 200 characters")
    if said.htm != method:
        refuse("proof-method")
    if said.htu != address and _plain(said.htu) != _plain(address):
        refuse("proof-address")
    if token is not None and said.ath != token:
        refuse("proof-token")
    if not now - AGE <= said.iat <= now + AHEAD:
        refuse("proof-time")
    return Proof(key.thumbprint, f"{key.thumbprint} {said.jti}", said.iat)


def _plain(address: str) -> str:
    """Without query and fragment; scheme and host in small letters, without the port that goes without saying."""
    try:
        parts = urlsplit(address)
    except ValueError:
        refuse("proof-address")
    host = parts.netloc.lower().removesuffix(_PORTS.get(parts.scheme, ""))
    return f"{parts.scheme}://{host}{parts.path or '/'}"
