"""Bodies as they come in: within their size, within their time, and all of them together within what the vault holds in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from strongroom.service.problems import Rejected

MOST_BYTES = 256 * 2**20
SECONDS = 30.0
MOST_LINE = 1 << 20


class Bodies:
    """``most``: bytes of all bodies at once. ``seconds``: for a whole body, and of a stream until more of it comes."""

    def __init__(self, most: int = MOST_BYTES, seconds: float = SECONDS) -> None:
        self.most, self._seconds, self.held = most, seconds, 0

    @asynccontextmanager
    async def whole(self, request: web.Request, most: int) -> AsyncIterator[bytes]:
        """All of it, held within. Raises ``Rejected`` (``too-large``, ``timeout``, ``busy``, ``malformed`` where it breaks off)."""
        if (request.content_length or 0) > most:
            raise _too_large(most)
        with self.holding() as held:
            found = bytearray()
            try:
                async with asyncio.timeout(self._seconds):
                    async for part in _parts(request):
                        held.add(len(part))
                        found += part
                        if len(found) > most:
                            raise _too_large(most)
            except TimeoutError:
                raise Rejected("timeout", f"want a whole body within {self._seconds:.0f} s") from None
            yield bytes(found)

    async def lines(self, request: web.Request) -> AsyncIterator[bytes]:
        """The lines of a stream without their ends, empty ones left out. Raises as ``whole``; a line is at most 1 MiB."""
        parts, left = _parts(request), b""
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    part = await anext(parts, b"")
            except TimeoutError:
                raise Rejected("timeout", f"want more of the stream within {self._seconds:.0f} s") from None
            if not part:
                break
            *whole, left = (left + part).split(b"\n")
            if len(left) > MOST_LINE or any(len(line) > MOST_LINE for line in whole):
                raise Rejected("too-large", f"a line has at most {MOST_LINE >> 20} MiB")
            for line in whole:
                if line.strip():
                    yield line
        if left.strip():
            yield left

    @contextmanager
    def holding(self) -> Iterator[Held]:
        """Within, what is added is in memory."""
        held = Held(self)
        try:
            yield held
        finally:
            self.held -= held.size


class Held:
    """What one request has in memory."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies, self.size = bodies, 0

    def add(self, size: int) -> None:
        """Raises ``Rejected`` (``busy``)."""
        if self._bodies.held + size > self._bodies.most:
            raise Rejected("busy", "the vault has more requests than it can take")
        self._bodies.held += size
        self.size += size


async def _parts(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for part in request.content.iter_any():
            yield part
    except (ConnectionError, web.RequestPayloadError):
        raise Rejected("malformed", "the request broke off") from None


def _too_large(most: int) -> Rejected:
    return Rejected("too-large", f"want at most {most:,} bytes")
