"""Asks of every action: what is written for each, and what is refused in each alone (SPEC.md 5.4, 8.4, 8.5)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from tests.houses import Houses, change
from tests.keyholder import asked
from tests.keyholder.asked import WHY, Sealed

from strongroom.client.device import countersign
from strongroom.custody.steps import of_ask
from strongroom.gate import ask as asks
from strongroom.keyholder import checks, protocol
from strongroom.ledger import entry, tag

Attack = Callable[[Houses], Any]


def _again(houses: Houses, request: Any, device: str, **members: Any) -> Any:
    """The same request, its ask changed and signed again by the same reader."""
    ask = change(asks.parse(request.ask.encode()), **members)
    return change(request, **of_ask(houses.sign(ask, houses.town.key_of(device))))


def _of_another_action(houses: Houses) -> Any:
    """An ask to erase, sent where shares are given."""
    request = asked.erase(houses, houses.handles[:1])
    return change(asked.correct(houses), ask=request.ask, signature=request.signature)


def _to_erase_by_a_read(houses: Houses) -> Any:
    request = asked.correct(houses)
    return change(asked.erase(houses, houses.handles[:1]), ask=request.ask, signature=request.signature)


def _signed_by(houses: Houses, *names: str) -> list[asks.Countersignature]:
    request = asked.unseal(houses)
    keys = [houses.town.key_of(name).key for name in names]
    return sorted((asks.countersign(request.ask.encode(), key) for key in keys), key=lambda one: one.reader)


UNWRITTEN: dict[str, tuple[str, Attack]] = {
    "an erasure where shares are given": ("ask", _of_another_action),
    "a correction as an erasure": ("ask", _to_erase_by_a_read),
    "countersigned by a stranger": (
        "countersign",
        lambda h: change(
            asked.unseal(h), countersignatures=[asks.Countersignature(reader=bytes(16), signature=bytes(64))]
        ),
    ),
    "another's countersignature": (
        "countersign",
        lambda h: change(asked.unseal(h), countersignatures=_signed_by(h, "eva")),
    ),
    "countersignatures twice": (
        "countersign",
        lambda h: change(asked.unseal(h, "eva"), countersignatures=list(asked.unseal(h, "eva").countersignatures) * 2),
    ),
    "an export that has ended": (
        "stale",
        lambda h: _again(
            h,
            asked.export(h, asked.export_window(h), h.handles[:1]),
            "ana",
            time=h.town.room.now() - 10,
            until=h.town.room.now() - 1,
        ),
    ),
}


@pytest.mark.parametrize("name", UNWRITTEN)
def test_refused_and_unwritten(houses: Houses, name: str) -> None:
    code, attack = UNWRITTEN[name]
    request = attack(houses)
    with houses.refused(code, written=False):
        houses.send(request)


def _out_of_order(houses: Houses) -> list[asks.Countersignature]:
    return list(reversed(_signed_by(houses, "eva", "rui")))


def _by_the_asker(houses: Houses) -> Any:
    return asked.unseal(houses, "ana")


def _old_version(houses: Houses) -> Any:
    houses.send(asked.supersede(houses, (houses.handles[1], 2)))
    return houses.good(2)


def _another_old_version(houses: Houses) -> Any:
    """Asked for the second version, and given slots of the first."""
    return asked.request(
        houses, asked.review(houses, houses.handles[0], 2), asked.pieces(houses, houses.handles[:1], (1,))
    )


def _old_version_without_history(houses: Houses) -> Any:
    signed = houses.sign(change(houses.ask().ask, version=1))
    return houses.disclose(signed)


def _expired(houses: Houses, purpose: str = "") -> Any:
    """A record on the day it expires, its key there still."""
    made = Sealed(houses, houses.handles[:1], expires=houses.town.room.now() // 86400 + 40)
    houses.town.hands.wait(40 * 86400)
    return asked.request(houses, houses.ask(), made.pieces((1,)))


def _key_past_its_day(houses: Houses) -> Any:
    """The batch has not expired, but nobody resealed it in time; the key is there still."""
    made = Sealed(houses, houses.handles[:1])
    houses.town.hands.wait(30 * 86400)
    return asked.request(houses, houses.ask(), made.pieces((1,)))


def _more_told_than_an_entry_holds(houses: Houses) -> Any:
    now = houses.town.room.now()
    signed = houses.town.asker("rui").intake("residents", "announce", 2000, now + 600, *WHY, now)
    return houses.intake(signed, [os.urandom(32) for _ in range(1001)], "id-number")


WRITTEN: dict[str, tuple[str, Attack]] = {
    "a test that is not allowed": ("test", lambda h: asked.check(h, test="district")),
    "a check of another field": ("field", lambda h: asked.check(h, field="sex", test="matches")),
    "a check that opens another compartment": (
        "compartment",
        lambda h: change(asked.check(h), compartments=b"\0\2"),
    ),
    "without a second signature": ("countersign", asked.unseal),
    "countersigned by the asker": ("countersign", _by_the_asker),
    "countersigned within the unit": ("countersign", lambda h: asked.unseal(h, "rui")),
    "countersigned where none is wanted": (
        "countersign",
        lambda h: h.disclose(countersign(h.ask(), h.town.key_of("eva"))),
    ),
    "one old version": ("version", _old_version),
    "another old version": ("version", _another_old_version),
    "an old version without history": ("version", _old_version_without_history),
    "a record more to erase": (
        "record",
        lambda h: _again(h, asked.erase(h, h.handles[:2]), "rui", records=h.handles[:1]),
    ),
    "a record less to correct": (
        "record",
        lambda h: _again(h, asked.correct(h), "rui", records=h.handles[:2]),
    ),
    "more exported than the purpose lets": (
        "budget",
        lambda h: asked.export(h, asked.export_window(h, 41), h.handles[:1]),
    ),
    "more than 1,000 persons told": ("record", _more_told_than_an_entry_holds),
    "an intake of no identifier": ("field", lambda h: h.intake(h.window(9), [bytes(32)], "email")),
    "expired": ("expired", _expired),
    "a key past its day": ("epoch", _key_past_its_day),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_refused_and_written(houses: Houses, name: str) -> None:
    code, attack = WRITTEN[name]
    request = attack(houses)
    with houses.refused(code, written=True):
        houses.send(request)
    with houses.refused("used", written=False):
        houses.send(request)


@pytest.mark.parametrize("name", ["version", "expired", "epoch", "countersign", "person"])
def test_without_the_check_the_attack_would_succeed(houses: Houses, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be another check that refuses, and this one tested by nothing."""
    attacks: dict[str, Attack] = {
        "version": _old_version,
        "expired": _expired,
        "epoch": _key_past_its_day,
        "countersign": asked.unseal,
        "person": _two_persons,
    }
    request = attacks[name](houses)
    for left_out in (name, "epoch") if name == "expired" else (name,):
        monkeypatch.setattr(checks, left_out, lambda case, facts: None)
    houses.send(request)


