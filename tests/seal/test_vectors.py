"""``vectors/seal-*.json`` are what this program writes, and what others can rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.seal import by_hand, made, make_vectors

from strongroom.errors import StrongroomError
from strongroom.seal import batch, body, hpke, slot
from strongroom.seal.cleartext import open_compartment
from strongroom.seal.label import label
from strongroom.seal.padding import unpad
from strongroom.seal.person import HoldingKeys

FILES = sorted(path.name for path in make_vectors.VECTORS.glob("seal-*.json"))


def load(name: str) -> Any:
    return json.loads((make_vectors.VECTORS / name).read_text("utf-8"))


FAILURES = [(kind, case) for kind in ("open", "body", "unpad", "secret") for case in load("seal-failures.json")[kind]]


def test_the_files_are_what_is_written_now() -> None:
    assert {name: load(name) for name in FILES} == json.loads(json.dumps(make_vectors.vectors()))
    assert len(FILES) == 4
    assert len(FAILURES) >= 38


def attempt(kind: str, case: dict[str, Any]) -> None:
    if kind == "body":
        body.parse(bytes.fromhex(case["body"]))
    elif kind == "unpad":
        unpad(b"".join(bytes.fromhex(byte) * count for byte, count in case["padded"]))
    elif kind == "secret":
        room, keyholder, holding, members = (
            bytes.fromhex(case[name]) for name in ("room", "keyholder", "holding", "members")
        )
        bound = batch.Bound(room, keyholder, holding, case["epoch"], case["expires"], members)
        private = hpke.private_from(bytes.fromhex(case["epoch_private"]))
        batch.open_batch_secret(private, bound, bytes.fromhex(case["sealed"]))
    else:
        share, handle, blob = (bytes.fromhex(case[name]) for name in ("share", "handle", "blob"))
        open_compartment(made.KEYS, share, handle, case["version"], case["compartment"], blob)


@pytest.mark.parametrize(("kind", "case"), FAILURES, ids=[f"{kind}: {case['name']}" for kind, case in FAILURES])
def test_what_must_fail_fails_for_its_reason(kind: str, case: dict[str, Any]) -> None:
    with pytest.raises(StrongroomError) as caught:
        attempt(kind, case)
    assert caught.value.code == case["error"]


def info(record: dict[str, Any], step: dict[str, Any]) -> bytes:
    names = b"".join(bytes.fromhex(record[name]) for name in ("room", "keyholder", "holding"))
    days = b"".join(int(one).to_bytes(4, "big") for one in (step["epoch"], record["expires"]))
    return label("batch") + names + days + bytes.fromhex(step["members"])


def test_the_record_opens_from_what_the_two_houses_hold() -> None:
    """Only keys, the sealed batch secret, the delta and the body go in; the library's own HPKE stays out. The same before
    and after each resealing; and each time the one that was erased has no delta any more."""
    record = load("seal-record.json")
    room, holding, handle = (bytes.fromhex(record[name]) for name in ("room", "holding", "handle"))
    keys, slots = HoldingKeys(bytes.fromhex(record["KH"]), room, holding), body.parse(bytes.fromhex(record["body"]))
    (place,) = slot.places([handle], [record["version"]])
    steps = [record, *record["resealed"]]
    assert [len(one.get("erased", ())) for one in steps] == [0, 0, 1, 1]
    for step in steps:
        private, sealed = bytes.fromhex(step["epoch_private"]), bytes.fromhex(step["sealed"])
        b = by_hand.decrypt(private, info(record, step), sealed[1:])
        places = step.get("places") or step["deltas"]
        assert by_hand.members(map(bytes.fromhex, places)).hex() == step["members"]
        assert not set(step.get("erased", ())) & set(places)
        delta = bytes.fromhex(step.get("deltas", {}).get(place.hex(), "")) or bytes(32)
        for found, wanted in zip(slots, record["slots"], strict=True):
            who, share = by_hand.release(b, place, delta, found.masked, found.compartment)
            at = (handle, record["version"], found.compartment)
            opened = open_compartment(keys, share, *at, found.blob, {"sex"})
            assert (who.hex(), opened) == (wanted["who"], wanted["fields"])
