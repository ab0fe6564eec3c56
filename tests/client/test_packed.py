"""A few bytes that unpack to gigabytes: neither wire unpacks anything, so what is bounded is what came."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from strongroom.client import aiowire, sockets
from strongroom.client.address import Address, parse
from strongroom.client.flow import Answer, Call

PACKED = gzip.compress(bytes(64 * 2**20))
CALL = Call("GET", "/v1/room", most=2**20)


@pytest.fixture
def address() -> Iterator[Address]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Accept-Encoding"))
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(PACKED)))
            self.end_headers()
            self.wfile.write(PACKED)

        def log_message(self, *_: object) -> None:
            pass

    asked: list[str | None] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield parse(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    assert asked == ["identity"]


def test_by_sockets(address: Address) -> None:
    wire = sockets.Wire(address, None, 10.0, lambda *_: {})
    assert wire.call(CALL).body == PACKED
    wire.close()


def test_by_aiohttp(address: Address) -> None:
    async def run() -> Answer:
        wire = aiowire.Wire(address, None, 10.0, lambda *_: {})
        try:
            return await wire.call(CALL)
        finally:
            await wire.close()

    assert asyncio.run(run()).body == PACKED
