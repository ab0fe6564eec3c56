"""What `make bench` sends with counts nothing that was refused, and waits for an answer's end whichever way it is told."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load, table


class _Server(http.server.BaseHTTPRequestHandler):
    """Answers by what it is asked: whole, in chunks, with a refusal, or not at all."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if asked == b"leave":
            self.close_connection = True
            return
        self.send_response(403 if asked == b"refuse" else 200)
        if asked == b"chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b'{"rec', b'eipt": 1}', b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
        else:
            said = b'{"receipt": 1}' if asked != b"none" else b"{}"
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _send(address: str, path: Path, *bodies: bytes) -> load.Load:
    load.write(path, [load.post("/", body) for body in bodies])
    return load.run(address, path, 3, '"receipt"')


def test_each_answer_is_waited_for_and_counted(address: str, tmp_path: Path) -> None:
    done = _send(address, tmp_path / "requests", *[b"whole", b"chunks"] * 20)
    assert len(done.times) == 40
    assert all(0 < one < done.seconds for one in done.times)
    assert done.rate == pytest.approx(40 / done.seconds)


@pytest.mark.parametrize(
    ("body", "says"), [(b"refuse", "HTTP/1.1 403"), (b"none", "answered"), (b"leave", "closed before its answer")]
)
def test_what_is_no_answer_ends_the_run(address: str, tmp_path: Path, body: bytes, says: str) -> None:
    with pytest.raises(SystemExit, match=says):
        _send(address, tmp_path / "requests", *[b"whole"] * 9, body)


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"above\n{table.BEGIN}\nof yesterday\n{table.END}\nbelow\n")
    rows = [table.Row("read", "2,100/s", "2,000/s", True, "a peer"), table.Row("store", "9/s", "1,500/s", False)]
    table.keep(page, table.markdown("title", rows, [table.Cost("read", 225, 180, 20, 7.5)]))
    said = page.read_text()
    assert said.startswith(f"above\n{table.BEGIN}\ntitle\n")
    assert said.endswith(f"{table.END}\nbelow\n")
    assert "| read | 2,100/s | 2,000/s | reached | a peer |" in said
    assert "| store | 9/s | 1,500/s | **missed** |  |" in said
    assert "of yesterday" not in said
    page.write_text("no place")
    with pytest.raises(ValueError, match="no place for the table"):
        table.keep(page, "text")
