"""Erased is refused at once and for good, everybody concerned is told, and the printed day is the right one."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.custody.life import entries, mandate, tags_of
from tests.houses import change
from tests.world import World

from strongroom.custody import asking, erase
from strongroom.errors import EntryError, InputError, KeyholderUnavailable, Refused
from strongroom.keyholder import reading
from strongroom.ledger import entry
from strongroom.seal import person

DAY = 86400


def forget(town: World, handles: list[bytes], holding: str = "residents") -> list[erase.Erased]:
    return list(asking.erase(town.room, mandate(town, "forget", holding), handles))


def test_nothing_is_given_or_found_again(town: World) -> None:
    people = town.take_in(3)
    (done,) = forget(town, [people[0].handle])
    written = entry.parse(town.room.mirror.entry(done.index))
    assert isinstance(written, entry.ErasureEntry)
    assert (written.count, len(written.marks), len(written.tags)) == (1, 1, 1)
    number = str(people[0].values["id-number"])
    who = person.inners(town.room.keys.holding("residents"), "resident-id", [number])[0][:16]
    assert set(written.tags) <= set(tags_of(town, "residents", who))
    assert town.find("resident-id", number).handles == ()
    with pytest.raises(InputError, match="not in residents"):
        town.disclose([people[0].handle])
    assert town.disclose([people[1].handle]).values


def test_the_printed_day_is_when_the_last_key_goes(town: World) -> None:
    people = town.take_in(1)
    (done,) = forget(town, [people[0].handle])
    written = entry.parse(town.room.mirror.entry(done.index))
    assert isinstance(written, entry.ErasureEntry)
    assert done.final == max(written.epochs)
    today = int(town.hands.wall()) // DAY
    assert today + 30 < done.final <= today + 60  # the rotation is 30 days


def test_a_copy_put_back_is_refused(town: World) -> None:
    """The vault of this morning: it finds the record, and the keyholder gives nothing."""
    people = town.take_in(2)
    store, number = town.room.store, town.room.holding("residents")
    kept = store.latest(number, [people[0].handle])
    forget(town, [people[0].handle])
    before = len(entries(town))
    town.room.store.latest = lambda holding, handles: kept  # type: ignore[method-assign]
    with pytest.raises(Refused, match="erased"):
        town.disclose([people[0].handle])
    # Erasing it again says so too, and the vault takes note.
    town.room.store.latest = lambda holding, handles: kept  # type: ignore[method-assign]
    town.room.store.withdrawn = lambda holding, handles: set()  # type: ignore[method-assign]
    with pytest.raises(Refused, match="erased"):
        forget(town, [people[0].handle])
    assert len(entries(town)) == before + 2


def test_everybody_in_a_record_is_told(town: World) -> None:
    one, _ = town.take_in_calls(("+8613912345678", "+8613887654321"), ("+8613912345678", ""))
    forget(town, [one.handle], "calls")
    keys = town.room.keys.holding("calls")
    for number in ("+8613912345678", "+8613887654321"):
        (inner,) = person.inners(keys, "phone", [number])
        assert len(tags_of(town, "calls", inner[:16])) == 1
    written = entries(town)[-1]
    assert isinstance(written, entry.ErasureEntry)
    assert len(written.tags) == 3  # and nobody's, for the call itself


def test_a_crash_before_the_vault_took_note(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = town.take_in(2)

    def crash(*_: object) -> None:
        raise OSError("the machine went down")

    with monkeypatch.context() as patch:
        patch.setattr(town.room.store, "withdraw", crash)
        with pytest.raises(OSError, match="went down"):
            forget(town, [people[0].handle])
    number = str(people[0].values["id-number"])
    assert town.find("resident-id", number).handles == (people[0].handle,)
    with pytest.raises(Refused, match="erased"):
        forget(town, [people[0].handle])
    assert town.find("resident-id", number).handles == ()


def test_cut_short_it_goes_on(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the vault had taken note of the last part or not; each record is erased by one entry."""
    monkeypatch.setattr(asking, "AT_ONCE", 2)
    handles = sorted(one.handle for one in town.take_in(7))
    real, left = town.room.store.withdraw, [2]

    def crash(*args: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise OSError("the machine went down")
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(town.room.store, "withdraw", crash)
        with pytest.raises(OSError, match="went down"):
            forget(town, handles)
    assert town.room.store.withdrawn(town.room.holding("residents"), handles) == set(handles[:2])
    before = len(entries(town))
    assert [one.handles for one in forget(town, handles)] == [tuple(handles[4:6]), tuple(handles[6:])]
    assert [type(item) for item in entries(town)[before:]] == [
        entry.RefusalEntry,
        entry.ErasureEntry,
        entry.ErasureEntry,
    ]
    assert town.room.store.latest(town.room.holding("residents"), handles) == []
    with pytest.raises(InputError, match="was erased before"):
        forget(town, handles)


def test_of_some_that_were_erased_nothing_is_taken_note_of(town: World) -> None:
    """The vault of this morning: one of two was erased since. Which one, only an erasure of each tells."""
    handles = sorted(one.handle for one in town.take_in(2))
    store, number = town.room.store, town.room.holding("residents")
    kept = store.latest(number, handles)
    forget(town, [handles[0]])
    store.latest = lambda holding, handles: kept  # type: ignore[method-assign]
    store.withdrawn = lambda holding, handles: set()  # type: ignore[method-assign]
    with pytest.raises(Refused, match="erased"):
        forget(town, handles)
    assert list(store.latest_versions(number, handles)) == [handles[1]]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {"tags": [bytes(16), bytes([1] * 16), bytes([2] * 16), bytes([3] * 16), bytes([4] * 16)]},
            "not a tag for each",
        ),
        ({"epochs": [1]}, "leaves out 1 of the keys"),
        ({"epochs": []}, "leaves out 1 of the keys"),
        ({"commitment": bytes(32)}, "not about this ask"),
    ],
)
def test_an_entry_that_does_not_say_what_was_asked(
    town: World, monkeypatch: pytest.MonkeyPatch, members: dict[str, object], words: str
) -> None:
    people = town.take_in(2)
    real = reading._entry
    monkeypatch.setattr(reading, "_entry", lambda keyholder, case: change(real(keyholder, case), **members))
    with pytest.raises(EntryError, match=words):
        forget(town, [one.handle for one in people])
    found = town.room.store.latest(town.room.holding("residents"), [one.handle for one in people])
    assert len(found) == 2, "nothing was taken note of on a false entry"


def test_failures_leave_all_as_it_was(town: World) -> None:
    people = town.take_in(2)
    before = len(entries(town))
    with pytest.raises(InputError, match="1 of the records named"):
        forget(town, [people[0].handle, os.urandom(16)])
    with pytest.raises(Refused, match="purpose"):
        list(asking.erase(town.room, mandate(town, "amend"), [people[0].handle]))
    assert [type(item) for item in entries(town)[before:]] == [entry.RefusalEntry]

    def gone(path: str, signature: bytes, body: bytes) -> bytes:
        raise KeyholderUnavailable("no keyholder answers")

    m = mandate(town, "forget")
    town.room.client._transport = gone
    with pytest.raises(KeyholderUnavailable):
        list(asking.erase(town.room, m, [people[0].handle]))
    assert len(town.room.store.latest(town.room.holding("residents"), [one.handle for one in people])) == 2
