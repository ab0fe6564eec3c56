"""Whether an entry is of an ask: one good entry of each action, and one thing about it changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.client import believe
from strongroom.client.device import Asker, Device, SignedAsk, countersign
from strongroom.errors import EntryError
from strongroom.gate import ask as asks
from strongroom.ledger import entry

NOW = 1_795_000_000
_NAME = Device("ana", Ed25519PrivateKey.from_private_bytes(bytes(32)))
_OTHER = Device("eva", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
_ASKER = Asker(_NAME, bytes(16), bytes(32), bytes)
_WHY = ("case-17", "confirming an application for a passport", NOW)
_TWO = [bytes([1]) * 16, bytes([2]) * 16]

ASKS: dict[type, SignedAsk] = {
    entry.FindEntry: _ASKER.find("residents", "confirm", "phone", "+8613012345678", *_WHY),
    entry.DisclosureEntry: _ASKER.disclose("residents", "confirm", _TWO, ["name"], *_WHY),
    entry.CheckEntry: _ASKER.check("residents", "confirm", _TWO, "born", "adult", None, *_WHY),
    entry.CorrectionEntry: _ASKER.correct("residents", "confirm", _TWO, {"name": "A"}, *_WHY),
    entry.ErasureEntry: _ASKER.erase("residents", "confirm", _TWO, *_WHY),
    entry.IntakeEntry: _ASKER.intake("residents", "confirm", 10, NOW + 3600, *_WHY),
    entry.ExportEntry: _ASKER.export("residents", "confirm", ["name"], 10, NOW + 3600, *_WHY),
}
OPENED = (entry.DisclosureEntry, entry.CheckEntry, entry.CorrectionEntry, entry.ExportEntry)
WINDOWED = (entry.IntakeEntry, entry.ExportEntry)


def good(kind: type, signed: SignedAsk) -> Any:
    made: dict[str, Any] = {
        "v": 1,
        "time": NOW + 1,
        "asker": bytes(12),
        "charter": bytes(32),
        "commitment": asks.ask_hash(signed.text),
        "countersigners": [bytes([at]) * 12 for at in range(len(signed.countersignatures))],
        "holding": "residents",
        "purpose": "confirm",
        "role": "clerk",
        "unit": "registry",
        "count": 1 if kind is entry.FindEntry else 2,
        "tags": [bytes([1]) * 16] if kind is entry.FindEntry else [bytes([at]) * 16 for at in (1, 2)],
    }
    if kind in OPENED:
        made["compartments"] = [1]
    if kind is entry.ErasureEntry:
        made |= {"epochs": [20_800], "marks": _TWO}
    return kind(**made)


def of_ask(kind: Any, item: entry.Entry, signed: SignedAsk, opened: frozenset[int] = frozenset()) -> entry.Entry:
    found: entry.Entry = believe.of_ask(17, entry.encode(item), signed, kind, opened)
    return found


@pytest.mark.parametrize("kind", ASKS)
def test_good_ones(kind: type) -> None:
    made = good(kind, ASKS[kind])
    assert of_ask(kind, made, ASKS[kind]) == made
    seconded = countersign(ASKS[kind], _OTHER)
    assert of_ask(kind, good(kind, seconded), seconded) == good(kind, seconded)


@pytest.mark.parametrize("kind", ASKS)
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"commitment": bytes(32)}, "not about this ask"),
        ({"charter": bytes([1]) * 32}, "not about this ask"),
        ({"holding": "calls"}, "not about this ask"),
        ({"purpose": "reach"}, "not about this ask"),
        ({"countersigners": [bytes(12)]}, "countersigned"),
        ({"time": NOW - 31}, "outside the time"),
        ({"time": NOW + 3601}, "outside the time"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_one_thing_changed(kind: type, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(EntryError, match=why):
        of_ask(kind, msgspec.structs.replace(good(kind, ASKS[kind]), **changed), ASKS[kind])


@pytest.mark.parametrize("kind", ASKS)
def test_when_it_is_too_late(kind: type) -> None:
    late = msgspec.structs.replace(good(kind, ASKS[kind]), time=NOW + 121)
    if kind in WINDOWED:
        assert of_ask(kind, late, ASKS[kind]) == late
    else:
        with pytest.raises(EntryError, match="outside the time"):
            of_ask(kind, late, ASKS[kind])


@pytest.mark.parametrize("kind", [entry.DisclosureEntry, entry.CheckEntry, entry.CorrectionEntry])
def test_more_or_fewer_records(kind: type) -> None:
    for count in (1, 3):
        tags = [bytes([at]) * 16 for at in range(count)]
        with pytest.raises(EntryError, match="as many records"):
            of_ask(kind, msgspec.structs.replace(good(kind, ASKS[kind]), count=count, tags=tags), ASKS[kind])


def test_more_compartments_than_the_fields_lie_in() -> None:
    kind, signed = entry.DisclosureEntry, ASKS[entry.DisclosureEntry]
    made = msgspec.structs.replace(good(kind, signed), compartments=[1, 3])
    assert of_ask(kind, made, signed, frozenset({1, 2, 3})) == made
    with pytest.raises(EntryError, match="more was opened"):
        of_ask(kind, made, signed, frozenset({1, 2}))


@pytest.mark.parametrize("kind", ASKS)
def test_another_kind_of_entry(kind: type) -> None:
    others: list[Callable[[], entry.Entry]] = [
        lambda: entry.HeartbeatEntry(v=1, time=NOW),
        lambda: good(next(one for one in ASKS if one is not kind), ASKS[kind]),
    ]
    for other in others:
        with pytest.raises(EntryError, match="not of the kind"):
            of_ask(kind, other(), ASKS[kind])


def test_a_refusal_is_no_answer() -> None:
    signed = ASKS[entry.FindEntry]
    members = msgspec.structs.asdict(good(entry.FindEntry, signed))
    refused = entry.RefusalEntry(
        **{name: members[name] for name in members if name not in ("count", "tags")}, by="vault", code="reason"
    )
    with pytest.raises(EntryError, match="not of the kind"):
        of_ask(entry.FindEntry, refused, signed)
