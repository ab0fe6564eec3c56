"""The door as aiohttp has it: who sends a request, and the routes by which one logs in (SPEC.md section 10.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from strongroom.api.identity import PasskeyEnrolment, PasskeyOffer
from strongroom.canonical import without_value
from strongroom.service.bodies import Bodies
from strongroom.service.identity import jose, login
from strongroom.service.identity.caller import Caller, IdentityRefused
from strongroom.service.identity.door import Door
from strongroom.service.problems import Rejected

T = TypeVar("T")

RESOURCE_PATH, SERVER_PATH = "/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MOST_BYTES = 64 * 1024
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
    """The routes, which are open to anybody. Each raises ``IdentityRefused``, or ``Rejected`` for a body that is none."""

    def __init__(self, logins: login.Logins, bodies: Bodies) -> None:
        self._logins, self._bodies = logins, bodies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(RESOURCE_PATH, self.resource),
            web.get(SERVER_PATH, self.server),
            web.post(login.TOKEN_PATH, self.token),
            web.post("/v1/passkeys/offers", self.offer),
            web.post("/v1/passkeys/challenges", self.challenge),
            web.post("/v1/passkeys", self.enrol),
        ]

    async def resource(self, _: web.Request) -> web.Response:
        return _json(await self._logins.resource())

    async def server(self, _: web.Request) -> web.Response:
        return _json(await self._logins.server())

    async def token(self, request: web.Request) -> web.Response:
        form = _form(await self._body(request, FORM))
        return _json(await self._logins.token(form, request.headers.getall("DPoP", ())))

    async def offer(self, request: web.Request) -> web.Response:
        said = _parsed(await self._body(request, JSON), PasskeyOffer)
        return _json(await self._logins.offer(said.reader, said.code))

    async def challenge(self, _: web.Request) -> web.Response:
        return _json(await self._logins.challenge())

    async def enrol(self, request: web.Request) -> web.Response:
        said = _parsed(await self._body(request, JSON), PasskeyEnrolment)
        return _json(await self._logins.enrol(said.reader, said.code, said.credential), 201)

    async def _body(self, request: web.Request, kind: str) -> bytes:
        if request.content_type != kind or "Content-Type" not in request.headers:
            raise Rejected("media-type", f"want {kind}")
        async with self._bodies.whole(request, MOST_BYTES) as found:
            return found


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", headers=_NO_STORE
    )


def _parsed(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise Rejected("malformed", f"body: {without_value(str(error))}") from None
    except (ValueError, RecursionError):
        raise Rejected("malformed", "body: not JSON") from None


def _form(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(data.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Rejected("malformed", "body: not a form") from None
    if len(dict(pairs)) != len(pairs):
        raise Rejected("malformed", "body: a parameter is there twice")
    return dict(pairs)
