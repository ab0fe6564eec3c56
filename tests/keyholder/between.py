"""Somebody between the houses: what a house sends goes through their hands, and so does what the keyholder answers."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.keyholder.served import Served

HEADER = "Strongroom-Signature"


class Said(NamedTuple):
    """An answer, and the signature over it as its header has it; none without one."""

    status: int
    body: bytes
    under: str | None


class Asked(NamedTuple):
    path: str
    body: bytes
    under: str


class Between:
    """Stands where the keyholder's address says it is. ``change`` is given what was asked, and says what is answered."""

    def __init__(self, served: Served) -> None:
        self._keyholder = served.address
        self.change: Callable[[Asked], Said] = self.ask
        self.asked: list[tuple[Asked, Said]] = []
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                one = Asked(self.path, body, self.headers.get(HEADER, ""))
                said = between.change(one)
                between.asked.append((one, said))
                self.send_response(said.status)
                self.send_header("Content-Length", str(len(said.body)))
                if said.under is not None:
                    self.send_header(HEADER, said.under)
                self.end_headers()
                self.wfile.write(said.body)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        (served.root / "keyholder" / "address").write_text(f"127.0.0.1:{self._server.server_port}\n")

    def ask(self, asked: Asked) -> Said:
        """What the keyholder says."""
        connection = http.client.HTTPConnection(*self._keyholder, timeout=10)
        connection.request("POST", asked.path, asked.body, {HEADER: asked.under})
        response = connection.getresponse()
        try:
            return Said(response.status, response.read(), response.getheader(HEADER))
        finally:
            connection.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
