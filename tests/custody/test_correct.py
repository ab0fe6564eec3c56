"""A correction is the next version, kept no longer than the one before it; whatever fails leaves the record as it was."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.custody.life import amend, entries, mandate, tags_of
from tests.world import Person, World

from strongroom.catalog import fields
from strongroom.client.device import countersign
from strongroom.custody import asking, correct, newest, opening
from strongroom.custody.correct import Corrected
from strongroom.custody.intake.window import Errand
from strongroom.errors import CommitmentError, InputError, KeyholderUnavailable, Refused, StoreError
from strongroom.gate import ask as asks
from strongroom.ledger import entry
from strongroom.seal import person
from strongroom.seal.epoch import NEVER
from strongroom.store.rows import Stored

DAY = 86400
# What the tests' charter lacks: a value that needs others, and a purpose that may correct and index.
STATUS = """      status: {type: enum, compartment: contact, values: [well, barred], needs: {barred: [grounds]}}
      grounds: {type: text, compartment: contact}
      sex: {type: enum"""
MORE = (
    ("      sex: {type: enum", STATUS),
    ("    actions: [find, correct]", "    actions: [find, correct, intake]"),
    ("email: clear, id-number: clear}}", "email: clear, id-number: clear, status: clear, grounds: clear}}"),
    ("name: clear, born: year,", "name: clear, status: clear, grounds: clear, phone: last-four, born: year,"),
)


def fix(town: World, handle: bytes, intake: str = "register", **changes: str | None) -> Corrected:
    values = {name.replace("_", "-"): value for name, value in changes.items()}
    return correct.correct(town.room, mandate(town, "amend"), [handle], values, intake)


def rows(town: World, handle: bytes) -> list[Stored]:
    store, number = town.room.store, town.room.holding("residents")
    return [row for version in range(1, 9) for row in store.at_version(number, [handle], version)]


def read(town: World, handle: bytes, *names: str, purpose: str = "review", version: int = 0) -> dict[str, str | None]:
    (found,) = asking.disclose(town.room, mandate(town, purpose), [handle], names, version)
    return found.values[0]


def test_the_record_as_it_is_with_the_new_value(town: World) -> None:
    one, other = town.take_in(2)
    done = fix(town, one.handle, name="  欧阳  娜 ")
    assert (done.versions, done.settled) == ((2,), True)
    assert read(town, one.handle, "name", "phone") == {"name": "欧阳 娜", "phone": one.values["phone"]}
    assert read(town, one.handle, "name", version=1) == {"name": one.values["name"]}
    assert read(town, other.handle, "name") == {"name": other.values["name"]}
    written = entry.parse(town.room.mirror.entry(done.index))
    assert isinstance(written, entry.CorrectionEntry)
    assert (written.compartments, written.count, len(written.tags)) == ([1, 2], 1, 1)
    taken = [entry.parse(town.room.mirror.entry(index)) for index in done.indexed]
    assert [(item.count, item.purpose) for item in taken if isinstance(item, entry.IntakeEntry)] == [(2, "register")]


def test_who_is_found_by_what(town: World) -> None:
    (one,) = town.take_in(1)
    was = str(one.values["phone"])
    fix(town, one.handle, phone="13912345678")
    assert town.find("phone", was).handles == ()
    assert town.find("phone", "+86 139 1234 5678").handles == (one.handle,)
    fix(town, one.handle, phone=None)
    assert town.find("phone", "13912345678").handles == ()
    assert town.find("resident-id", str(one.values["id-number"])).handles == (one.handle,)
    assert len({len(row.tokens) for row in rows(town, one.handle)}) == 1, "no value looks like any value"


@pytest.mark.parametrize("same", [False, True])
def test_no_record_is_moved_to_another_person(town: World, same: bool) -> None:
    """There it would be read and erased unseen, and put back. Nor does the answer say whether the number given is the one."""
    one, other = town.take_in(2)
    keys = town.room.keys.holding("residents")
    whos = [person.inners(keys, "resident-id", [str(each.values["id-number"])])[0][:16] for each in (one, other)]
    with pytest.raises(InputError, match="stays; nothing was changed"):
        fix(town, one.handle, id_number=str((one if same else other).values["id-number"]))
    assert len(rows(town, one.handle)) == 1
    read(town, one.handle, "name")
    assert [len(tags_of(town, "residents", who)) for who in whos] == [2, 0], "told of the try as well"


def test_somebody_unidentified_becomes_known(town: World) -> None:
    """And stays so."""
    amend(
        town,
        (
            "reads: {residents: {name: clear, born: clear",
            "reads: {calls: {callee: clear}, residents: {name: clear, born: clear",
        ),
    )
    (call,) = town.take_in_calls(("+8613800138000", ""))
    m = replace(mandate(town, "amend"), holding="calls")
    assert correct.correct(town.room, m, [call.handle], {"callee": "+8613900139000"}, "bill").versions == (2,)
    assert town.find("phone", "+8613900139000", "trace", "calls").handles == (call.handle,)
    for value in ("+8613900139001", None):
        with pytest.raises(InputError, match="callee has a value"):
            correct.correct(town.room, m, [call.handle], {"callee": value}, "bill")


# --- what was signed is what is written -----------------------------------------------------------------------------------
def test_the_private_half_names_what_is_written(town: World) -> None:
    (one,) = town.take_in(1)
    m = mandate(town, "amend")
    signed = m.asker.correct(
        "residents", "amend", [one.handle], {"phone": None, "name": " 李四"}, m.case, m.reason, town.room.now()
    )
    assert signed.private.subject == asks.Queried(kind="values", value='{"name":" 李四","phone":null}')
    errand = Errand(m.asker, "register", m.case, m.reason)
    correct.revise(town.room, signed, errand)
    assert read(town, one.handle, "name", "phone") == {"name": "李四", "phone": None}
    evidence = town.room.store.private(asks.ask_hash(signed.text))
    assert evidence is not None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (None, ""),
        ("values", '{"name":"a","sex":"male"}'),
        ("values", "{}"),
        ("values", '{"name": "a"}'),
        ("values", '{"name":1}'),
        ("phone", "+8613800138000"),
        ("map", "email: phone\n"),
        ("map", "name: nothing\n"),
    ],
)
def test_what_names_other_fields_than_the_ask_is_none(town: World, kind: str | None, value: str) -> None:
    (one,) = town.take_in(1)
    m, before = mandate(town, "amend"), len(entries(town))
    subject = None if kind is None else asks.Queried(kind=kind, value=value)
    named: dict[str, Any] = {
        "fields": ["name"],
        "written": subject,
        "case": m.case,
        "reason": m.reason,
        "now": town.room.now(),
    }
    signed = m.asker._correct("residents", "amend", [one.handle], **named)
    with pytest.raises(Refused) as caught:
        correct.revise(town.room, signed, Errand(m.asker, "register", m.case, m.reason))
    assert caught.value.code == "ask"
    assert len(entries(town)) == before


def test_what_is_countersigned_is_what_is_shown(town: World) -> None:
    (one,) = town.take_in(1)
    m = mandate(town, "amend")
    signed = m.asker.correct("residents", "amend", [one.handle], {"name": "李四"}, m.case, m.reason, town.room.now())
    shown = asks.Queried(kind="values", value='{"name":"王五"}')
    with pytest.raises(CommitmentError):
        countersign(replace(signed, private=msgspec.structs.replace(signed.private, subject=shown)), m.asker.device)


def test_an_old_version_is_old_from_then_on(town: World) -> None:
    (one,) = town.take_in(1)
    old = town.room.store.latest(town.room.holding("residents"), [one.handle])
    fix(town, one.handle, name="someone else")
    town.room.store.latest = lambda holding, handles: old  # type: ignore[method-assign]
    with pytest.raises(Refused, match="newer version"):
        read(town, one.handle, "name")


# --- how long it is kept -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        ("10y", "10y", None),
        ("10y", "30y", None),
        ("10y", "open-ended", None),
        ("10y", "1y", 365),
        ("open-ended", "90d", 90),
    ],
)
def test_a_correction_prolongs_nothing(town: World, before: str, after: str, days: int | None) -> None:
    held = "    retention: {}\n    compartments:\n      identity"
    if before != "10y":
        amend(town, (held.format("10y"), held.format(before)))
    (one,) = town.take_in(1)
    (first,) = rows(town, one.handle)
    town.hands.wait(29 * DAY)
    if after != before:
        amend(town, (held.format("10y"), held.format(after)))
    fix(town, one.handle, name="someone")
    _, second = rows(town, one.handle)
    if days is None:
        assert second.expires == first.expires
    else:
        assert second.expires == int(town.hands.wall()) // DAY + days < first.expires
    assert (first.expires == NEVER) == (before == "open-ended")
    assert second.epoch <= second.expires


# --- what a record must have ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "barred"}, "what status is to say needs grounds"),
        ({"born": "31.12.1999"}, "born: want a date"),
        ({"status": "gone"}, "status: is not one of the declared values"),
        ({"id_number": None}, "id-number: is missing, and the field is required"),
        ({"id_number": "110101199001010001"}, "id-number: its check character is wrong"),
    ],
)
def test_what_does_not_fit_changes_nothing(town: World, changes: dict[str, Any], words: str) -> None:
    (one,) = town.take_in(1)
    amend(town, *MORE)
    before = len(entries(town))
    with pytest.raises(InputError, match=words):
        fix(town, one.handle, intake="", **changes)
    assert len(rows(town, one.handle)) == 1
    # What can be seen without opening the record marks nobody.
    assert len(entries(town)) - before == (1 if "is to say" in words else 0)


def test_what_one_value_needs_stays_while_it_does(town: World) -> None:
    (one,) = town.take_in(1)
    amend(town, *MORE)
    done = fix(town, one.handle, intake="", status="barred", grounds="a fight at the counter")
    assert done.versions == (2,)
    with pytest.raises(InputError, match="grounds may not be empty there"):
        fix(town, one.handle, intake="", grounds=None)
    assert fix(town, one.handle, intake="", grounds=None, status="well").versions == (3,)
    assert read(town, one.handle, "status", "grounds", purpose="confirm") == {"status": "well", "grounds": None}


def test_refused_before_anything_is_opened(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = town.take_in(1)
    monkeypatch.setattr(opening, "open_column", lambda *_: pytest.fail("opened"))
    for intake, changes, code in (
        ("register", {"ghost": "x"}, "field"),
        ("", {"name": "x"}, "purpose"),  # amend may not index
        ("bill", {"name": "x"}, "holding"),
    ):
        with pytest.raises(Refused) as caught:
            fix(town, one.handle, intake=intake, **changes)
        assert caught.value.code == code
        last = entries(town)[-1]
        assert isinstance(last, entry.RefusalEntry)
        assert last.code == code
    with pytest.raises(InputError, match="not in residents"):
        fix(town, os.urandom(16), name="x")
    with pytest.raises(InputError, match="at least one field"):
        fix(town, one.handle)


# --- failures in between --------------------------------------------------------------------------------------------------
def test_another_writer_was_first(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = town.take_in(1)
    real = opening.opened

    def slowly(*values: Any) -> Any:
        found = real(*values)
        monkeypatch.setattr(opening, "opened", real)
        fix(town, one.handle, name="the first")
        return found

    monkeypatch.setattr(opening, "opened", slowly)
    with pytest.raises(StoreError, match="Another writer was first"):
        fix(town, one.handle, name="the second")
    assert read(town, one.handle, "name") == {"name": "the first"}
    assert len(rows(town, one.handle)) == 2


def test_no_keyholder_after_the_entry(town: World) -> None:
    """Whichever call is the first that is not answered: the record is as it was, or corrected and the rest caught up with."""
    (one,) = town.take_in(1)
    real = town.room.client._transport
    outcomes = set()
    for answered in range(6):
        left = [answered]

        def gone(path: str, signature: bytes, body: bytes, left: list[int] = left) -> bytes:
            left[0] -= 1
            if left[0] < 0:
                raise KeyholderUnavailable("no keyholder answers")
            return real(path, signature, body)

        m, before = mandate(town, "amend"), len(rows(town, one.handle))
        town.room.client._transport = gone
        try:
            done = correct.correct(town.room, m, [one.handle], {"name": f"name {answered}"}, "register")
        except KeyholderUnavailable:
            assert len(rows(town, one.handle)) == before
            outcomes.add("as it was")
        else:
            assert len(rows(town, one.handle)) == before + 1
            outcomes.add("settled" if done.settled else "unsettled")
            town.room.client._transport = real
            newest.tell(town.room, "residents")
            assert read(town, one.handle, "name") == {"name": f"name {answered}"}
        finally:
            town.room.client._transport = real
        number = town.room.holding("residents")
        assert town.room.store.unsettled(number, 9) == []
    assert outcomes == {"as it was", "settled", "unsettled"}


# --- the rule itself ------------------------------------------------------------------------------------------------------
_VALUES = {
    "name": st.sampled_from(["杨刚", "A B", "", "x" * 64]),
    "born": st.sampled_from(["1990-01-01", "2001/12/31", ""]),
    "sex": st.sampled_from(["male", "female", ""]),
    "phone": st.sampled_from(["13912345678", "+49 30 123456", ""]),
    "email": st.sampled_from(["a@example.org", ""]),
}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.fixed_dictionaries({}, optional=_VALUES).filter(bool), min_size=1, max_size=3))
def test_versions_are_a_history(shared: tuple[World, Person], corrections: list[dict[str, str]]) -> None:
    """Each version has the values of the one before it but for those corrected; all of them stay readable."""
    town, one = shared
    town.hands.wait(2 * DAY)  # so that no budget ends the test
    store, number = town.room.store, town.room.holding("residents")
    known = store.latest_versions(number, [one.handle])[one.handle]
    expected = read(town, one.handle, "name", "phone")
    for place, changes in enumerate(corrections, 1):
        m = mandate(town, "amend")
        done = correct.correct(town.room, m, [one.handle], changes, "register")
        assert done.versions == (known + place,)
        typed = town.room.rules().charter.holdings["residents"].fields
        expected |= {name: fields.parse(typed[name], value) for name, value in changes.items() if name in expected}
        assert read(town, one.handle, "name", "phone", version=known + place) == expected
        assert read(town, one.handle, "name", "phone") == expected


@pytest.fixture(scope="module")
def shared(founded: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests import world

    town = world.copy(founded, tmp_path_factory.mktemp("shared") / "room")
    (one,) = town.take_in(1)
    yield town, one
    town.close()
