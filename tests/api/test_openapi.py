"""The OpenAPI document: whole, valid, and each of its examples what its schema says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from strongroom.api import reads, writes
from strongroom.gate import ask as asks
from strongroom.ledger import proof
from strongroom.service import asks as wire
from strongroom.service import examples, openapi
from strongroom.service.identity import caller, described
from strongroom.service.problems import CODES
from strongroom.service.routes import ROUTES

DOCUMENT: dict[str, Any] = json.loads(openapi.document(ROUTES))
OPERATIONS = [(path, method, said) for path, methods in DOCUMENT["paths"].items() for method, said in methods.items()]
NAMES = [said["operationId"] for _, _, said in OPERATIONS]


def valid(value: Any, schema: dict[str, Any]) -> None:
    jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(value)


def contents(said: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = list(said.get("requestBody", {}).get("content", {}).items())
    for answer in said["responses"].values():
        found += answer["content"].items()
    return found


def test_each_route_is_in_it_and_nothing_else() -> None:
    login = {(path, method.upper()) for path, methods in described.paths().items() for method in methods}
    assert {(path, method.upper()) for path, method, _ in OPERATIONS} == {
        (one.path, one.method) for one in ROUTES
    } | login
    assert len(set(NAMES)) == len(NAMES)
    assert DOCUMENT["openapi"] == "3.1.0"


@pytest.mark.parametrize("said", [said for _, _, said in OPERATIONS], ids=NAMES)
def test_examples_are_what_their_schemas_say(said: dict[str, Any]) -> None:
    shown = 0
    for kind, content in contents(said):
        jsonschema_rs.meta.validate(content["schema"] | {"components": DOCUMENT["components"]})
        if "example" not in content:
            assert kind == "application/problem+json"
            continue
        shown += 1
        if kind == "application/x-ndjson":
            lines = [json.loads(line) for line in content["example"].splitlines()]
            assert lines
            for line in lines if "x-itemSchema" in content["schema"] else []:
                valid(line, content["schema"]["x-itemSchema"])
        else:
            valid(content["example"], content["schema"])
    assert shown >= 1 + ("requestBody" in said)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_examples_are_what_the_vault_reads_and_writes(route: Any) -> None:
    sent, answered = examples.made()
    if route.body is not None:
        again = msgspec.json.decode(msgspec.json.encode(sent[route.name]), type=route.body)
        assert again == sent[route.name]
    for line in answered[route.name]:
        assert msgspec.json.decode(msgspec.json.encode(line), type=route.answer) == line
        if (receipt := getattr(line, "receipt", None)) is not None:
            assert proof.parse(receipt).index == getattr(line, "entry", None) or getattr(line, "entries", [-1])[-1]


def test_the_asks_of_examples_are_signed() -> None:
    sent, _ = examples.made()
    kinds: dict[str, type[asks.Ask]] = {
        "find": asks.FindAsk,
        "disclose": asks.DiscloseAsk,
        "check": asks.CheckAsk,
        "erase": asks.EraseAsk,
    }
    for name, kind in kinds.items():
        evidence = sent[name]
        assert isinstance(evidence, asks.Evidence)
        wire.signed(evidence, kind)
    correction, export = sent["correct"], sent["export"]
    assert isinstance(correction, writes.Correction)
    wire.signed(correction.ask, asks.CorrectAsk)
    assert isinstance(export, writes.Export)
    wire.signed(export.ask, asks.ExportAsk)


def test_every_code_has_one_status_and_a_title() -> None:
    # A client tells by the code alone.
    assert not CODES.keys() & caller.CODES.keys()
    for code, known in CODES.items():
        assert code == code.lower()
        assert 400 <= known.status < 600
        assert (known.after is not None) >= (known.status == 503)
    for route in ROUTES:
        for code in route.codes:
            assert code in CODES or code in caller.CODES, code


def test_an_answer_may_have_members_of_a_later_release() -> None:
    said = b'{"records":[],"entry":1,"receipt":"","later":true}'
    assert msgspec.json.decode(said, type=reads.Found).entry == 1


def test_a_request_may_not() -> None:
    sent, _ = examples.made()
    said = msgspec.json.encode(sent["store"])[:-1] + b',"later":true}'
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(said, type=writes.Records)


def test_where_an_answer_may_say_when_to_come_again() -> None:
    found = DOCUMENT["paths"]["/v1/disclosures"]["post"]["responses"]
    assert {status for status, one in found.items() if "headers" in one} == {"429", "503"}
    assert set(found["429"]["headers"]) == {"Retry-After"}
