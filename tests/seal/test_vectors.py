"""``vectors/seal-*.json`` are what this program writes, and what others can rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.seal import by_hand, made, make_vectors

from strongroom.errors import StrongroomError
from strongroom.seal import body, slot
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.label import label
from strongroom.seal.padding import unpad
from strongroom.seal.person import HoldingKeys

FILES = sorted(path.name for path in make_vectors.VECTORS.glob("seal-*.json"))


def load(name: str) -> Any:
    return json.loads((make_vectors.VECTORS / name).read_text("utf-8"))


FAILURES = [(kind, case) for kind in ("open", "body", "unpad") for case in load("seal-failures.json")[kind]]


def test_the_files_are_what_is_written_now() -> None:
    assert {name: load(name) for name in FILES} == json.loads(json.dumps(make_vectors.vectors()))
    assert len(FILES) == 4
    assert len(FAILURES) >= 20


def attempt(kind: str, case: dict[str, Any]) -> None:
    if kind == "body":
        body.parse(bytes.fromhex(case["body"]))
    elif kind == "unpad":
        unpad(bytes.fromhex(case["padded"]))
    else:
        share, handle, blob = (bytes.fromhex(case[name]) for name in ("share", "handle", "blob"))
        open_compartment(made.KEYS, share, handle, case["version"], case["compartment"], blob)


@pytest.mark.parametrize(("kind", "case"), FAILURES, ids=[f"{kind}: {case['name']}" for kind, case in FAILURES])
def test_what_must_fail_fails_for_its_reason(kind: str, case: dict[str, Any]) -> None:
    with pytest.raises(StrongroomError) as caught:
        attempt(kind, case)
    assert caught.value.code == case["error"]


def test_the_record_opens_from_what_the_two_houses_hold() -> None:
    """Only keys, the sealed batch secret and the body go in; the library's own HPKE stays out."""
    record = load("seal-record.json")
    room, holding, handle = (bytes.fromhex(record[name]) for name in ("room", "holding", "handle"))
    keys = HoldingKeys(bytes.fromhex(record["KH"]), room, holding)
    info = label("batch") + room + bytes.fromhex(record["keyholder"]) + holding + record["epoch"].to_bytes(4, "big")
    b = by_hand.decrypt(bytes.fromhex(record["epoch_private"]), info, bytes.fromhex(record["sealed"])[1:])
    slots = body.parse(bytes.fromhex(record["body"]))
    for found, wanted in zip(slots, record["slots"], strict=True):
        place = (handle, record["version"], found.compartment)
        who = slot.unmask(b, found.masked, *place)
        opened = open_compartment(keys, slot.share(b, who, *place), *place, found.blob, {"sex"})
        assert (who.hex(), opened) == (record["who"], wanted["fields"])
