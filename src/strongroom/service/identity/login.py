"""How a room without a provider gives its own tokens: to a service's device key, or to a person's passkey (SPEC.md section 10.3).

A room whose charter names providers gives none: a stolen device key would go round them. Nor does a device key get one whose
reader has a passkey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from strongroom.api.identity import Enrolled, Resource, Server, Token
from strongroom.custody.room import Room
from strongroom.service.identity import assertion, credentials, issuer, jose
from strongroom.service.identity.caller import refuse
from strongroom.service.identity.door import Door, Facts
from strongroom.service.identity.once import Once
from strongroom.service.identity.passkey import Ceremonies

TOKEN_PATH = "/v1/token"  # noqa: S105 - an address
CLIENT_CREDENTIALS = "client_credentials"
PASSKEY = "urn:strongroom:grant:passkey"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Logins:
    """The login of the room behind ``door``."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._ceremonies = Ceremonies(door.origin, door.started, door.random)
        self._used = Once(door.started, door.random, most=1 << 16)

    async def resource(self) -> Resource:
        """What a client has to know to get a token for this room (RFC 9728)."""
        providers = (await self._door.facts()).providers
        return Resource(
            resource=self._door.origin,
            authorization_servers=sorted({one.issuer for one in providers.values()} or {self._door.origin}),
            dpop_bound_access_tokens_required=True,
            dpop_signing_alg_values_supported=list(jose.ALGORITHMS),
        )

    async def server(self) -> Server:
        """The same of the vault as the one that gives tokens (RFC 8414). Raises ``IdentityRefused``."""
        await self._open()
        return Server(
            issuer=self._door.origin,
            token_endpoint=self._door.origin + TOKEN_PATH,
            response_types_supported=[],
            grant_types_supported=[CLIENT_CREDENTIALS, PASSKEY],
            token_endpoint_auth_methods_supported=["private_key_jwt"],
            token_endpoint_auth_signing_alg_values_supported=["EdDSA", "Ed25519"],
            dpop_signing_alg_values_supported=list(jose.ALGORITHMS),
        )

    async def token(self, form: Mapping[str, str], proofs: Sequence[str]) -> Token:
        """Answer a token request (RFC 6749, RFC 9449 section 5). Raises ``IdentityRefused``."""
        facts = await self._open()
        proven = self._door.prove(proofs, "POST", TOKEN_PATH, None, None)
        grant = form.get("grant_type")
        if grant == CLIENT_CREDENTIALS and form.get("client_assertion_type") == JWT_BEARER:
            reader, how = await self._by_device(form.get("client_assertion", ""), facts), "device"
        elif grant == PASSKEY:
            reader, how = await self._by_passkey(form.get("assertion", "")), "passkey"
        else:
            refuse("grant", "want client_credentials with a JWT as client assertion, or a passkey's answer")
        line = facts.roster.get(reader)
        if line is None:
            refuse("assertion-reader")
        text = self._door.issuer.give(reader, line, proven.key, how, self._door.clock())
        return Token(access_token=text, token_type="DPoP", expires_in=issuer.LIFE)  # noqa: S106 - the scheme's name

    async def offer(self, reader: str, code: str) -> msgspec.Raw:
        """What a browser makes a passkey from, for who has the code. Raises ``IdentityRefused``."""
        await self._open()
        found, now = bytes.fromhex(reader), self._door.clock()
        return msgspec.Raw(
            (await self._door.run(lambda room: self._ceremonies.offer(room.store.notes, found, code, now))).encode()
        )

    async def enrol(self, reader: str, code: str, credential: Any) -> Enrolled:
        """Keep the passkey that was made. Raises ``IdentityRefused``."""
        facts = await self._open()
        found, now = bytes.fromhex(reader), self._door.clock()
        if found not in facts.roster:
            refuse("assertion-reader")

        def work(room: Room) -> bytes:
            return self._ceremonies.enrol(room.store.notes, found, code, credential, now)

        return Enrolled(passkey=(await self._door.run(work)).hex())

    async def challenge(self) -> msgspec.Raw:
        """What a browser answers with a passkey. Raises ``IdentityRefused``."""
        await self._open()
        return msgspec.Raw(self._ceremonies.ask(self._door.clock()).encode())

    async def _open(self) -> Facts:
        facts = await self._door.facts()
        if facts.providers:
            refuse("grant", "this room's tokens are given by the providers that its charter names")
        return facts

    async def _by_device(self, text: str, facts: Facts) -> bytes:
        now = self._door.clock()
        said = assertion.verify(text, roster=facts.roster, audience=self._door.origin + TOKEN_PATH, now=now)
        if not self._used.use(said.name, said.made, said.expires, now):
            refuse("assertion-replayed")
        if await self._door.run(lambda room: bool(credentials.of(room.store.notes, said.reader))):
            refuse("grant", "this reader comes in by passkey")
        return said.reader

    async def _by_passkey(self, text: str) -> bytes:
        now = self._door.clock()
        try:
            answer = msgspec.json.decode(text)
        except (ValueError, RecursionError):
            refuse("passkey")
        return await self._door.run(lambda room: self._ceremonies.login(room.store.notes, answer, now))
