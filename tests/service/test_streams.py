"""Records in and out as lines of JSON: whole streams, broken ones, and how one is told from the other."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.service.town import LINES, Town
from tests.world import Person

from strongroom.api import writes
from strongroom.ledger import note, proof
from strongroom.synth import people as synth

_lines = msgspec.json.Decoder(writes.ExportLine)
_stored = msgspec.json.Decoder(writes.StoredLine)


def made(count: int, seed: int) -> list[dict[str, str]]:
    names = ("id-number", "name", "born", "sex", "phone", "email")
    return [{name: one[name] for name in names} for one in synth.people(count, seed)]


def body(town: Town, records: Sequence[Any], count: int) -> bytes:
    return msgspec.json.Encoder().encode_lines([writes.RecordsHead(ask=town.intake(count)), *records])


def send(town: Town, data: bytes) -> list[Any]:
    answer = town.call("POST", "/v1/records", data, LINES)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson"), answer.body
    return [_stored.decode(line) for line in answer.body.splitlines()]


def test_a_stream_takes_in_what_fits_and_says_what_does_not(town: Town) -> None:
    records: list[Any] = made(5, 71)
    records[1] = records[1] | {"born": "the 3rd of May, Zhang"}
    records[2] = records[2] | {"zhang-san": "1"}
    records[3] = ["no", "record", "Zhang"]
    data = body(town, records, 10).replace(b'["no"', b'{"no"')  # so that one line is not even JSON
    batch, left, end = send(town, data)
    assert isinstance(batch, writes.StoredBatch)
    assert (batch.rows, len(batch.records)) == ([1, 5], 2)
    assert isinstance(left, writes.LeftOut)
    assert [(one.row, one.field) for one in left.rows] == [(4, ""), (2, "born"), (3, "")]
    assert end == writes.RecordsEnd(stored=2, left_out=3)
    assert "hang" not in str(left)
    found = town.post("/v1/finds", town.find("resident-id", records[4]["id-number"])).json()
    assert found["records"] == [batch.records[1]]
    log = note.verifier(town.get("/v1/room").json()["log"])
    proved = town.get(f"/v1/receipts/{batch.entries[-1]}").json()
    proof.verify(proof.parse(batch.receipt), proved["text"].encode(), [log])


def test_a_long_stream_comes_back_while_it_is_sent(town: Town) -> None:
    records = made(40, 72) * 300  # of 12,000 lines the last ones wait for another batch
    head, *rest = body(town, records, 30_000).splitlines(keepends=True)
    connection = http.client.HTTPConnection(town.vault.host, town.vault.port, timeout=60)
    connection.putrequest("POST", "/v1/records")
    connection.putheader("Content-Type", LINES["Content-Type"])
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()

    def part(data: bytes) -> None:
        connection.send(b"%x\r\n%s\r\n" % (len(data), data))

    part(head + b"".join(rest[:10_000]))
    # No end was sent yet: this is of the first batch.
    response = connection.getresponse()
    first = _stored.decode(response.readline())
    assert isinstance(first, writes.StoredBatch)
    assert first.rows == list(range(1, 10_001))
    part(b"".join(rest[10_000:]))
    connection.send(b"0\r\n\r\n")
    second, end = (_stored.decode(line) for line in response.read().splitlines())
    connection.close()
    assert isinstance(second, writes.StoredBatch)
    assert second.rows == list(range(10_001, 12_001))
    assert end == writes.RecordsEnd(stored=12_000, left_out=0)


def test_a_window_that_is_used_up_ends_a_stream(town: Town) -> None:
    """What was taken in before stands, and the last line says why there is no more."""
    records = made(40, 73) * 300
    lines = send(town, body(town, records, 20_000))
    assert isinstance(lines[0], writes.StoredBatch)
    assert isinstance(lines[-1], writes.Broken)
    assert lines[-1].problem.code == "budget"


def test_a_stream_that_begins_badly_is_a_problem_of_http(town: Town) -> None:
    def post(data: bytes) -> Any:
        return town.call("POST", "/v1/records", data, LINES)

    post(b"").problem(400, "malformed")
    post(b'{"name": "Zhang"}\n').problem(400, "malformed")
    post(body(town, [], 10)).problem(422, "input")
    post(b"x" * (2 << 20)).problem(413, "too-large")
    town.call("POST", "/v1/records", body(town, made(1, 1), 2), LINES | {"Idempotency-Key": "k" * 30}).problem(
        422, "idempotency"
    )
    wrong = msgspec.json.Encoder().encode_lines([writes.RecordsHead(ask=town.intake(2, "confirm")), *made(1, 1)])
    post(wrong).problem(403, "purpose")


def test_a_line_that_does_not_end_is_not_waited_for(town: Town) -> None:
    answer = town.call("POST", "/v1/records", body(town, [{"name": "x" * (1 << 20)}], 2), LINES)
    answer.problem(413, "too-large")


_values = st.none() | st.text(max_size=30) | st.integers() | st.lists(st.none(), max_size=2) | st.just("x" * 3000)
_names = st.sampled_from(["id-number", "name", "phone", "born", "sex", "x"]) | st.text(max_size=10)
_line = st.dictionaries(_names, _values, max_size=4).map(msgspec.json.encode) | st.binary(max_size=60)


@given(lines=st.lists(_line.map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_lines_that_nobody_wrote(town: Town, lines: list[bytes]) -> None:
    """Each line is stored or left out, in words that quote nothing of it; the stream has an end."""
    data = body(town, [], 100) + b"\n".join(lines)
    answer = town.call("POST", "/v1/records", data, LINES)
    if answer.status == 422:
        assert not any(line.strip() for line in lines)
        return
    *before, end = (_stored.decode(line) for line in answer.body.splitlines())
    assert isinstance(end, writes.RecordsEnd)
    numbers: list[int] = []
    for one in before:
        if isinstance(one, writes.StoredBatch):
            numbers += one.rows
        elif isinstance(one, writes.LeftOut):
            numbers += {row.row for row in one.rows}
    assert sorted(numbers) == list(range(1, sum(1 for line in lines if line.strip()) + 1))
    assert (end.stored + end.left_out) == len(numbers)


# --- exports ------------------------------------------------------------------------------------------------------------
def test_an_export_ends_with_its_entries(town: Town, people: list[Person]) -> None:
    handles = [one.handle.hex() for one in people[:3]]
    answer = town.post("/v1/exports", writes.Export(ask=town.export(["name", "phone"], 3), records=handles))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson"), answer.body
    *records, batch, end = (_lines.decode(line) for line in answer.body.splitlines())
    for one, person in zip(records, people, strict=False):
        assert isinstance(one, writes.Exported)
        assert (one.handle, one.fields["name"]) == (person.handle.hex(), person.values["name"])
        assert (one.fields["phone"] or "")[-4:] == (person.values["phone"] or "")[-4:]
        assert one.fields["phone"] != person.values["phone"]
    assert isinstance(batch, writes.ExportBatch)
    assert end == writes.ExportEnd(records=3, left_out=0, entries=[batch.entry])
    log = note.verifier(town.get("/v1/room").json()["log"])
    proved = town.get(f"/v1/receipts/{batch.entry}").json()
    proof.verify(proof.parse(batch.receipt), proved["text"].encode(), [log])


def test_an_export_of_more_than_the_purpose_has(town: Town) -> None:
    town.post("/v1/exports", writes.Export(ask=town.export(["name"], 41))).problem(429, "budget")


def test_an_export_of_what_is_not_here_or_not_named(town: Town, people: list[Person]) -> None:
    here, other = people[0].handle.hex(), "0" * 32
    town.post("/v1/exports", writes.Export(ask=town.export(["name"], 2), records=[here, other])).problem(422, "input")
    town.post("/v1/exports", writes.Export(ask=town.export(["name"], 1), records=[here, other])).problem(422, "input")
    town.post("/v1/exports", {"ask": msgspec.to_builtins(town.export(["name"], 2)), "records": ["x"]}).problem(
        400, "malformed"
    )
    town.post("/v1/exports", writes.Export(ask=town.export(["email"], 2), records=[here])).problem(403, "field")


def test_an_export_of_all_takes_as_many_as_the_ask_is_for(town: Town) -> None:
    answer = town.post("/v1/exports", writes.Export(ask=town.export(["name"], 5)))
    assert [one["type"] for one in answer.lines()] == ["record"] * 5 + ["batch", "end"]


def test_an_export_that_breaks_off_has_no_end(town: Town, people: list[Person]) -> None:
    """Cut off by the network: what came has no last line, and HTTP itself says that more was to come."""
    request = msgspec.json.encode(writes.Export(ask=town.export(["name"], 5)))
    head = f"POST /v1/exports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(request)}\r\n\r\n"
    with socket.create_connection((town.vault.host, town.vault.port), timeout=30) as one:
        one.sendall(head.encode() + request)
        data = one.recv(300)
    assert b'"type":"end"' not in data
    assert not data.endswith(b"0\r\n\r\n")
    assert town.get("/v1/room").status == 200
