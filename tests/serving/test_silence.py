"""Marked personal values, put wherever a request can hold one and wherever a library might write one: they come out nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from tests.serving.collector import Collector, collecting
from tests.serving.conftest import SECONDS, Sample, Start

from strongroom.errors import InputError
from strongroom.serving.traces import Traces

PLANTED = ["13800000000", "LiMingPlanted", "LIMING", "李明"]
_ALL = " ".join(PLANTED)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


def _plant(server: Sample) -> list[tuple[int, bytes]]:
    text, path = _ALL.encode(), quote(_ALL)
    headers = {"Cookie": path, "User-Agent": path, "traceparent": path, "Authorization": path, "X-Request-Id": path}
    raw = f"GET /{path} NONSENSE {path}\r\n{path}\r\n\r\n"
    found = [
        server.ask("POST", f"/v1/answers/{path}?phone={path}", text, headers=headers),
        server.ask("POST", f"/v1/{path}", text, headers=headers),
        server.ask("GET", f"/{path}?{path}", text, headers=headers),
        server.ask("LiMingPlanted", "/v1/refuse", text),
        server.ask("LIMING", "/v1/refuse"),
        server.ask("POST", "/v1/defect", text),
        server.ask("POST", "/v1/careless", text),
        server.ask("POST", "/v1/refuse", text),
    ]
    import socket

    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as line:
        line.sendall(raw.encode())
        found.append((0, line.recv(65536)))
    return found


@pytest.mark.parametrize("form", ["json", "text"])
def test_planted_values_come_out_nowhere(start: Start, collector: Collector, form: str) -> None:
    server = start(telemetry={"log": form, "traces": collector.url})
    if form == "json":
        server.ready()
    else:
        server.local = server.port = int(server.printed("started").rpartition(":")[2])
    answers = _plant(server)
    assert [status for status, _ in answers] == [200, 404, 404, 400, 400, 500, 200, 403, 0]
    figures = b"" if form == "text" else server.ask("GET", "/metrics", port=server.admin)[1]
    assert server.stop() == 0
    assert collector.came.wait(SECONDS)
    spans = b"".join(collector.got)
    # Something was said, and nothing of it is theirs.
    assert b"/v1/answers/{name}" in server.said
    assert b"/v1/answers/{name}" in spans
    assert b"http.route" in spans
    assert form == "text" or b'route="/v1/answers/{name}"' in figures
    answered = b"".join(body for _, body in answers)
    for value in PLANTED:
        for shape in (value, quote(value), json.dumps(value)[1:-1], repr(value.encode())[2:-1], value.lower()):
            for where in (server.said, figures, spans, answered):
                assert shape.encode() not in where, (shape, where[:2000])


def test_a_line_a_request(start: Start) -> None:
    server = start().ready()
    server.ask("POST", "/v1/answers/a")
    found = server.event("request")
    assert found.keys() == {"time", "level", "event", "route", "method", "status", "ms", "id"}
    assert (found["route"], found["method"], found["status"], found["level"]) == (
        "/v1/answers/{name}",
        "POST",
        200,
        "info",
    )
    server.ask("POST", "/v1/refuse")
    assert server.event("request")["code"] == "budget"
    server.ask("POST", "/v1/defect", b"x")
    broken = server.event("a library's message", logger="aiohttp.server")
    assert broken["error"] == "ValueError"
    assert broken["place"].startswith("sample.py:")
    assert server.event("request")["status"] == 500
    figures = server.ask("GET", "/metrics", port=server.admin)[1]
    assert b'strongroom_refusals_total{code="budget"} 1.0' in figures
    assert b'strongroom_requests_total{method="POST",route="/v1/answers/{name}",status="2xx"} 1.0' in figures
    server.ask("POST", "/v1/careless", b"x")
    assert server.event("what nobody waited for failed")["error"] == "KeyError"


def test_the_answer_carries_its_lines_name(start: Start) -> None:
    import http.client

    server = start().ready()
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    line.request("POST", "/v1/refuse", headers={"X-Request-Id": "mine"})
    said = line.getresponse()
    assert said.getheader("X-Request-Id") == server.event("request")["id"] != "mine"
    assert said.getheader("Server") == "strongroom"
    line.close()


def test_traces_want_their_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(InputError, match=r"pip install 'strongroom\[telemetry\]'"):
        Traces("http://127.0.0.1:1/v1/traces", "vault")
