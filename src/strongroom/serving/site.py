"""A listening socket that takes so many connections and no more. aiohttp itself ends one whose request's head does not come in time."""

from __future__ import annotations

import asyncio
import ssl

from aiohttp import web

from strongroom.errors import InputError
from strongroom.serving.metrics import Metrics

HEAD_SECONDS = 15.0
"""Between connecting, or an answer, and a whole head of the next request: also how long an idle connection is kept."""

_HANDSHAKE_SECONDS = 10.0
_BACKLOG = 512


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Handler(web.RequestHandler):
    """aiohttp's, but for its answer to what is no HTTP: that quotes what came."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        return super().handle_error(request, status, exc, "this is no HTTP request\n")


class Site(web.BaseSite):
    """``most``: connections at once, of all sites of the runner together."""

    def __init__(
        self, runner: web.BaseRunner, host: str, port: int, tls: ssl.SSLContext | None, most: int, metrics: Metrics
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=_BACKLOG)
        self._host, self._port, self._most, self._metrics = host, port, most, metrics
        self.bound = port

    @property
    def name(self) -> str:
        shown = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._ssl_context else 'http'}://{shown}:{self.bound}"

    async def start(self) -> None:
        """Raises ``InputError`` when the address is not to be had."""
        await super().start()
        server = self._runner.server
        assert server is not None
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.BaseProtocol:
            if len(server.connections) >= self._most:
                self._metrics.turned_away.inc()
                return _TurnedAway()
            return _Handler(server, loop=loop, **server._kwargs)  # noqa: SLF001 - as server() would with its own class

        try:
            listening = await loop.create_server(
                protocol,
                self._host,
                self._port,
                ssl=self._ssl_context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if self._ssl_context else None,
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise InputError(
                f"cannot listen on {self._host}:{self._port} ({error.strerror}). Choose another port"
            ) from None
        self._server = listening
        self.bound = int(listening.sockets[0].getsockname()[1])
