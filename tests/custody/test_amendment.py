"""A charter that adds a holding: its key is drawn first, once, and kept whatever becomes of the charter (SPEC.md 6.5, 9)."""

from __future__ import annotations

import pytest
from tests import world
from tests.custody.life import mandate
from tests.world import World

from strongroom.catalog import source
from strongroom.custody import amendment, asking, ceremony
from strongroom.custody.buckets import bucket_root
from strongroom.errors import Refused, StoreError
from strongroom.seal.epoch import NEVER
from strongroom.seal.person import HoldingKeys

VISITS = """
  visits:
    about: Who came to the counter of that town.
    lawful-basis: Test Act, section 20
    retention: open-ended
    rotation: 14d
    compartments:
      visitor: {number: 1}
    fields:
      phone: {type: phone, region: CN, compartment: visitor, identifier: primary}
      why: {type: text, compartment: visitor}
purposes:
  greet:
    about: Take visits in.
    lawful-basis: Test Act, section 21
    actions: [intake]
    roles: [registrar]
    units: [registry]
    reads: {visits: {}}
  recall:
    about: See why somebody came.
    lawful-basis: Test Act, section 22
    actions: [disclose]
    roles: [clerk]
    units: [registry]
    reads: {visits: {why: clear}}
"""


def _source() -> source.Source:
    head, rest = world.CHARTER.split("purposes:\n", 1)
    return source.load(head.rstrip() + VISITS + rest, "charter.yaml")


def _apply(town: World, said: list[str] | None = None) -> None:
    town.room.sync()
    steward = ceremony.load_steward(town.root / "steward" / "steward.key")
    amendment.apply(town.room, steward, _source(), (said if said is not None else []).append)
    town.hands.wait(1)


def test_a_holding_is_added_and_used(town: World) -> None:
    before = {name: town.room.keys.holding(name).key for name in ("residents", "calls")}
    said: list[str] = []
    _apply(town, said)
    assert said == ["committing to a million bucket keys: visits, phone"]
    charter = town.room.rules().charter
    assert charter.buckets["visits"] == {"phone": bucket_root(town.room.keys.holding("visits"), "phone")}
    assert {name: town.room.keys.holding(name).key for name in before} == before
    (one,) = town.seal("visits", "greet", [{"phone": "+8613800000001", "why": "a passport"}])
    (found,) = asking.disclose(town.room, mandate(town, "recall", "visits"), [one.handle], ["why"])
    assert found.values == ({"why": "a passport"},)
    (row,) = town.room.store.latest(town.room.holding("visits"), [one.handle])
    assert row.expires == NEVER


def test_a_charter_that_is_refused_costs_no_key(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    roots: list[bytes] = []

    def root(keys: HoldingKeys, _: str) -> bytes:
        roots.append(keys.key)
        return bytes(32)

    monkeypatch.setattr(amendment, "bucket_root", root)
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> int:
            raise Refused("charter", "not signed by a steward")

        broken.setattr(town.room, "enter_charter", refuse)
        with pytest.raises(Refused):
            _apply(town)
    _apply(town)
    assert len(roots) == 2
    assert len(set(roots)) == 1
    assert (town.root / "vault" / "holdings" / "visits.key").read_bytes() == roots[0]


def test_a_lost_key_is_not_drawn_anew(town: World) -> None:
    """What is sealed, and the roots in the charter, are the old one's."""
    path = town.root / "vault" / "holdings" / "calls.key"
    kept = path.read_bytes()
    path.unlink()
    town.room.close()
    town.room = town.open_room()
    with pytest.raises(StoreError, match="no key for the holding calls"):
        _apply(town)
    assert not path.exists()
    path.write_bytes(kept)
    town.room.keys.holding("calls")
