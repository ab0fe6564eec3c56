"""Nothing personal gets where it does not belong: marked values go through every route, well and badly, and are then sought in
every log, figure, trace and problem, and in every file of both houses."""

from __future__ import annotations

import http.client
import shutil
import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.service.town import JSON, LINES, Answer, Town, evidence, now
from tests.serving.collector import Collector, collecting

from strongroom.api import writes
from strongroom.custody.room import Room
from strongroom.gate import ask as asks

NAME, OTHER_NAME = "Qilin Markedname", "Xuanwu Markedother"
ID, ANOTHER = "110105194912310021", "440301198806154713"
PHONE, MAIL = "13912345678", "qilin.marked@example.com"
CASE, REASON = "CASE-MARKED-4711", "because the markedneighbour complained about a markednoise"
TYPED = "markedtyped"
MARKS = (NAME, OTHER_NAME, ID, ANOTHER, PHONE, MAIL, CASE, REASON, "markedneighbour", TYPED)


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """How a value may stand in a file."""
    yield "itself", value.encode()
    yield "UTF-16", value.encode("utf-16-le")
    yield "UTF-16", value.encode("utf-16-be")
    yield "hexadecimal", value.encode().hex().encode()
    yield "hexadecimal", value.encode().hex().upper().encode()
    for before in range(3):
        # What stands before it moves the bits; signs that are shared with neighbours are left out.
        data = b64encode(bytes(before) + value.encode())
        yield "base64", data[-(-before * 8 // 6) : (before + len(value.encode())) * 8 // 6]


FORMS = [(mark, form, data) for mark in MARKS for form, data in forms(mark)]


def sought(what: str, data: bytes) -> list[str]:
    return [f"{mark} as {form} in {what}" for mark, form, found in FORMS if found in data]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


def test_marked_values_are_nowhere(peopled: Path, tmp_path: Path, collector: Collector) -> None:
    root = tmp_path / "room"
    shutil.copytree(peopled, root)
    town = Town(root, {"STRONGROOM_TELEMETRY_TRACES": collector.url})
    try:
        answers = _through_every_route(town)
        figures = [_figures(house.admin) for house in (town.vault, town.keyholder)]
        room = Room(root / "vault")
        room.publish()
        room.close()
        answers += _while_the_keyholder_is_gone(town)
    finally:
        town.close()
    # The tests of the tests: what was to be found is there to be found, in its place.
    assert any(NAME.encode() in one.body for one in answers if one.status == 200)
    assert b"strongroom_requests_total" in figures[0]
    assert collector.got
    assert sum(one.status >= 400 for one in answers) > 20
    assert {one.status for one in answers} >= {200, 201, 400, 403, 404, 413, 415, 422, 503}
    for mark, form, data in FORMS:
        assert len(data) > 8, (mark, form)
    found: list[str] = []
    for one in answers:
        said = f"{one.headers}".encode() + (one.body if one.status >= 400 or b'"problem"' in one.body else b"")
        found += sought(f"the answer {one.status} {one.body[:200]!r}", said)
    for at, figure in enumerate(figures):
        found += sought(f"figures {at}", figure)
    for body in collector.got:
        found += sought("a trace", body)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {"vault.db", "keyholder.db", "answers.db", "vault.log", "keyholder.log", "checkpoint"} <= {
        one.name for one in files
    }
    for path in files:
        found += sought(str(path.relative_to(root)), path.read_bytes())
    assert found == []


def _figures(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/metrics")
    data = connection.getresponse().read()
    connection.close()
    return data


def _through_every_route(town: Town) -> list[Answer]:
    record: dict[str, str | None] = {
        "id-number": ANOTHER,
        "name": NAME,
        "phone": PHONE,
        "email": MAIL,
        "born": "1988-06-15",
    }
    ana, rui = town.asker("ana"), town.asker("rui")
    key = {"Idempotency-Key": "marked-values-0123456789"}
    found = [town.post("/v1/records", writes.Records(ask=_intake(town, 2), records=[record]), key)]
    assert found[0].status == 201, found[0].body
    handle = bytes.fromhex(found[0].json()["records"][0])
    lines = msgspec.json.Encoder().encode_lines(
        [writes.RecordsHead(ask=_intake(town, 4)), record | {"id-number": ID}, record]
    )
    found.append(town.call("POST", "/v1/records", lines + b'{"name": "%s"\n' % OTHER_NAME.encode(), LINES))
    found.append(town.post("/v1/records", writes.Records(ask=_intake(town, 2), records=[record | {"id-number": ID}])))
    found.append(town.post("/v1/records", writes.Records(ask=_intake(town, 2), records=[record | {TYPED: NAME}])))
    found.append(town.post("/v1/records", writes.Records(ask=_intake(town, 2), records=[record | {"phone": NAME}])))

    def asked(path: str, action: str, *given: object, by: object = ana) -> Answer:
        signed = getattr(by, action)("residents", *given, CASE, REASON, now())
        answer = town.post(path, evidence(signed))
        # And once more, tampered with in the middle and cut off.
        text = msgspec.json.encode(evidence(signed))
        found.extend([answer, town.post(path, text.replace(b"residents", TYPED.encode())), town.post(path, text[:-40])])
        return answer

    asked("/v1/finds", "find", "confirm", "phone", PHONE)
    asked("/v1/finds", "find", "confirm", "resident-id", ANOTHER)
    asked("/v1/finds", "find", "confirm", "resident-id", ID)
    asked("/v1/finds", "find", "confirm", TYPED, NAME)
    asked("/v1/finds", "find", TYPED, "phone", PHONE)
    asked("/v1/disclosures", "disclose", "confirm", [handle], ["name", "born", "id-number"])
    asked("/v1/disclosures", "disclose", "confirm", [handle], ["name", TYPED])
    asked("/v1/disclosures", "disclose", "reach", [handle], ["email", "phone"])
    asked("/v1/checks", "check", "verify", [handle], "name", "matches", NAME)
    asked("/v1/checks", "check", "verify", [handle], "phone", "matches", NAME)
    asked("/v1/checks", "check", "verify", [handle], "email", "matches", MAIL)
    exported = ana.export("residents", "extract", ["name", "phone"], 3, now() + 3600, CASE, REASON, now())
    found.append(town.post("/v1/exports", writes.Export(ask=evidence(exported), records=[handle.hex()])))
    found.append(town.post("/v1/exports", {"ask": msgspec.to_builtins(evidence(exported)), "records": [TYPED]}))
    correction = evidence(
        rui.correct("residents", "amend", [handle], {"name": OTHER_NAME, "phone": None}, CASE, REASON, now())
    )
    found.extend(
        town.post("/v1/corrections", writes.Correction(ask=correction, intake=intake))
        for intake in (None, _intake(town, 1), _intake(town, 2))
    )
    assert found[-1].status == 200, found[-1].body
    wrong = evidence(rui.correct("residents", "amend", [handle], {"phone": NAME}, CASE, REASON, now()))
    found.append(town.post("/v1/corrections", writes.Correction(ask=wrong, intake=_intake(town, 2))))
    erased = asked("/v1/erasures", "erase", "forget", [handle], by=rui)
    assert erased.status == 200, erased.body
    found.append(town.get(f"/v1/erasures/{erased.json()['entry']}?record={handle.hex()}"))
    paths = [
        "/v1/room",
        "/v1/charter",
        "/v1/charters",
        "/v1/entries",
        "/v1/retention",
        "/openapi.json",
        "/docs",
        f"/{TYPED}",
    ]
    paths += [f"/v1/finds?name={TYPED}", f"/v1/charters?cursor={PHONE}x", f"/v1/{TYPED}/{PHONE}", f"/ledger/{TYPED}"]
    found.extend(town.get(path) for path in paths)
    text = f'{{"{TYPED}": "{NAME}"}}'.encode()
    for path in ("/v1/finds", "/v1/records", "/v1/corrections", "/v1/exports"):
        found.append(town.post(path, text))
        found.append(town.call("POST", path, text, {"Content-Type": f"text/{TYPED}"}))
        found.append(town.post(path, text[:-1]))
    found.append(town.post("/v1/finds", text + b" " * 300_000))
    found.append(town.post("/v1/records", text, {"Idempotency-Key": f"{TYPED} {PHONE}"}))
    found.append(
        town.call("GET", "/v1/room", headers={"Authorization": f"DPoP {TYPED}", "User-Agent": NAME, "X-Name": NAME})
    )
    for data in (
        f"{TYPED} / {NAME}\r\n\r\n".encode(),
        f"POST /v1/finds HTTP/1.1\r\nContent-Length: {TYPED}\r\n\r\n".encode(),
    ):
        town.raw(data)
    _leave_in_the_middle(town, handle)
    return found


def _while_the_keyholder_is_gone(town: Town) -> list[Answer]:
    town.keyholder.stop()
    ana = town.asker("ana")
    asked = evidence(ana.find("residents", "confirm", "phone", PHONE, CASE, REASON, now()))
    record: dict[str, str | None] = {"id-number": ANOTHER, "name": NAME, "phone": PHONE}
    return [
        town.post("/v1/finds", asked),
        town.post("/v1/records", writes.Records(ask=_intake(town, 2), records=[record])),
    ]


def _intake(town: Town, count: int) -> asks.Evidence:
    asker = town.asker("rui")
    return evidence(asker.intake("residents", "register", count, now() + 3600, CASE, REASON, now()))


def _leave_in_the_middle(town: Town, handle: bytes) -> None:
    body = msgspec.json.encode(evidence(town.asker().find("residents", "confirm", "phone", PHONE, CASE, REASON, now())))
    head = f"POST /v1/finds HTTP/1.1\r\nHost: {TYPED}\r\nContent-Type: {JSON['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    for cut in (len(body) // 2, len(body)):
        with socket.create_connection((town.vault.host, town.vault.port), timeout=30) as one:
            one.sendall(head.encode() + body[:cut])
