"""Several persons a record, old versions, what was declared later, second signatures: what every opening must get right."""

from __future__ import annotations

import os

import pytest
from tests.custody.life import amend, entries, mandate, tags_of
from tests.world import World

from strongroom.client.device import countersign
from strongroom.custody import asking, book, opening, read
from strongroom.errors import CommitmentError, InputError, Refused, SealError
from strongroom.gate import ask as asks
from strongroom.ledger import entry
from strongroom.seal import person

CALLER, CALLEE = "+8613912345678", "+8613887654321"


def _who(town: World, number: str) -> bytes:
    return person.inners(town.room.keys.holding("calls"), "phone", [number])[0][:16]


def _trace(town: World, handles: list[bytes], *fields: str) -> read.Disclosed:
    (found,) = asking.disclose(town.room, mandate(town, "trace", "calls"), handles, fields)
    return found


# --- several persons ---------------------------------------------------------------------------------------------------
def test_everybody_whose_part_was_opened_is_told_and_nobody_else(town: World) -> None:
    one, other = town.take_in_calls((CALLER, CALLEE), (CALLEE, CALLER))
    for handle, fields, caller, callee in (
        (one.handle, ("tower",), 1, 0),
        (one.handle, ("callee",), 1, 1),
        (one.handle, ("caller", "callee", "day"), 2, 2),
        (other.handle, ("caller",), 2, 3),
        (one.handle, ("day", "seconds"), 2, 3),
    ):
        found = _trace(town, [handle], *fields)
        assert set(found.values[0]) == set(fields)
        assert len(tags_of(town, "calls", _who(town, CALLER))) == caller
        assert len(tags_of(town, "calls", _who(town, CALLEE))) == callee
        written = entry.parse(town.room.mirror.entry(found.index))
        assert isinstance(written, entry.DisclosureEntry)
        # One more, of nobody's, where the call itself was opened.
        told = {tag for who in (CALLER, CALLEE) for tag in tags_of(town, "calls", _who(town, who))}
        assert len(set(written.tags) - told) == int(bool({"day", "seconds"} & set(fields)))


def test_who_called_themselves_finds_it_twice_and_nobody_else_can_tell(town: World) -> None:
    (one,) = town.take_in_calls((CALLER, CALLER))
    found = _trace(town, [one.handle], "caller", "callee")
    written = entry.parse(town.room.mirror.entry(found.index))
    assert len(entry.entry_tags(written)) == 2
    assert entry.entry_tags(written) == sorted(tags_of(town, "calls", _who(town, CALLER)))


def test_somebody_unidentified_has_a_chain_of_their_own_in_each_record(town: World) -> None:
    one, other = town.take_in_calls((CALLER, ""), (CALLER, ""))
    found = _trace(town, [one.handle, other.handle], "callee")
    assert [values["callee"] for values in found.values] == [None, None]
    keys = town.room.keys.holding("calls")
    whos = [who[:16] for who in person.no_value(keys, "phone", "callee", [one.handle, other.handle])]
    assert [len(tags_of(town, "calls", who)) for who in whos] == [1, 1]
    assert tags_of(town, "calls", _who(town, CALLER)) == []


@pytest.mark.parametrize("field", ["callee", "caller", "tower", "day"])
def test_a_part_sealed_under_another_person_is_found_out(town: World, field: str) -> None:
    rows = [
        {"caller": CALLER, "callee": CALLEE, "tower": "a", "day": "2026-11-02", "seconds": "61"},
        {"caller": "+8613700000000", "callee": "", "tower": "b", "day": "2026-11-02", "seconds": "62"},
    ]
    one, other = town.seal("calls", "bill", rows, shift=1)
    for record in (one, other):
        with pytest.raises(SealError, match="under another person"):
            _trace(town, [record.handle], field)


def test_parts_of_one_person_are_on_one_chain(town: World) -> None:
    """The keyholder refuses two; should it not, the vault hands nothing on, though no identifier was opened."""
    (one,) = town.take_in(1)
    room, who = town.room, os.urandom(16)
    keys, holding = room.keys.holding("residents"), room.rules().charter.holdings["residents"]
    pieces = opening.pieces(opening.rows(room, "residents", [one.handle]), [1, 2])
    opening._verify_persons(keys, holding, {one.handle: {}}, pieces, [who, who])
    with pytest.raises(SealError, match="under another person"):
        opening._verify_persons(keys, holding, {one.handle: {}}, pieces, [who, os.urandom(16)])


# --- versions and what was declared later -------------------------------------------------------------------------------
LATER = (
    ("      sex: {type: enum", "      nickname: {type: text, compartment: identity}\n      sex: {type: enum"),
    ("      contact: {number: 2}\n", "      contact: {number: 2}\n      work: {number: 3}\n"),
    ("      email: {type: email, compartment: contact}\n",
     "      email: {type: email, compartment: contact}\n      employer: {type: text, compartment: work}\n"),
    ("reads: {residents: {name: clear, born: year,", "reads: {residents: {name: clear, nickname: initial, employer: clear, born: year,"),
)  # fmt: skip


