"""Budgets at every scope and rate: exactly N, then refused; refilled by ledger time alone (SPEC.md 8.5)."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.houses import Houses, change

from strongroom.catalog.model import Charter, PurposeBudgets, RoomBudgets
from strongroom.client import device
from strongroom.custody import ceremony
from strongroom.keyholder import protocol

MANY = "1000/day"


def _enact(houses: Houses, **scopes: str) -> None:
    """A charter in which only ``scopes`` are tight."""

    def tighten(charter: Charter) -> Charter:
        purposes = {}
        for name, purpose in charter.purposes.items():
            own = {scope: [scopes.get(scope, MANY)] for scope in ("reader", "unit", "record", "purpose")}
            purposes[name] = change(purpose, budgets=PurposeBudgets(**own))
        budgets = RoomBudgets(room=[scopes.get("room", MANY)], holdings={"residents": [scopes.get("holding", MANY)]})
        return change(charter, purposes=purposes, budgets=budgets)  # type: ignore[no-any-return]

    room = houses.town.room
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    ceremony.amend(room, steward, tighten, ceremony.latest_roster(room))


def _read(houses: Houses, count: int = 1, **how: Any) -> None:
    houses.send(houses.disclose(houses.ask(count, **how), (1,)))


@pytest.mark.parametrize("scope", ["reader", "unit", "purpose", "holding", "room"])
def test_exactly_n_and_then_no_more(houses: Houses, scope: str) -> None:
    _enact(houses, **{scope: "5/hour"})
    _read(houses, 3)
    _read(houses, 2)
    with houses.refused("budget", written=True):
        _read(houses, 1)
    houses.town.hands.wait(719)
    with houses.refused("budget", written=True):
        _read(houses, 1)
    houses.town.hands.wait(1)
    _read(houses, 1)
    with houses.refused("budget", written=True):
        _read(houses, 1)


@pytest.mark.parametrize(("rate", "seconds"), [("2/second", 1), ("2/minute", 30), ("2/hour", 1800), ("2/day", 43200)])
def test_every_rate_refills_at_its_own_pace(houses: Houses, rate: str, seconds: int) -> None:
    _enact(houses, room=rate)
    _read(houses, 2)
    with houses.refused("budget", written=True):
        _read(houses, 1)
    houses.town.hands.wait(seconds)
    _read(houses, 1)


def test_a_find_costs_one_and_an_intake_nothing_of_the_rooms(houses: Houses) -> None:
    _enact(houses, room="1/hour")
    town = houses.town
    houses.send(houses.intake(houses.window(50), [os.urandom(32) for _ in range(50)]))
    signed = town.asker().find("residents", "confirm", "phone", "x", "c", "a reason", town.room.now())
    houses.send(houses.find(signed))
    with houses.refused("budget", written=True):
        _read(houses, 1)


def test_an_intake_costs_its_identifiers_in_its_purpose(houses: Houses) -> None:
    _enact(houses, reader="60/day")
    houses.send(houses.intake(houses.window(100), [os.urandom(32) for _ in range(60)]))
    with houses.refused("budget", written=True):
        houses.send(houses.intake(houses.window(100), [os.urandom(32)]))


def test_more_than_a_bucket_ever_holds_takes_nothing(houses: Houses) -> None:
    _enact(houses, reader="5/hour")
    with houses.refused("budget", written=True):
        _read(houses, 6)
    _read(houses, 5)


def test_one_full_bucket_and_one_empty_debit_neither(houses: Houses) -> None:
    """The last scope refuses; ``refused`` sees that the four before it kept their level."""
    _enact(houses, room="2/hour")
    _read(houses, 1)
    with houses.refused("budget", written=True):
        _read(houses, 2)


def test_one_readers_spree_is_not_another_readers(houses: Houses) -> None:
    bea = device.create(houses.town.root / "people" / "bea.device", "bea", os.urandom)
    room = houses.town.room
    ceremony.enrol_reader(
        room, ceremony.load_steward(houses.town.root / "steward" / "steward.key"), bea.public, "clerk", "registry"
    )
    _enact(houses, reader="2/hour")
    _read(houses, 2)
    with houses.refused("budget", written=True):
        _read(houses, 1)
    # Ana cannot have Bea's: the ask names its reader, whose device signs.
    forged = houses.sign(change(houses.ask().ask, reader=bea.reader))
    with houses.refused("signature", written=False):
        houses.send(houses.disclose(forged))
    houses.send(houses.disclose(houses.town.ask(houses.handles[:2], name="bea")))


def test_a_clock_that_is_moved_refills_nothing(houses: Houses) -> None:
    _enact(houses, room="2/hour")
    _read(houses, 2)
    asked = houses.good()
    for seconds in (3600, -7200):
        houses.town.hands.jump(seconds)
        with houses.refused("clock", written=False):
            houses.send(asked)
    houses.town.hands.jump(3600)
    with houses.refused("budget", written=True):
        houses.send(asked)


def test_steps_within_the_tolerance_do_not_add_up(houses: Houses) -> None:
    asked = houses.good()
    houses.town.hands.jump(59)
    houses.town.keyholder.tick()
    houses.town.hands.jump(59)
    with houses.refused("clock", written=False):
        houses.send(asked)
    houses.town.hands.jump(-118)


def test_a_restart_does_not_refill(houses: Houses) -> None:
    _enact(houses, room="2/hour")
    _read(houses, 2)
    houses.town.restart_keyholder()
    with houses.refused("budget", written=True):
        _read(houses, 1)


def test_status_under_a_clock_that_is_wrong(houses: Houses) -> None:
    houses.town.hands.jump(100)
    with houses.refused("clock", written=False):
        houses.send(protocol.Plain(**houses.town.room.common()), "/v1/status")
    houses.town.hands.jump(-100)
