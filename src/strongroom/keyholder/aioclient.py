"""Calls to the keyholder over HTTP from an event loop (SPEC.md section 8): ``client`` says the same to threads."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.errors import FormatError, KeyholderUnavailable, Unwitnessed
from strongroom.keyholder import line, protocol
from strongroom.keyholder.client import HELD_TRIES, Asked, Voice, headers_of, judged, of_tls


class AioClient:
    """Signs requests with ``key`` (the vault's) and verifies that each answer is the keyholder's own. ``address``, ``voice`` and ``tls``: as
    ``client.HttpTransport``. To be made and closed within one running loop."""

    def __init__(
        self,
        address: Callable[[], str],
        voice: Voice,
        key: Ed25519PrivateKey,
        timeout: float = 60.0,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._address, self._voice, self._key, self._tls = address, voice, key, tls
        self._context: ssl.SSLContext | None = None
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            # What the keyholder signed is what it sent.
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        await self._session.close()

    async def send(self, path: str, body: bytes) -> bytes:
        """The answer's bytes. Raises ``Refused``, ``FormatError`` or ``KeyholderUnavailable``."""
        if len(body) > protocol.MAX_BODY:
            # It would be refused before it is read, and so by nobody's word.
            raise FormatError(f"the request is over {protocol.MAX_BODY} bytes")
        asked = Asked(path, protocol.sign_request(self._voice.room, path, body, self._key), body)
        for left in reversed(range(HELD_TRIES)):
            try:
                return await self._exchange(asked)
            except Unwitnessed:
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _exchange(self, asked: Asked) -> bytes:
        for attempt in (1, 2):
            try:
                return await self._posted(asked)
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, ssl.SSLError):
                    raise KeyholderUnavailable(f"{self._address()}: {of_tls(error.os_error)}") from None
                reason = error.os_error.strerror or str(error.os_error)
                raise KeyholderUnavailable(
                    f"no keyholder answers at {self._address()} ({reason}). Start it: strongroom keyholder"
                ) from None
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                # A kept connection may have been closed meanwhile. The identical request is safe to send again (SPEC.md 8.4).
                if attempt == 1 and not isinstance(error, TimeoutError):
                    continue
                said = str(error) or type(error).__name__
                raise KeyholderUnavailable(f"the keyholder at {self._address()} broke off: {said}") from None
        raise AssertionError("unreachable")

    async def _posted(self, asked: Asked) -> bytes:
        address = self._address()
        at = line.parse(address)
        host = f"[{at.host}]" if ":" in at.host else at.host
        if at.tls and self._context is None:
            # Reading certificates takes milliseconds: once.
            self._context = await asyncio.to_thread(self._tls)
        async with self._session.post(
            f"{'https' if at.tls else 'http'}://{host}:{at.port}{asked.path}",
            data=asked.body,
            headers=headers_of(asked.signature),
            ssl=self._context or True,
            allow_redirects=False,
        ) as response:
            data = await response.read()
            under = response.headers.get("Strongroom-Signature", "")
            return judged(self._voice, address, asked, response.status, under, data)
