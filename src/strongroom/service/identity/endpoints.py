"""The door as aiohttp has it: who sends a request, and the routes by which one logs in (SPEC.md section 10.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from strongroom.api.identity import PasskeyEnrolment, PasskeyOffer
from strongroom.errors import FormatError
from strongroom.service.identity import jose, login
from strongroom.service.identity.caller import Caller, IdentityRefused
from strongroom.service.identity.door import Door

T = TypeVar("T")

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 64 * 1024
_NO_STORE = {"Cache-Control": "no-store"}


def identify(door: Door) -> Callable[[web.Request], Awaitable[Caller]]:
    """Who sends a request; to be asked before anything of it is read. Raises ``IdentityRefused``."""

    async def known(request: web.Request) -> Caller:
        return await door.admit(
            request.method,
            request.rel_url.raw_path,
            request.headers.getall("Authorization", ()),
            request.headers.getall("DPoP", ()),
        )

    return known


def challenge(refused: IdentityRefused) -> dict[str, str]:
    """The headers of a refusal: what would have been taken (RFC 9449 section 7.1)."""
    if refused.status == 503:
        return {"Retry-After": "10"}
    error = f'error="{refused.error}", error_description="{refused.code}", ' if refused.error else ""
    return {"WWW-Authenticate": f'DPoP {error}algs="{" ".join(jose.ALGORITHMS)}"'}


class Endpoints:
    """The routes. Each raises ``IdentityRefused``, or ``FormatError`` for a body that is none."""

    def __init__(self, logins: login.Logins) -> None:
        self._logins = logins

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(login.TOKEN_PATH, self.token),
            web.post("/v1/passkeys/offers", self.offer),
            web.post("/v1/passkeys/challenges", self.challenge),
            web.post("/v1/passkeys", self.enrol),
        ]

    async def token(self, request: web.Request) -> web.Response:
        found = await self._logins.token(await _form(request), request.headers.getall("DPoP", ()))
        return _json(found)

    async def offer(self, request: web.Request) -> web.Response:
        said = await _body(request, PasskeyOffer)
        return _json(await self._logins.offer(said.reader, said.code))

    async def challenge(self, request: web.Request) -> web.Response:
        return _json(await self._logins.challenge())

    async def enrol(self, request: web.Request) -> web.Response:
        said = await _body(request, PasskeyEnrolment)
        return _json(await self._logins.enrol(said.reader, said.code, said.credential), 201)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", headers=_NO_STORE
    )


async def _read(request: web.Request) -> bytes:
    found = bytearray()
    async for piece in request.content.iter_any():
        found += piece
        if len(found) > _MOST_BYTES:
            raise FormatError(f"over {_MOST_BYTES} bytes")
    return bytes(found)


async def _body(request: web.Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await _read(request), type=kind)
    except (ValueError, RecursionError):
        raise FormatError("the request is not what its route takes") from None


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != _FORM:
        raise FormatError(f"want {_FORM}")
    try:
        pairs = parse_qsl(
            (await _read(request)).decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise FormatError("not a form") from None
    if len(dict(pairs)) != len(pairs):
        raise FormatError("a parameter is there twice")
    return dict(pairs)
