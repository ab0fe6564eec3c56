"""A real place for spans: OTLP over HTTP, whatever it is sent, heads and bodies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Collector:
    """``got``: what came, one a request; ``came``: something has."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.came = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.got.append(self.rfile.read(int(self.headers["Content-Length"])) + str(self.headers).encode())
                self.send_response(200)
                self.end_headers()
                outer.came.set()

            def log_message(self, format: str, *args: object) -> None:
                """Not on the tests' terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"


@contextmanager
def collecting() -> Iterator[Collector]:
    made = Collector()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
