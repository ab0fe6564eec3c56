"""From HTTP to a route's function and back: who calls, the body, its type, the answer, the problem (SPEC.md sections 10.1, 10.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import hdrs, web

from strongroom.api.problem import MEDIA_TYPE
from strongroom.canonical import without_value
from strongroom.service import problems, writes
from strongroom.service.bodies import Bodies
from strongroom.service.call import JSON, LINES, Call, Line, Route
from strongroom.service.idempotency import Idempotency
from strongroom.service.identity import endpoints
from strongroom.service.identity.caller import Caller, IdentityRefused
from strongroom.service.problems import Rejected
from strongroom.service.vault import Vault
from strongroom.serving.watching import CODE

Identify = Callable[[web.Request], Awaitable[Caller]]
"""Who calls. Raises ``IdentityRefused``."""

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass
class Front:
    """What all routes share. ``public``: where the ledger is published."""

    vault: Vault
    public: Path
    idempotency: Idempotency
    identify: Identify
    line: Line
    bodies: Bodies = field(default_factory=Bodies)

    def handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        decoder = msgspec.json.Decoder(route.body) if route.body is not None else None
        parameters = _parameters(route.query)

        async def handle(request: web.Request) -> web.StreamResponse:
            # Before the body is read: who may not call has nothing held for them.
            caller = await self.identify(request)
            query = parameters(request)
            if decoder is None:
                return await self._answer(route, self._call(request, caller, None, query))
            kind = request.content_type
            if kind == LINES and route.stream is not None:
                return _as_response(route, await route.stream.act(self._call(request, caller, None, query)))
            if kind != JSON or hdrs.CONTENT_TYPE not in request.headers:
                raise Rejected("media-type", f"want {JSON}{f' or {LINES}' if route.stream else ''}")
            async with self.bodies.whole(request, route.most) as text:
                body = parse(decoder, text, "body")
                return await self._answer(route, self._call(request, caller, body, query), text)

        return handle

    def _call(self, request: web.Request, caller: Caller, body: Any, query: Any) -> Call:
        entry = int(request.match_info.get("entry", -1))
        return Call(self.vault, self.line, self.public, self.bodies, request, caller, body, query, entry)

    async def _answer(self, route: Route, call: Call, text: bytes = b"") -> web.StreamResponse:
        key = call.request.headers.get("Idempotency-Key")
        if key is None or not route.writes:
            return _as_response(route, await route.act(call))
        for evidence in writes.asked(call.body):
            await call.may_bring(evidence)  # what is kept is given without ``act``

        async def act() -> tuple[int, bytes]:
            return route.status, msgspec.json.encode(await route.act(call))

        status, body, again = await self.idempotency.once(key, route.path, text, act, again=route.used_once)
        headers = {"Idempotency-Replayed": "true"} if again else {}
        return web.Response(status=status, body=body, content_type=JSON, headers=headers)


def _as_response(route: Route, said: msgspec.Struct | web.StreamResponse) -> web.StreamResponse:
    if isinstance(said, web.StreamResponse):
        return said
    return web.Response(status=route.status, body=msgspec.json.encode(said), content_type=JSON)


def parse(decoder: msgspec.json.Decoder[Any], data: bytes, what: str) -> Any:
    """Raises ``Rejected`` (``malformed``); what it says names members of the schema and quotes nothing."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Rejected("malformed", f"{what}: {without_value(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected("malformed", f"{what}: not JSON") from None


def _parameters(kind: type[msgspec.Struct]) -> Callable[[web.Request], Any]:
    """What reads a request's query as ``kind``. Raises ``Rejected`` (``malformed``)."""
    many = {one.encode_name for one in msgspec.structs.fields(kind) if _is_list(one.type)}
    nothing = kind() if not any(one.required for one in msgspec.structs.fields(kind)) else None

    def read(request: web.Request) -> Any:
        if nothing is not None and not request.query_string:
            return nothing
        found: dict[str, Any] = {}
        for name in (given := request.query):
            values = given.getall(name)
            if name not in many and len(values) > 1:
                raise Rejected("malformed", "query: a parameter stands there twice")
            found[name] = values if name in many else values[0]
        try:
            return msgspec.convert(found, kind, strict=False)
        except msgspec.ValidationError as error:
            raise Rejected("malformed", f"query: {without_value(str(error))}") from None

    return read


def _is_list(kind: Any) -> bool:
    return isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.ListType)


@web.middleware
async def saying(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Whatever goes wrong is said as a problem."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return response(_of_http(error), {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None)
    except ConnectionError:
        raise  # nobody is left to be told; aiohttp knows
    except IdentityRefused as error:
        return response(error, endpoints.challenge(error))
    except Exception as error:  # noqa: BLE001 - the last net: of a defect nothing is said but that it is one
        return response(error)


def response(error: Exception, headers: Mapping[str, str] | None = None) -> web.Response:
    """The problem that ``error`` is."""
    said = problems.problem(error)
    made = web.Response(status=said.status, body=msgspec.json.encode(said), content_type=MEDIA_TYPE, headers=headers)
    made[CODE] = said.code
    after = problems.after(error, said.code)
    if after is not None:
        made.headers["Retry-After"] = str(after)
    return made


async def dress(_: web.Request, answer: web.StreamResponse) -> None:
    """What every answer has. One that may be kept says so itself."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)


def _of_http(error: web.HTTPException) -> Rejected:
    if error.status == 404:
        return Rejected("not-found", "no route has this path")
    if error.status == 405:
        return Rejected("method", "see the Allow header")
    if error.status == 413:
        return Rejected("too-large", "the request is too large")
    return Rejected("malformed", "the request is not one that is understood")
