"""Orders that come together: each is stored whole or not at all, under entries that say so, and each tells its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from tests.world import World

from strongroom.client.device import SignedAsk
from strongroom.custody.admit import Admitted, admitting
from strongroom.custody.receive import Order, Received, Receiver, parse
from strongroom.custody.room import Room
from strongroom.custody.steps import Steps
from strongroom.errors import KeyholderUnavailable, Refused, StoreError, StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.store.vault import VaultStore
from strongroom.synth import people

FIELDS = ("id-number", "name", "born", "sex", "phone", "email")


def persons(count: int, seed: int = 1) -> list[dict[str, str]]:
    return [{name: row[name] for name in FIELDS} for row in people.people(count, seed)]


def window(town: World, count: int, purpose: str = "register", holding: str = "residents") -> SignedAsk:
    now = town.room.now()
    return town.asker("rui").intake(
        holding, purpose, count, now + 3600, "register-1", "taking in the yearly register", now
    )


def order(town: World, signed: SignedAsk, rows: Sequence[dict[str, str]]) -> Order:
    assert signed.ask.holding in town.room.rules().charter.holdings
    parsed = parse(town.room.rules().charter.holdings[signed.ask.holding], rows)
    assert parsed.bad == []
    return Order(signed, parsed.columns)


def all_stored(found: Sequence[Received | StrongroomError]) -> list[Received]:
    taken = [one for one in found if isinstance(one, Received)]
    assert len(taken) == len(found), found
    return taken


def written(town: World, index: int) -> entry.IntakeEntry:
    item = entry.parse(town.room.mirror.entry(index))
    assert isinstance(item, entry.IntakeEntry)
    return item


def counted(town: World, path: str = "/v1/together") -> list[int]:
    """One for each call to the keyholder from now on."""
    calls: list[int] = []
    real = town.room.client._transport

    def counting(to: str, signature: bytes, body: bytes) -> bytes:
        if to == path:
            calls.append(len(body))
        return real(to, signature, body)

    town.room.client._transport = counting
    return calls


def count(town: World, holding: str = "residents") -> int:
    return {row.name: row.records for row in town.room.store.holdings()}.get(holding, 0)


def test_orders_of_one_ask_are_one_entry_one_batch_and_each_finds_its_own(town: World) -> None:
    rows, signed, calls = persons(6), window(town, 12), counted(town)
    parts = [rows[:1], rows[1:4], rows[4:]]
    found = all_stored(Receiver(town.room).receive([order(town, signed, part) for part in parts]))
    assert [len(one.handles) for one in found] == [1, 3, 2]
    ((index,),) = {one.entries for one in found}
    assert (written(town, index).count, len(calls), town.room.store.count_batches()) == (12, 1, 1)
    assert len({one.receipt for one in found}) == 1
    for part, one in zip(parts, found, strict=True):
        for row, handle in zip(part, one.handles, strict=True):
            assert town.find("resident-id", row["id-number"]).handles == (handle,)
            (values,) = town.disclose([handle]).values
            assert values["name"] == row["name"]


def test_orders_of_several_asks_and_holdings_go_together(town: World) -> None:
    call = {"caller": "13800138000", "callee": "", "tower": "t", "day": "2026-11-02", "seconds": "60"}
    calls = counted(town)
    orders = [
        order(town, window(town, 4), persons(2)),
        order(town, window(town, 2, "bill", holding="calls"), [call]),
        order(town, window(town, 2), persons(1, seed=2)),
    ]
    found = all_stored(Receiver(town.room).receive(orders))
    assert (len({one.entries for one in found}), len(calls)) == (3, 1)
    assert (count(town), count(town, "calls"), town.room.store.count_batches()) == (3, 1, 2)
    assert town.room.store.problems() == []


def test_a_window_goes_on_and_is_decided_on_once_a_minute(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    decided: list[bytes] = []

    def deciding(room: Room, signed: SignedAsk) -> Steps[Admitted]:
        decided.append(signed.text)
        return admitting(room, signed)

    monkeypatch.setattr("strongroom.custody.receive.admitting", deciding)
    signed, receiver = window(town, 8), Receiver(town.room)
    for at in range(3):
        all_stored(receiver.receive([order(town, signed, persons(1, seed=at))]))
    assert len(decided) == 1
    town.hands.wait(61)
    all_stored(receiver.receive([order(town, signed, persons(1, seed=3))]))
    assert len(decided) == 2
    # With another private half it is another thing to decide on, and refused.
    false = dataclasses.replace(
        signed, private=msgspec.structs.replace(signed.private, reason="something else altogether")
    )
    (refused,) = receiver.receive([order(town, false, persons(1, seed=9))])
    assert isinstance(refused, Refused)
    assert (refused.code, count(town)) == ("ask", 4)


def test_what_one_ask_has_left_is_used_before_it_is_refused(town: World) -> None:
    """Asked for all together they would all be refused."""
    signed = window(town, 4)
    found = Receiver(town.room).receive([order(town, signed, persons(1, seed=at)) for at in range(3)])
    assert [isinstance(one, Received) for one in found] == [True, True, False]
    assert isinstance(found[2], Refused)
    assert (found[2].code, count(town)) == ("budget", 2)


def test_a_refusal_is_of_its_own_ask_alone(town: World) -> None:
    bad, good = window(town, 10, purpose="confirm"), window(town, 10)
    found = Receiver(town.room).receive([
        order(town, bad, persons(1)),
        order(town, good, persons(1, seed=2)),
        order(town, bad, persons(1, seed=3)),
    ])  # fmt: skip
    assert [isinstance(one, Received) for one in found] == [False, True, False]
    assert count(town) == 1


def test_who_is_to_be_told_is_told_within_what_an_entry_holds(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "MAX_TAGS", 4)
    signed, calls = window(town, 20, "announce"), counted(town)
    found = all_stored(Receiver(town.room).receive([order(town, signed, persons(3, seed=at)) for at in range(3)]))
    assert len(calls) == 3  # of two orders the tags would not fit one entry, and one call an ask goes along at a time
    assert [len(written(town, one.entries[0]).tags) for one in found] == [3, 3, 3]


@pytest.mark.parametrize("broken", ["keyholder", "store"])
def test_what_fails_in_between_is_stored_nowhere_and_may_come_again(
    town: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    signed, receiver = window(town, 20), Receiver(town.room)
    orders = [order(town, signed, persons(2, seed=at)) for at in range(2)]
    with monkeypatch.context() as patch:
        if broken == "keyholder":
            patch.setattr(town.room.client, "_transport", failing(KeyholderUnavailable("gone")))
        else:
            patch.setattr(VaultStore, "put_chunk", failing(StoreError("full")))
        found = receiver.receive(orders)
    wanted = KeyholderUnavailable if broken == "keyholder" else StoreError
    assert [type(one) for one in found] == [wanted] * 2
    assert count(town) == 0
    all_stored(receiver.receive(orders))
    assert (count(town), town.room.store.problems()) == (4, [])


def failing(error: StrongroomError) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_an_epochs_key_is_asked_for_again_after_a_minute(town: World) -> None:
    calls, receiver, signed = counted(town, "/v1/epoch"), Receiver(town.room), window(town, 100)
    for _ in range(3):
        all_stored(receiver.receive([order(town, signed, persons(1))]))
    assert len(calls) == 1
    town.hands.wait(61)
    all_stored(receiver.receive([order(town, signed, persons(1))]))
    assert len(calls) == 2


def test_a_charter_that_changes_meanwhile_ends_it(town: World) -> None:
    signed = window(town, 10)
    made = order(town, signed, persons(1))
    (refused,) = Receiver(town.room).receive([Order(signed, {**made.columns, "gone": [None]})])
    assert isinstance(refused, Refused)
    assert (refused.code, count(town)) == ("charter", 0)


def test_bad_records_are_named_by_number_field_and_reason(town: World) -> None:
    holding = town.room.rules().charter.holdings["residents"]
    rows: list[dict[str, str | None]] = [*persons(4)]  # type: ignore[list-item]
    rows[1] = {**rows[1], "born": "31.12.1999", "phone": "12"}
    rows[2] = {**rows[2], "nickname": "x"}
    parsed = parse(holding, rows)
    assert parsed.rows == [1, 4]
    assert [(one.row, one.field) for one in parsed.bad] == [(2, "born"), (2, "phone"), (3, "")]
    assert all(len(column) == 2 for column in parsed.columns.values())
    assert not any("31.12" in one.reason or "nickname" in one.reason for one in parsed.bad)


def test_a_call_holds_no_more_than_the_protocol_takes(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_INNERS", 4)
    signed, calls = window(town, 100), counted(town)
    found = all_stored(Receiver(town.room).receive([order(town, signed, persons(n, seed=n)) for n in (1, 1, 5)]))
    assert len(calls) == 1 + 3
    assert [len(one.entries) for one in found] == [1, 1, 3]
