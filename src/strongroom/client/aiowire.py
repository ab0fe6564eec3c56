"""HTTP/1.1 by aiohttp, for ``AsyncRoom``."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from strongroom.client.address import Address
from strongroom.client.flow import UNTRUSTED, Answer, Broken, Call, Do, NextLine, Pause, Stream, token_dropped

MOST_LINE = 2**20


class Wire:
    """As ``sockets.Wire``. The session is opened in the loop that first needs it."""

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        timeout: float,
        headers: Callable[[str, str], Mapping[str, str]],
    ) -> None:
        self._address, self._tls, self._timeout, self._headers = address, tls, timeout, headers
        self._session: aiohttp.ClientSession | None = None

    def turn(self) -> Turn:
        return Turn(self)

    async def call(self, call: Call) -> Answer:
        """Raises ``Broken``."""
        found = await self._once(call)
        # Who calls is looked at before anything else: nothing came of it.
        return await self._once(call) if found.status == 401 and token_dropped(self._headers) else found

    async def _once(self, call: Call) -> Answer:
        try:
            async with self._request(call) as response:
                return Answer(response.status, _lower(response), await _body(response, call.most))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _broken(error) from None

    async def begin(self, call: Call) -> aiohttp.ClientResponse:
        """Of a stream. Raises ``Broken``."""
        try:
            opened: aiohttp.ClientResponse = await self._request(call)
            return opened
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _broken(error) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _request(self, call: Call) -> Any:
        if self._session is None:
            # Between two bytes, as of a socket: a stream may be long.
            silent = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout, sock_read=self._timeout)
            self._session = aiohttp.ClientSession(
                timeout=silent,
                read_bufsize=2 * MOST_LINE,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                # As by a socket: a few bytes must not become gigabytes before they are counted.
                auto_decompress=False,
                headers={"Accept-Encoding": "identity"},
            )
        address = self._address.of(call.path)
        return self._session.request(
            call.method,
            address,
            data=call.body or None,
            headers={**call.headers, **self._headers(call.method, address)},
            ssl=self._tls if self._tls is not None else True,
            allow_redirects=False,
        )


class Turn:
    """What one flow has open: at most a stream."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._stream: aiohttp.ClientResponse | None = None

    async def take(self, step: Any) -> tuple[Any, Broken | None]:
        """Does one step: what came of it, or how it broke."""
        try:
            if isinstance(step, Call):
                return await self._wire.call(step), None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                return None, None
            if isinstance(step, Do):
                # Whoever else runs in this loop does not wait for a lock or a flush.
                return await asyncio.to_thread(step.work), None
            if isinstance(step, Stream):
                return await self._open(step.call), None
            assert isinstance(step, NextLine)
            return await self._line(), None
        except Broken as broken:
            return None, broken

    async def _open(self, call: Call) -> Answer:
        self._stream = await self._wire.begin(call)
        if self._stream.status == 200:
            return Answer(200, _lower(self._stream))
        return Answer(self._stream.status, _lower(self._stream), await _body(self._stream, call.most))

    async def _line(self) -> bytes | None:
        assert self._stream is not None
        try:
            found = await self._stream.content.readline()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _broken(error) from None
        except ValueError:
            raise Broken("a line of the answer is too long", sent=True) from None
        if found and not found.endswith(b"\n"):
            raise Broken("the answer broke off within a line", sent=True)
        return found.removesuffix(b"\n") or None

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """No more than so many bytes of it."""
    found = bytearray()
    async for part in response.content.iter_any():
        found += part
        if len(found) > most:
            raise Broken(f"the answer is over {most:,} bytes", sent=True, lasting=True)
    return bytes(found)


def _lower(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _broken(error: Exception) -> Broken:
    """In the library's words where it could not connect; otherwise its name alone, which holds nothing of an answer."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Broken(f"{UNTRUSTED} ({_reason(error.certificate_error)})", sent=False, lasting=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Broken(f"{type(error).__name__}: {error.os_error}", sent=False)
    return Broken(type(error).__name__, sent=True)


def _reason(error: Exception) -> str:
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
