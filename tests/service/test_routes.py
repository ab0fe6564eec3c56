"""Every route's good way, and the ways in which its request is bad."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.service.town import CASE, REASON, Town, evidence, now
from tests.world import Person

from strongroom.api import reads, writes
from strongroom.client import certificate, device
from strongroom.gate import ask as asks
from strongroom.ledger import entry, note, proof

ASKED = ("/v1/finds", "/v1/disclosures", "/v1/checks", "/v1/erasures")


def receipt_holds(town: Town, index: int, receipt: str, kind: type[Any]) -> Any:
    """Under the log's key, of the entry's own bytes; the entry."""
    found, said = town.get("/v1/room").json(), town.get(f"/v1/receipts/{index}").json()
    log = note.verifier(found["log"])
    for one in (receipt, said["receipt"]):
        parsed = proof.parse(one)
        assert parsed.index == index == said["entry"]
        proof.verify(parsed, said["text"].encode(), [log])
    written = entry.parse(said["text"].encode())
    assert isinstance(written, kind)
    return written


def test_a_find_is_answered_with_its_receipt(town: Town, people: list[Person]) -> None:
    one = people[0]
    answer = town.post("/v1/finds", town.find("resident-id", str(one.values["id-number"])))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    found = msgspec.json.decode(answer.body, type=reads.Found)
    assert found.records == [one.handle.hex()]
    assert receipt_holds(town, found.entry, found.receipt, entry.FindEntry).purpose == "confirm"


def test_nobody_found_is_an_answer_too(town: Town) -> None:
    answer = town.post("/v1/finds", town.find("phone", "+8613800138000"))
    assert (answer.status, answer.json()["records"]) == (200, [])


def test_records_are_shown_as_named_and_masked_and_nothing_else(town: Town, people: list[Person]) -> None:
    handles = [one.handle for one in people[:3]]
    answer = town.post("/v1/disclosures", town.disclose(handles, ["born", "name"]))
    assert answer.status == 200, answer.body
    found = msgspec.json.decode(answer.body, type=reads.Disclosed)
    assert [one.handle for one in found.records] == [one.hex() for one in handles]
    for one, person in zip(found.records, people[:3], strict=True):
        assert one.fields == {"born": str(person.values["born"])[:4], "name": person.values["name"]}
    assert receipt_holds(town, found.entry, found.receipt, entry.DisclosureEntry).count == 3


def test_a_question_is_answered_without_the_value(town: Town, people: list[Person]) -> None:
    one = people[1]
    signed = town.check([one.handle], "name", "matches", str(one.values["name"]))
    answer = town.post("/v1/checks", signed)
    assert answer.status == 200, answer.body
    assert answer.json()["records"] == [{"handle": one.handle.hex(), "answer": True}]
    assert str(one.values["name"]) not in answer.body.decode()


def test_records_go_in_are_corrected_and_erased_and_certified(town: Town) -> None:
    records: list[dict[str, str | None]] = [
        {"id-number": "110105194912310021", "name": "Ouyang Example", "born": "1949-12-31", "phone": "13800138011"},
        {"id-number": "11010519491231002X", "name": "Sima Example", "email": None},
    ]
    # The first number's check digit is wrong: all or none.
    answer = town.post("/v1/records", writes.Records(ask=town.intake(4), records=records))
    said = answer.problem(422, "rows")
    assert [(one["row"], one["field"]) for one in said["rows"]] == [(1, "id-number")]
    assert "Ouyang" not in answer.body.decode()
    assert "1101" not in answer.body.decode()
    answer = town.post("/v1/records", writes.Records(ask=town.intake(2), records=records[1:]))
    assert answer.status == 201, answer.body
    stored = msgspec.json.decode(answer.body, type=writes.Stored)
    assert receipt_holds(town, stored.entries[-1], stored.receipt, entry.IntakeEntry).count == 2
    handle = bytes.fromhex(stored.records[0])
    found = town.post("/v1/finds", town.find("resident-id", "11010519491231002X")).json()
    assert found["records"] == stored.records

    asker = town.asker("rui")
    correction = evidence(
        asker.correct(
            "residents", "amend", [handle], {"name": "Sima Other", "phone": "13800138012"}, CASE, REASON, now()
        )
    )
    answer = town.post("/v1/corrections", writes.Correction(ask=correction))
    answer.problem(422, "input")  # identifiers are to be indexed anew, and no intake ask came with it
    answer = town.post("/v1/corrections", writes.Correction(ask=correction, intake=town.intake(2)))
    assert answer.status == 200, answer.body
    corrected = msgspec.json.decode(answer.body, type=writes.Corrected)
    assert corrected.records == [writes.Version(handle=handle.hex(), version=2)]
    receipt_holds(town, corrected.entry, corrected.receipt, entry.CorrectionEntry)
    assert town.post("/v1/disclosures", town.disclose([handle])).json()["records"][0]["fields"] == {
        "name": "Sima Other"
    }

    erase = evidence(asker.erase("residents", "forget", [handle], CASE, REASON, now()))
    answer = town.post("/v1/erasures", erase)
    assert answer.status == 200, answer.body
    erased = msgspec.json.decode(answer.body, type=writes.Erased)
    assert erased.records == [handle.hex()]
    receipt_holds(town, erased.entry, erased.receipt, entry.ErasureEntry)
    town.post("/v1/disclosures", town.disclose([handle])).problem(422, "input")

    answer = town.get(f"/v1/erasures/{erased.entry}?record={handle.hex()}")
    assert answer.status == 200, answer.body
    genesis = bytes.fromhex(town.get("/v1/room").json()["genesis"])
    verdict = certificate.verify(answer.json()["certificate"].encode(), genesis=genesis, log=None)
    assert [(one.handle, one.entry) for one in verdict.records] == [(handle, erased.entry)]
    assert answer.json()["final"] is verdict.final is False
    town.get(f"/v1/erasures/{erased.entry - 1}?record={handle.hex()}").problem(404, "not-found")
    town.get(f"/v1/erasures/{erased.entry}?record={'0' * 32}").problem(403, "record")
    town.get(f"/v1/erasures/{erased.entry}").problem(400, "malformed")


def test_the_room_says_which_it_is(town: Town) -> None:
    found, charter = town.get("/v1/room").json(), town.get("/v1/charter").json()
    assert (found["name"], found["charter"]) == ("riverton.example", charter["hash"])
    note.verifier(found["log"])
    assert json.loads(charter["document"])["name"] == "riverton.example"


def test_charters_come_a_page_at_a_time(town: Town) -> None:
    found, cursor = [], "0"
    while cursor:
        page = town.get(f"/v1/charters?limit=2&cursor={cursor}").json()
        assert len(page["charters"]) <= 2
        found += page["charters"]
        cursor = page.get("next", "")
    assert [one["version"] for one in found] == list(range(1, len(found) + 1))
    assert found[-1]["hash"] == town.get("/v1/charter").json()["hash"]
    assert town.get("/v1/charters?cursor=99999").json() == {"charters": []}


def test_the_ledger_is_read_from_a_cursor_on(town: Town) -> None:
    size, seen, path = town.get("/v1/room").json()["size"], [], "/v1/entries?limit=2"
    while path:
        answer = town.get(path)
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        seen += answer.lines()
        link = answer.headers["Link"] or ""
        path = link.partition(">")[0].removeprefix("<")
    assert [one["entry"] for one in seen] == list(range(size))
    for one in seen:
        entry.parse(one["text"].encode())


def test_retention_says_what_each_holding_keeps(town: Town) -> None:
    found = {one["name"]: one for one in town.get("/v1/retention").json()["holdings"]}
    assert found.keys() == {"residents", "calls"}
    assert found["residents"]["retention"] == 3650
    assert found["residents"]["records"] >= 12


def test_no_receipt_of_what_is_not_there(town: Town) -> None:
    town.get("/v1/receipts/999999").problem(404, "not-found")
    town.get("/v1/receipts/" + "9" * 15).problem(404, "not-found")
    for path in ("/v1/receipts/-1", "/v1/receipts/x", "/v1/receipts/" + "9" * 16, "/v1/receipts/1/2"):
        town.get(path).problem(404, "not-found")


# --- what is no request -------------------------------------------------------------------------------------------------
def test_no_such_path_or_method(town: Town) -> None:
    town.get("/").problem(404, "not-found")
    town.get("/v1/../etc/passwd").problem(404, "not-found")
    answer = town.get("/v1/finds")
    answer.problem(405, "method")
    assert answer.headers["Allow"] == "POST"
    town.call("DELETE", "/v1/room").problem(405, "method")


@pytest.mark.parametrize("path", [*ASKED, "/v1/records", "/v1/corrections", "/v1/exports"])
def test_what_is_not_read_is_said_so(town: Town, path: str) -> None:
    town.call("POST", path, b"{}").problem(415, "media-type")
    town.call("POST", path, b"{}", {"Content-Type": "text/plain"}).problem(415, "media-type")
    for body in (b"", b"{", b"[]", b"null", b'"a"', b"{}", b"\xff\xfe", b'{"ask": 1}', b'{"a":' * 5000, b"[" * 200_000):
        answer = town.post(path, body)
        said = answer.problem(400, "malformed")
        assert "\\" not in said["detail"]
    answer = town.post(path, b'{"zhang-san-13800138000": 1}')
    answer.problem(400, "malformed")
    assert b"zhang" not in answer.body


@pytest.mark.parametrize("path", ASKED)
def test_a_body_has_an_end(town: Town, path: str) -> None:
    answer = town.post(path, b'{"ask": "' + b"a" * 300_000 + b'"}')
    answer.problem(413, "too-large")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "cursor=-1", "cursor=x", "limit=1&limit=2", "li%6Eit=1", "name=Zhang"]
)
def test_a_query_that_is_none(town: Town, query: str) -> None:
    answer = town.get(f"/v1/charters?{query}")
    answer.problem(400, "malformed")
    assert b"Zhang" not in answer.body


# --- what is no ask -----------------------------------------------------------------------------------------------------
def test_an_ask_of_another_action(town: Town, people: list[Person]) -> None:
    disclose = town.disclose([people[0].handle])
    for path in ("/v1/finds", "/v1/checks", "/v1/erasures"):
        town.post(path, disclose).problem(400, "ask")
    town.post("/v1/disclosures", town.find("phone", "13800138000")).problem(400, "ask")
    town.post("/v1/records", writes.Records(ask=disclose, records=[{}])).problem(400, "ask")
    town.post("/v1/exports", writes.Export(ask=disclose)).problem(400, "ask")
    town.post("/v1/corrections", writes.Correction(ask=disclose)).problem(400, "ask")


def test_an_ask_that_was_tampered_with(town: Town, people: list[Person]) -> None:
    good = town.disclose([people[0].handle])
    change = msgspec.structs.replace
    size = town.get("/v1/room").json()["size"]
    town.post("/v1/disclosures", change(good, signature=bytes(64))).problem(403, "signature")
    town.post("/v1/disclosures", change(good, ask=good.ask + " ")).problem(400, "ask")
    town.post("/v1/disclosures", change(good, ask=good.ask.replace("disclose", "Zhang-San"))).problem(400, "ask")
    town.post("/v1/disclosures", change(good, ask=good.ask.replace('"name"', '"phone"'))).problem(403, "signature")
    town.post("/v1/disclosures", change(good, private=good.private.replace(CASE, "case-18"))).problem(400, "ask")
    town.post("/v1/disclosures", change(good, private="{}")).problem(400, "ask")
    town.post("/v1/disclosures", change(good, ask="\ud800".encode("utf-8", "replace").decode())).problem(400, "ask")
    extra = asks.Countersignature(reader=bytes(16), signature=bytes(64))
    town.post("/v1/disclosures", change(good, countersignatures=[extra])).problem(403, "countersign")
    # None of these was an ask of a reader's: nobody fills the ledger by making them up.
    assert town.get("/v1/room").json()["size"] == size
    assert town.post("/v1/disclosures", good).status == 200


def test_a_stranger_asks(town: Town, people: list[Person]) -> None:
    asker = replace(town.asker(), device=device.Device("nobody", Ed25519PrivateKey.generate()))
    signed = asker.disclose("residents", "confirm", [people[0].handle], ["name"], CASE, REASON, now())
    town.post("/v1/disclosures", evidence(signed)).problem(403, "reader")


def test_an_ask_under_another_charter_or_of_another_time(town: Town, people: list[Person]) -> None:
    asker = town.asker()
    other = replace(asker, charter=bytes(32))
    make = ("residents", "confirm", [people[0].handle], ["name"], CASE, REASON)
    town.post("/v1/disclosures", evidence(other.disclose(*make, now()))).problem(409, "charter")
    town.post("/v1/disclosures", evidence(asker.disclose(*make, now() - 3600))).problem(409, "stale")
    town.post("/v1/disclosures", evidence(asker.disclose(*make, now() + 3600))).problem(409, "early")
    town.post("/v1/disclosures", evidence(replace(asker, room=bytes(16)).disclose(*make, now()))).problem(403, "room")


@pytest.mark.parametrize(
    ("code", "purpose", "fields", "reason"),
    [
        ("purpose", "stalk-zhang", ["name"], REASON),
        ("field", "confirm", ["phone"], REASON),
        ("field", "confirm", ["zhang-san"], REASON),
        ("reason", "confirm", ["name"], "zhang zhang zhang"),
        ("role", "register", ["name"], REASON),
    ],
)
def test_what_the_gate_refuses_is_in_the_ledger(
    town: Town, people: list[Person], code: str, purpose: str, fields: list[str], reason: str
) -> None:
    signed = town.asker().disclose("residents", purpose, [people[0].handle], fields, CASE, reason, now())
    if code == "role":
        code = "purpose"  # it has no such action, which is looked at before
    answer = town.post("/v1/disclosures", evidence(signed))
    said = answer.problem(403, code)
    written = entry.parse(town.get(f"/v1/receipts/{said['entry']}").json()["text"].encode())
    assert isinstance(written, entry.RefusalEntry)
    assert (written.code, written.by, written.commitment) == (code, "vault", asks.ask_hash(signed.text))
    assert b"zhang" not in answer.body


def test_a_spent_budget_is_in_the_ledger_too(town: Town, people: list[Person]) -> None:
    one = people[5]
    for _ in range(5):
        assert town.post("/v1/checks", town.check([one.handle], "born", "adult", None)).status == 200
    signed = town.check([one.handle], "born", "adult", None)
    answer = town.post("/v1/checks", signed)
    said = answer.problem(429, "budget")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    written = entry.parse(town.get(f"/v1/receipts/{said['entry']}").json()["text"].encode())
    assert isinstance(written, entry.RefusalEntry)
    assert (written.code, written.by) == ("budget", "keyholder")


def test_what_is_not_here(town: Town) -> None:
    said = town.post("/v1/disclosures", town.disclose([bytes(16)])).problem(422, "input")
    assert said["detail"] == "not in residents: 1 of the records named"


def test_a_value_that_no_field_could_have(town: Town, people: list[Person]) -> None:
    answer = town.post("/v1/finds", town.find("resident-id", "zhang san"))
    answer.problem(422, "value")
    assert b"zhang" not in answer.body
    town.post("/v1/finds", town.find("resident-id", "")).problem(422, "value")
    answer = town.post("/v1/checks", town.check([people[0].handle], "phone", "matches", "zhang"))
    answer.problem(422, "value")
    assert b"zhang" not in answer.body


def test_too_many_records_for_one_ask(town: Town) -> None:
    handles = [number.to_bytes(16, "big") for number in range(1000)]
    # As many as an entry has tags; they are not here, which is looked at first.
    town.post("/v1/disclosures", town.disclose(handles)).problem(422, "input")


def test_a_reader_is_told_what_is_left(town: Town, people: list[Person]) -> None:
    reader = town.device("eva").reader.hex()
    path = f"/v1/budgets?purpose=confirm&holding=residents&reader={town.device().reader.hex()}"

    def left() -> dict[str, int]:
        return {one["scope"]: one["left"] for one in town.get(path).json()["budgets"]}

    before = left()
    assert before.keys() == {"reader", "room"}
    assert town.post("/v1/disclosures", town.disclose([one.handle for one in people[:4]])).status == 200
    assert [before[scope] - left()[scope] for scope in ("reader", "room")] == [4, 4]
    # One that takes in shows nobody anything: it has its own alone.
    own = f"/v1/budgets?purpose=register&holding=residents&reader={reader}"
    assert [(one["scope"], one["rate"]) for one in town.get(own).json()["budgets"]] == [("reader", "100000/day")]
    town.get(own.replace("register", "zhang")).problem(403, "purpose")
    town.get(own.replace("residents", "calls")).problem(403, "holding")
    town.get(own.replace(reader, "0" * 32)).problem(403, "reader")
    town.get("/v1/budgets?purpose=register").problem(400, "malformed")