def _two_persons(houses: Houses) -> Any:
    made = Sealed(houses, houses.handles[:1], whos=[[os.urandom(16)], [os.urandom(16)]])
    return asked.request(houses, houses.ask(1, ("phone", "name"), "reach"), made.pieces())


# --- what is written -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda h: asked.check(h, 2), entry.CheckEntry),
        (lambda h: asked.correct(h, 2), entry.CorrectionEntry),
        (lambda h: asked.export(h, asked.export_window(h), h.handles[:2]), entry.ExportEntry),
        (lambda h: h.good(2), entry.DisclosureEntry),
    ],
)
def test_the_entry_is_that_of_the_asks_action(houses: Houses, make: Attack, kind: Any) -> None:
    request = make(houses)
    answer = houses.open(request, houses.send(request))
    last: Any = houses.entries()[-1]
    assert last.__class__ is kind
    assert (last.count, len(last.tags), last.countersigners) == (2, 2, [])
    assert last.compartments == sorted(set(request.compartments[1::2]))
    assert last.commitment == asks.ask_hash(request.ask.encode())
    assert len(answer.shares) == 2 * len(request.handles)


def test_a_second_signature_is_named_by_pseudonym(houses: Houses) -> None:
    request = asked.unseal(houses, "eva")
    houses.open(request, houses.send(request))
    last = houses.entries()[-1]
    assert isinstance(last, entry.DisclosureEntry)
    eva = houses.town.key_of("eva").reader
    assert last.countersigners == [houses.town.keyholder.pseudonym(eva, last.time)]
    assert eva not in houses.held().entries[-1]


def test_a_call_tells_caller_and_callee(houses: Houses) -> None:
    """The second person is read through the first, and has a mark of their own; nobody's compartment has one too."""
    (call,) = houses.town.take_in_calls(("+8613800138000", "+8613900139000"))
    request = asked.trace(houses, call.handle)
    answer = houses.open(request, houses.send(request))
    whos = [answer.whos[at : at + 16] for at in range(0, 48, 16)]
    assert len(set(whos)) == 3
    last = houses.entries()[-1]
    assert isinstance(last, entry.DisclosureEntry)
    assert (last.count, len(last.tags)) == (1, 3)
    keyholder = houses.town.keyholder
    for who in whos:
        assert keyholder.store.chain_counts(keyholder.holding_id("calls"), who) == [(1, 1)]


