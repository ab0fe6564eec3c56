"""Bodies: their size, their time, and all of them together. On a server of their own, with limits that a test can reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from strongroom.service.bodies import Bodies
from strongroom.service.front import saying

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


def served(bodies: Bodies, most: int, act: Callable[[int], Awaitable[None]]) -> None:
    """``act`` with the port of a server that reads bodies of at most ``most`` bytes and says how long they were."""

    async def handle(request: web.Request) -> web.Response:
        async with bodies.whole(request, most) as text:
            assert bodies.held >= len(text)
            return web.Response(text=str(len(text)))

    async def run() -> None:
        app = web.Application(middlewares=[saying], client_max_size=0)
        app.router.add_post("/", handle)
        runner = web.AppRunner(app, lingering_time=0)  # else it waits for the rest of what it has refused
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            await act(runner.addresses[0][1])
        finally:
            await runner.cleanup()
        assert bodies.held == 0

    asyncio.run(run())


async def said(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await reader.read()
    finally:
        await shut(writer)


async def shut(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - a server has no event for what it has read
            await asyncio.sleep(0)


def chunked(*parts: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in parts)


def test_a_body_is_as_long_as_its_route_takes() -> None:
    async def act(port: int) -> None:
        assert (await said(port, HEAD + b"Content-Length: 100\r\n\r\n" + b"a" * 100)).endswith(b"100")
        assert b'"too-large"' in await said(port, HEAD + b"Content-Length: 101\r\n\r\n" + b"a" * 101)
        # One that does not say how long it is, too.
        assert (await said(port, chunked(b"a" * 60, b"a" * 40, b""))).endswith(b"100")
        assert b'"too-large"' in await said(port, chunked(b"a" * 60, b"a" * 41))
        assert b'"too-large"' in await said(port, HEAD + b"Content-Length: 99999999999999\r\n\r\n")

    served(Bodies(), 100, act)


def test_who_stops_in_the_middle_of_a_body_is_not_waited_for() -> None:
    async def act(port: int) -> None:
        answer = await said(port, HEAD + b"Content-Length: 100\r\n\r\n" + b"a" * 99)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"timeout"' in answer

    served(Bodies(seconds=0.05), 100, act)


def test_all_bodies_together_have_a_limit() -> None:
    bodies = Bodies(most=150)

    async def act(port: int) -> None:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(HEAD + b"Content-Length: 100\r\n\r\n" + b"a" * 99)
        await until(lambda: bodies.held == 99)
        answer = await said(port, HEAD + b"Content-Length: 100\r\n\r\n" + b"a" * 100)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in answer
        # It goes, and what it held is free again.
        await shut(first)
        await until(lambda: bodies.held == 0)
        assert (await said(port, HEAD + b"Content-Length: 100\r\n\r\n" + b"a" * 100)).endswith(b"100")

    served(bodies, 100, act)
