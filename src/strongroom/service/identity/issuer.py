"""The vault's own tokens, for rooms whose charter names no provider.

Their key is drawn when the process starts and is nowhere else: no copy of a disk makes a token, and a restart costs each client
one login. They are read back like anybody's, by ``token``.
"""

from __future__ import annotations

from collections.abc import Callable

from joserfc import jwk, jws

from strongroom.canonical import encode
from strongroom.catalog.model import Provider, RosterLine
from strongroom.service.identity import jose

LIFE = 600
"""Seconds for which a token is good."""
NAME = ""
"""What the vault is called among providers: no name that a charter could give."""


class Issuer:
    """``base``: the vault's address as its clients know it, without a slash at the end."""

    def __init__(self, base: str, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._private = jwk.OKPKey.generate_key("Ed25519")
        self.key = jose.device_key(self._private.public_key.public_bytes_raw())
        self.provider = Provider(
            issuer=base, audience=base, keys=[jose.unbase64(self.key.thumbprint)], role="role", unit="unit"
        )

    def give(self, reader: bytes, line: RosterLine, bound: str, how: str, now: int) -> str:
        """A token for a reader of the roster, bound to the key with the thumbprint ``bound``."""
        said = {
            "iss": self.provider.issuer,
            "aud": self.provider.audience,
            "sub": reader.hex(),
            "client_id": reader.hex(),
            "role": line.role,
            "unit": line.unit,
            "how": how,
            "iat": now,
            "exp": now + LIFE,
            "jti": self._random(16).hex(),
            "cnf": {"jkt": bound},
        }
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": self.key.thumbprint}
        return jws.serialize_compact(header, encode(said), self._private, algorithms=["Ed25519"])