def test_a_call_to_oneself_has_as_many_marks_as_any_other(houses: Houses) -> None:
    """Else everybody could count that caller and callee are one: two numbers of one chain are two tags like others."""
    keyholder, counts, callers = houses.town.keyholder, [], []
    for callee in ("+8613800138000", "+8613900139000", ""):
        (call,) = houses.town.take_in_calls(("+8613800138000", callee))
        request = asked.trace(houses, call.handle)
        answer = houses.open(request, houses.send(request))
        last = houses.entries()[-1]
        assert isinstance(last, entry.DisclosureEntry)
        counts.append((last.count, len(last.tags), len(set(last.tags))))
        callers.append(answer.whos[:16])
    assert counts == [(1, 3, 3)] * 3
    caller = callers[-1]
    assert keyholder.store.chain_counts(keyholder.holding_id("calls"), caller) == [(1, 4)]
    houses.check()
    (call,) = houses.town.take_in_calls(("+8613800138000", "+8613800138000"))
    houses.send(asked.erase(houses, [call.handle], "calls"))
    erased = houses.entries()[-1]
    assert isinstance(erased, entry.ErasureEntry)
    assert len(erased.tags) == 3


def test_an_intake_tells_the_person_of_each_row_and_by_primary_identifiers_alone(houses: Houses) -> None:
    now = houses.town.room.now()
    signed = houses.town.asker("rui").intake("residents", "announce", 100, now + 600, *WHY, now)
    one, two = os.urandom(32), os.urandom(32)
    request = change(
        houses.intake(signed, [one]),
        fields=["", "id-number", "phone"],
        inners=[os.urandom(32), one + two + one, os.urandom(96)],
    )
    given = houses.open(request, houses.send(request), protocol.tokens).tokens
    assert [len(column) for column in given] == [16, 48, 48]
    last = houses.entries()[-1]
    assert isinstance(last, entry.IntakeEntry)
    # One a row: fewer would tell that two rows are about one person.
    assert (last.count, len(last.tags)) == (7, 3)
    keyholder = houses.town.keyholder
    for who, count in ((one[:16], 2), (two[:16], 1)):
        assert keyholder.store.chain_counts(keyholder.holding_id("residents"), who) == [(1, count)]
    # The purpose that tells nobody writes none.
    houses.send(houses.intake(houses.window(9), [one], "id-number"))
    last = houses.entries()[-1]
    assert isinstance(last, entry.IntakeEntry)
    assert last.tags == []


def test_an_imports_name_is_under_a_kind_of_its_own(houses: Houses) -> None:
    inner = os.urandom(32)
    columns = []
    for field in ("", "phone"):
        request = houses.intake(houses.window(9), [inner], field)
        columns.append(houses.open(request, houses.send(request), protocol.tokens).tokens)
    assert columns[0] != columns[1]


def test_caller_and_callee_share_their_tokens(houses: Houses) -> None:
    inner, now = os.urandom(32), houses.town.room.now()
    signed = houses.town.asker("rui").intake("calls", "bill", 9, now + 600, *WHY, now)
    request = change(houses.intake(signed, [inner]), fields=["callee", "caller"], inners=[inner, inner])
    first, second = houses.open(request, houses.send(request), protocol.tokens).tokens
    assert first == second


# --- erasure ---------------------------------------------------------------------------------------------------------
def test_an_erasure_is_told_marked_and_dated(houses: Houses) -> None:
    town, keyholder = houses.town, houses.town.keyholder
    today = town.room.now() // 86400
    houses.send(protocol.Epoch(**town.room.common(), holding="residents", epoch=today + 1))
    request = asked.erase(houses, houses.handles[:2])
    before = houses.held()
    answer = houses.send(request)
    assert isinstance(answer, protocol.Written)
    last = houses.entries()[-1]
    assert isinstance(last, entry.ErasureEntry)
    holding = keyholder.holding_id("residents")
    assert (last.holding, last.count, len(last.tags)) == ("residents", 2, 2)
    assert last.marks == sorted(tag.erased(keyholder.keys.tag, holding, houses.handles[:2]))
    # Every key of the holding that there is, and none of another.
    assert last.epochs == sorted({today + 1, request.epochs[0]})
    assert [row for row in houses.held().budgets if row not in before.budgets] != []
    for at in range(3):
        signed = town.ask(houses.handles[at : at + 1])
        if at < 2:
            with houses.refused("erased", written=True):
                houses.send(houses.disclose(signed))
        else:
            houses.send(houses.disclose(signed))


def test_an_erasure_is_answered_again_and_not_done_again(houses: Houses) -> None:
    request = asked.erase(houses, houses.handles[:1])
    first, before = houses.send(request), houses.held()
    houses.town.hands.wait(119)
    assert houses.send(request) == first
    assert houses.held() == before
    with houses.refused("erased", written=True):
        houses.send(asked.erase(houses, houses.handles[:1]))


