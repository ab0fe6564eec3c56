"""Keys destroyed, holds and erasures: what a keyholder cannot write without being seen (SPEC 5.8)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger import made

from strongroom.errors import EntryError
from strongroom.ledger import entry
from strongroom.ledger.life import Held, Key, Life

DAY = 86_400
NOW = 20_000 * DAY

_opened = {"compartments": [1]}
KINDS: dict[type[Any], dict[str, Any]] = {
    entry.DisclosureEntry: _opened, entry.CheckEntry: _opened, entry.CorrectionEntry: _opened, entry.ExportEntry: _opened,
    entry.ErasureEntry: {"epochs": [], "marks": [bytes(16)]},
}  # fmt: skip


def asked(time: int, holding: str = "calls", **members: Any) -> dict[str, Any]:
    return made.asked(time, bytes(32), 1) | {"holding": holding} | members


def erasure(time: int, epochs: list[int], seed: int = 0, holding: str = "calls") -> entry.ErasureEntry:
    mark = [bytes([seed]) * 16]
    return entry.ErasureEntry(**asked(time, holding), count=1, epochs=epochs, marks=mark, tags=mark)


def expiry(time: int, epoch: int, holding: str = "calls") -> entry.ExpiryEntry:
    return entry.ExpiryEntry(v=1, time=time, epoch=epoch, holding=holding, key=bytes(32))


def hold(time: int, until: int, authority: str = "court", holding: str = "calls") -> entry.HoldEntry:
    return entry.HoldEntry(v=1, time=time, authority=authority, holding=holding, until=until)


def generation(time: int) -> entry.NoticeEntry:
    return entry.NoticeEntry(v=1, time=time, code="generation", scope="")


def life(*entries: entry.Entry) -> Life:
    found = Life()
    for index, one in enumerate(entries):
        found.add(index, entry.parse(entry.encode(one)))
    return found


def test_an_erasure_is_final_when_the_keys_of_its_time_are_destroyed() -> None:
    told: list[entry.Entry] = [
        erasure(NOW, [20_001, 20_030], 1),
        erasure(NOW, [20_001], 2, "posts"),
        expiry(NOW + DAY, 20_001),
        erasure(NOW + DAY, [20_030, 20_060], 3),
        expiry(NOW + 30 * DAY, 20_030),
        erasure(NOW + 40 * DAY, [20_060], 4),
        expiry(NOW + 60 * DAY, 20_060),
        erasure(NOW + 61 * DAY, [], 5),
    ]
    assert [one.left for one in life(*told[:3]).erasures()] == [(20_030,), (20_001,)]
    found = life(*told)
    assert [(one.index, one.holding, one.final) for one in found.erasures()] == [
        (0, "calls", True), (1, "posts", False), (3, "calls", True), (5, "calls", True), (7, "calls", True),
    ]  # fmt: skip
    assert found.destroyed == {Key("calls", 20_001): 2, Key("calls", 20_030): 4, Key("calls", 20_060): 6}


def test_what_is_overdue_is_said() -> None:
    told: list[entry.Entry] = [erasure(NOW, [20_001, 20_030], 1), erasure(NOW, [20_001], 2, "posts")]
    found = life(*told)
    assert found.overdue(NOW + 2 * DAY - 1) == []
    assert found.overdue(NOW + 2 * DAY) == [Key("calls", 20_001), Key("posts", 20_001)]
    held = life(*told, hold(NOW, NOW + 10 * DAY))
    assert held.overdue(NOW + 2 * DAY) == [Key("posts", 20_001)]
    assert [held.final_on(one, NOW) for one in held.erasures()] == [20_030, 20_001]
    long = life(*told, hold(NOW, NOW + 40 * DAY + 1))
    assert [long.final_on(one, NOW) for one in long.erasures()] == [20_041, 20_001]
    assert held.overdue(NOW + 10 * DAY) == [Key("calls", 20_001), Key("posts", 20_001)]


def test_holds_stand_until_they_end_or_are_lifted() -> None:
    told: list[entry.Entry] = [
        hold(NOW, NOW + 9),
        hold(NOW, NOW + 7, "tax office"),
        hold(NOW, NOW + 8, "court", "posts"),
    ]
    found = life(*told)
    assert found.holds(NOW + 7) == [Held("calls", "court", NOW + 9), Held("posts", "court", NOW + 8)]
    assert found.holds(NOW + 9) == []
    found = life(*told, hold(NOW + 1, NOW + 1), hold(NOW + 2, NOW + 300, "tax office"))
    assert [one.until for one in found.holds(NOW + 2)] == [NOW + 300, NOW + 8]
    life(*told, expiry(NOW + 9, 20_000), hold(NOW + 9, NOW + 10))
    life(*told, hold(NOW + 1, NOW + 1), hold(NOW + 1, NOW + 1, "tax office"), expiry(NOW + 1, 20_000))


def test_what_a_recovery_lost_is_left_out() -> None:
    before: list[entry.Entry] = [erasure(NOW, [20_001, 20_030], 1)]
    life(*before, generation(NOW + 1), erasure(NOW + 2, [20_001], 2), expiry(NOW + DAY, 20_001))
    with pytest.raises(EntryError, match="leaves out the key of day 20001"):
        life(*before, generation(NOW), erasure(NOW + 2, [20_001], 2), erasure(NOW + 2, [], 3))


WRONG: dict[str, tuple[str, list[entry.Entry]]] = {
    "a key twice": ("entry 0 says was destroyed", [expiry(NOW, 20_000), expiry(NOW, 20_000)]),
    "a key before its day": ("before its day", [expiry(NOW - 1, 20_000)]),
    "a key under a hold": ("while a hold stands", [hold(NOW, NOW + 1), expiry(NOW, 20_000)]),
    "a key under the second hold": (
        "while a hold stands",
        [hold(NOW, NOW + 5), hold(NOW, NOW + 5, "other"), hold(NOW + 1, NOW + 1), expiry(NOW + 2, 20_000)],
    ),
    "a hold too long": ("366 days", [hold(NOW, NOW + 366 * DAY + 1)]),
    "a hold into the past": ("ends before", [hold(NOW, NOW + 5), hold(NOW + 2, NOW + 1)]),
    "a lift of nothing": ("does not stand", [hold(NOW, NOW + 5, "other"), hold(NOW, NOW)]),
    "a lift of what is over": ("does not stand", [hold(NOW, NOW + 5), hold(NOW + 5, NOW + 5)]),
    "an erasure that waits for nothing": ("destroyed before it", [expiry(NOW, 20_000), erasure(NOW, [20_000])]),
    "an erasure that hides a key": ("leaves out", [erasure(NOW, [20_000, 20_001]), erasure(NOW, [20_001], 1)]),
    "a record twice": ("erased before", [erasure(NOW, []), erasure(NOW, [])]),
    "more records than tags": (
        "fewer tags",
        [entry.DisclosureEntry(**asked(NOW), compartments=[1], count=2, tags=[bytes(16)])],
    ),
    "more persons than identifiers": ("more tags", [entry.IntakeEntry(**asked(NOW), count=0, tags=[bytes(16)])]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_contradicts_is_refused(name: str) -> None:
    message, entries = WRONG[name]
    life(*entries[:-1])
    with pytest.raises(EntryError, match=message):
        life(*entries)


@pytest.mark.parametrize("kind", KINDS)
def test_each_record_is_about_somebody(kind: Any) -> None:
    more = KINDS[kind]
    Life().add(0, kind(**asked(NOW), **more, count=1, tags=[bytes(16), b"a" * 16]))
    for count in (0, 3):
        with pytest.raises(EntryError, match="fewer tags than records"):
            Life().add(0, kind(**asked(NOW), **more, count=count, tags=[bytes(16), b"a" * 16]))


def test_each_holding_has_its_own_keys_and_holds() -> None:
    life(hold(NOW, NOW + 5), expiry(NOW, 20_000, "posts"), erasure(NOW, [20_001], 1), erasure(NOW, [], 2, "posts"))
    with pytest.raises(EntryError, match="erased before"):
        life(erasure(NOW, [], 1), erasure(NOW, [], 1, "posts"))


@given(st.lists(st.tuples(st.integers(19_990, 20_010), st.booleans()), max_size=30))
def test_a_keyholder_that_keeps_its_rules_is_never_accused(steps: list[tuple[int, bool]]) -> None:
    """Keys are made, erasures name all there are, and each key goes on its day; the holds of both kinds end in between."""
    told, alive, gone, time = list[entry.Entry](), set[int](), set[int](), 19_995 * DAY
    for n, (epoch, erase) in enumerate(steps):
        time += DAY // 3
        for due in sorted(one for one in alive if one * DAY <= time):
            told.append(expiry(time, due))
            alive.discard(due)
            gone.add(due)
        if epoch * DAY > time and epoch not in gone:
            alive.add(epoch)
        if erase:
            told.append(erasure(time, sorted(alive), n))
    found = life(*told)
    assert set(found.destroyed) == {Key("calls", one) for one in gone}
    assert found.overdue(time) == []