def test_what_was_declared_later_is_null(town: World) -> None:
    (one,) = town.take_in(1)
    amend(town, *LATER)
    found = town.disclose([one.handle], ("name", "nickname", "employer"))
    assert found.values == ({"name": one.values["name"], "nickname": None, "employer": None},)
    written = entry.parse(town.room.mirror.entry(found.index))
    assert isinstance(written, entry.DisclosureEntry)
    assert written.compartments == [1]


def test_a_record_with_none_of_the_compartments_names_the_mend(town: World) -> None:
    (one,) = town.take_in(1)
    amend(town, *LATER)
    before = len(entries(town))
    with pytest.raises(InputError, match="strongroom catalog migrate"):
        town.disclose([one.handle], ("employer",))
    assert len(entries(town)) == before


def test_a_version_that_is_not_here(town: World) -> None:
    (one,) = town.take_in(1)
    with pytest.raises(InputError, match="without a version 2: 1 of the records named"):
        list(asking.disclose(town.room, mandate(town, "review"), [one.handle], ["name"], 2))
    # Its first version is also its newest.
    (found,) = asking.disclose(town.room, mandate(town, "review"), [one.handle], ["name"], 1)
    assert found.values == ({"name": one.values["name"]},)
    with pytest.raises(Refused, match="version: "):
        list(asking.disclose(town.room, mandate(town, "confirm"), [one.handle], ["name"], 1))


# --- second signatures -------------------------------------------------------------------------------------------------
def test_a_second_signature_of_another_unit(town: World) -> None:
    (one,) = town.take_in(1)
    with pytest.raises(Refused, match="wants a second signature"):
        list(asking.disclose(town.room, mandate(town, "unseal"), [one.handle], ["phone"]))
    with pytest.raises(Refused, match="not for this reader to countersign"):
        list(asking.disclose(town.room, mandate(town, "unseal", seconds=("rui",)), [one.handle], ["phone"]))
    assert [(item.by, item.code) for item in entries(town)[-2:] if isinstance(item, entry.RefusalEntry)] == [
        ("vault", "countersign")
    ] * 2
    (found,) = asking.disclose(town.room, mandate(town, "unseal", seconds=("eva",)), [one.handle], ["phone"])
    assert found.values == ({"phone": one.values["phone"]},)
    written = entry.parse(town.room.mirror.entry(found.index))
    assert isinstance(written, entry.DisclosureEntry)
    assert len(written.countersigners) == 1
    for index, unit in ((found.index, ["oversight"]), (found.index - 1, ["registry"]), (found.index - 2, [])):
        seen = book.opened(town.room, index, town.root / "steward" / "auditor.key")
        assert [line.unit for line in seen.countersigners.values()] == unit


def test_a_countersignature_is_under_what_was_shown(town: World) -> None:
    (one,) = town.take_in(1)
    signed, eva = town.ask([one.handle], ("phone",), "unseal"), town.key_of("eva")
    other = town.ask([one.handle], ("email",), "unseal")
    with pytest.raises(CommitmentError, match="not the one that is shown"):
        countersign(type(signed)(signed.ask, other.text, signed.signature, signed.private), eva)
    with pytest.raises(CommitmentError, match="not the one that is shown"):
        countersign(type(signed)(signed.ask, signed.text, signed.signature, other.private), eva)
    twice = countersign(countersign(signed, eva), eva)
    assert len(twice.countersignatures) == 1


def test_countersignatures_that_are_not_in_order(town: World) -> None:
    (one,) = town.take_in(1)
    signed = town.ask([one.handle], ("phone",), "unseal")
    good = countersign(signed, town.key_of("eva"))
    (mark,) = good.countersignatures
    stranger = asks.Countersignature(reader=os.urandom(16), signature=mark.signature)
    bent = asks.Countersignature(reader=mark.reader, signature=bytes(64))
    before = len(entries(town))
    for marks in (
        (mark, mark),
        (stranger,),
        (bent,),
        (countersign(signed, town.key_of("rui")).countersignatures[0], bent),
    ):
        with pytest.raises(Refused) as caught:
            read.disclose(town.room, type(good)(good.ask, good.text, good.signature, good.private, marks))
        assert caught.value.code == "countersign"
    assert len(entries(town)) == before, "what is no signature is no ask, and no entry"


# --- parts -------------------------------------------------------------------------------------------------------------
def test_an_ask_is_of_no_more_persons_than_an_entry_has_tags(town: World) -> None:
    handles = [os.urandom(16) for _ in range(2001)]
    with pytest.raises(InputError, match="not in calls: 2001 of the records named"):
        list(asking.parts(town.room, "calls", handles, ["caller"]))
    town.room.store.latest_versions = lambda holding, handles: dict.fromkeys(handles, 1)  # type: ignore[method-assign]
    for fields, size in (
        (["caller"], 1000),
        (["caller", "tower"], 1000),
        (["caller", "callee"], 500),
        (["caller", "callee", "day"], 333),
        (None, 333),
        (["ghost"], 1000),
    ):
        parts = list(asking.parts(town.room, "calls", handles, fields))
        assert max(map(len, parts)) == size
        assert sorted(handles) == [handle for part in parts for handle in part]
    with pytest.raises(InputError, match="no record is named"):
        list(asking.parts(town.room, "calls", [], None))