def test_an_erased_record_is_erased_whatever_is_restored(houses: Houses) -> None:
    """The vault's copy of before the erasure is complete; it opens nothing."""
    request = houses.good()
    houses.send(asked.erase(houses, houses.handles[:1]))
    houses.town.restart_keyholder()
    with houses.refused("erased", written=True):
        houses.send(request)


# --- versions --------------------------------------------------------------------------------------------------------
def test_old_versions_want_history_and_their_number(houses: Houses) -> None:
    handle = houses.handles[0]
    newer = Sealed(houses, [handle], version=3)
    for told in (2, 3):
        houses.send(asked.supersede(houses, (handle, told)))
    # Told of an older one afterwards, the keyholder does not go back.
    houses.send(asked.supersede(houses, (handle, 2)))
    houses.send(asked.request(houses, houses.ask(), newer.pieces((1,))))
    old = asked.pieces(houses, [handle], (1,))
    with houses.refused("version", written=True):
        houses.send(asked.request(houses, houses.ask(), old))
    houses.send(asked.request(houses, asked.review(houses, handle, 1), old))
    with houses.refused("version", written=True):
        houses.send(asked.request(houses, asked.review(houses, handle, 0), old))


def test_a_record_is_erased_in_whatever_version_the_vault_has_it(houses: Houses) -> None:
    """A vault that was put back from a copy can give the record to nobody, and must be able to erase it."""
    handle = houses.handles[0]
    houses.send(asked.supersede(houses, (handle, 2)))
    with houses.refused("version", written=True):
        houses.send(houses.good())
    houses.send(asked.erase(houses, [handle]))
    with houses.refused("erased", written=True):
        houses.send(asked.request(houses, asked.review(houses, handle, 1), asked.pieces(houses, [handle], (1,))))


# --- windows of an export --------------------------------------------------------------------------------------------
def test_an_export_gives_its_count_and_then_closes(houses: Houses) -> None:
    signed = asked.export_window(houses, 5)
    for part in (houses.handles[:3], houses.handles[3:5]):
        request = asked.export(houses, signed, part)
        assert len(houses.open(request, houses.send(request)).shares) == 64 * len(part)
    with houses.refused("budget", written=True):
        houses.send(asked.export(houses, signed, houses.handles[5:6]))
    with houses.refused("used", written=False):
        houses.send(asked.export(houses, signed, houses.handles[:1]))


def test_a_batch_of_an_export_sent_again_is_not_paid_for_twice(houses: Houses) -> None:
    signed = asked.export_window(houses, 5)
    request = asked.export(houses, signed, houses.handles[:5])
    first, before = houses.open(request, houses.send(request)), houses.held()
    houses.town.hands.wait(119)
    assert houses.open(request, houses.send(request)).shares == first.shares
    assert houses.held() == before


def test_an_export_stays_open_until_its_time(houses: Houses) -> None:
    signed = asked.export_window(houses, 5, 600)
    houses.send(asked.export(houses, signed, houses.handles[:1]))
    houses.town.hands.wait(600)
    houses.send(asked.export(houses, signed, houses.handles[1:2]))
    houses.town.hands.wait(1)
    with houses.refused("stale", written=False):
        houses.send(asked.export(houses, signed, houses.handles[2:3]))


# --- budgets ---------------------------------------------------------------------------------------------------------
def test_a_records_bucket_is_for_all_readers_and_its_purpose(houses: Houses) -> None:
    """Guessing by questions: five a day of one record, by whoever, however many others are asked about."""
    for _ in range(5):
        houses.send(asked.check(houses, 2))
    with houses.refused("budget", written=True):
        houses.send(asked.check(houses, 1))
    houses.send(houses.good())
    other = houses.handles[2]
    request = asked.check(houses, 3)
    ask = change(asks.parse(request.ask.encode()), records=[other])
    houses.send(asked.request(houses, houses.sign(ask), asked.pieces(houses, [other], (1,))))
    houses.town.hands.wait(86400 // 5)
    houses.send(asked.check(houses, 1))


def test_full_buckets_are_forgotten(houses: Houses) -> None:
    """One for each record would grow the table for ever."""
    houses.send(asked.check(houses, 10))

    def rows() -> int:
        return sum(key.startswith("record:") for key, *_ in houses.held().budgets)

    assert rows() == 10
    houses.town.hands.wait(86399)
    houses.town.keyholder.tick()
    assert rows() == 10
    for _ in range(2):
        houses.town.hands.wait(86400)
        houses.town.keyholder.tick()
    assert houses.held().budgets == []


def test_an_erasure_costs_nothing_of_the_rooms(houses: Houses) -> None:
    houses.send(asked.erase(houses, houses.handles[:3]))
    keys = [row[0] for row in houses.held().budgets]
    assert not any(key.startswith(("room", "holding")) for key in keys)
