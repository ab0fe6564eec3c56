"""Entries: a closed schema, one text for one entry, and nothing personal in a message."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger import made
from tests.ledger.mutate import mutations

from strongroom.canonical import encode as canonical
from strongroom.errors import EntryError
from strongroom.ledger import entry

numbers = st.integers(0, 2**53 - 1)
names = st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True)


def raw(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


common = {"v": st.just(1), "time": numbers}
asked = common | {
    "asker": raw(12), "charter": raw(32), "commitment": raw(32),
    "countersigners": st.lists(raw(12), max_size=8, unique=True).map(sorted), "holding": names, "purpose": names, "role": names, "unit": names,
}  # fmt: skip
tags = st.lists(raw(16), min_size=1, max_size=20, unique=True).map(sorted)
compartments = st.lists(st.integers(1, 2**16 - 1), min_size=1, max_size=20, unique=True).map(sorted)
scopes = st.one_of(st.just("room"), st.just("reader"), names.map("holding:{}".format))
texts = st.text(st.characters(exclude_categories=["Cs"]))
opened = asked | {"compartments": compartments, "count": numbers, "tags": tags}
kinds = [entry.DisclosureEntry, entry.CheckEntry, entry.CorrectionEntry, entry.ExportEntry]
epochs = st.lists(st.integers(0, 2**32 - 1), max_size=20, unique=True).map(sorted)
authorities = st.from_regex(r"[A-Za-z0-9北法]([A-Za-z0-9北法院,.]| (?! )){0,50}[A-Za-z0-9北法]", fullmatch=True)
entries: st.SearchStrategy[entry.Entry] = st.one_of(
    st.builds(entry.CharterEntry, **common, document=texts, effective=numbers, signature=raw(64), steward=raw(32)),
    st.builds(entry.IntakeEntry, **asked, count=numbers, tags=st.just([]) | tags),
    st.builds(entry.FindEntry, **asked, count=st.just(1), tags=st.lists(raw(16), min_size=1, max_size=1)),
    *(st.builds(kind, **opened) for kind in kinds),
    st.builds(entry.RefusalEntry, **asked, by=st.sampled_from(["vault", "keyholder"]), code=names),
    tags.flatmap(
        lambda marks: st.builds(
            entry.ErasureEntry, **asked, count=st.just(len(marks)), epochs=epochs, marks=st.just(marks), tags=tags
        )
    ),
    st.builds(entry.ExpiryEntry, **common, epoch=st.integers(0, 2**32 - 1), holding=names, key=raw(32)),
    st.builds(entry.HoldEntry, **common, authority=authorities, holding=names, until=numbers),
    st.builds(entry.NoticeEntry, **common, code=st.sampled_from(["freeze", "thaw"]), scope=scopes),
    st.builds(entry.NoticeEntry, **common, code=st.sampled_from(["start", "generation"]), scope=st.just("")),
    st.builds(entry.HeartbeatEntry, **common),
)


@st.composite
def bents(draw: st.DrawFn) -> bytes:
    """A disclosure as its encoder would write it, of which one list or name is not what it may be."""
    odd: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"compartments": [2, 1]}, {"compartments": [1, 1]}, {"countersigners": [bytes(12)] * 2}, {"tags": [b"\1" * 16, bytes(16)]},
                {"holding": "Residents"}, {"purpose": "a" * 41}, {"role": ""}, {"unit": "a\n"}, {"count": -1}, {"time": 2**53}, {"tags": [bytes(15)]},
                {"more": 1}, {"type": "approval"}, {"unit": "x" * 65_536},
            ]
        )
    )  # fmt: skip
    return canonical(DISCLOSURE | odd)


HEARTBEAT = '{"time":7,"type":"heartbeat","v":1}'
FIND = made.entries(2)[1].decode()
DISCLOSURE: dict[str, Any] = json.loads(made.entries(8)[7])


@given(entries)
def test_entries_come_back_as_another_implementation_of_rfc8785_writes_them(one: entry.Entry) -> None:
    data = entry.encode(one)
    assert entry.parse(data) == one
    assert rfc8785.dumps(json.loads(data)) == data


@given(mutations(HEARTBEAT) | mutations(FIND) | st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_canonical_or_refused(text: str) -> None:
    try:
        found = entry.parse(text.encode())
    except EntryError:
        return
    assert entry.encode(found) == text.encode()


def outcome(parse: Callable[[], list[entry.Entry]]) -> list[entry.Entry] | str:
    try:
        return parse()
    except EntryError as error:
        return str(error)


encoded = entries.map(entry.encode) | st.sampled_from(made.entries(600))
nearly = mutations(FIND).map(str.encode) | st.builds(lambda a, b: a + b"\n" + b, encoded, encoded) | st.binary()


@given(st.lists(encoded, max_size=20), st.lists(st.tuples(st.integers(0, 20), nearly | bents()), max_size=2))
def test_many_at_once_are_taken_and_refused_as_one_by_one(good: list[bytes], bad: list[tuple[int, bytes]]) -> None:
    data = list(good)
    for at, one in bad:
        data.insert(at, one)
    assert outcome(lambda: entry.parse_all(data)) == outcome(lambda: [entry.parse(one) for one in data])


def test_lines_that_are_entries_only_together() -> None:
    whole = FIND.encode()
    at = whole.index(b",") + 1
    halves = [whole[:at], whole[at:]]
    for data in (
        halves,
        [*halves, whole + b"\n" + whole],
        [whole + b"\n", whole],
        [whole, b""],
        [whole + b"\n" + whole],
    ):
        with pytest.raises(EntryError):
            entry.parse_all(data)
    assert entry.parse_all([]) == []


def test_many_good_ones_do_not_come_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "parse", None)
    assert len(entry.parse_all(made.entries(600))) == 600


@given(st.binary())
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(EntryError):
        entry.parse(data)


def bent(**members: Any) -> bytes:
    return canonical({name: value for name, value in (DISCLOSURE | members).items() if value is not ...})


def test_the_disclosure_that_is_bent_below() -> None:
    entry.parse(bent())


@pytest.mark.parametrize(
    "members",
    [
        {"v": 2}, {"v": ...}, {"v": True}, {"type": "approval"}, {"type": "find"}, {"type": ...}, {"more": 1}, {"unit": ...}, {"time": -1},
        {"time": 2**53}, {"time": 1.0}, {"time": None}, {"asker": "AAAA"}, {"charter": "A" * 42}, {"commitment": 1}, {"holding": "Residents"},
        {"holding": "a" * 41}, {"purpose": ""}, {"role": "ç"}, {"unit": "a\n"}, {"compartments": []}, {"compartments": [0]},
        {"compartments": [65536]}, {"compartments": [2, 1]}, {"compartments": [1, 1]}, {"count": "1"}, {"tags": []}, {"tags": DISCLOSURE["tags"][::-1]},
        {"tags": DISCLOSURE["tags"][:1] * 2}, {"tags": ["AAAA"]}, {"document": "x"},
    ],
    ids=repr,
)  # fmt: skip
def test_what_the_schema_does_not_have_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(EntryError):
        entry.parse(bent(**members))


@pytest.mark.parametrize(
    "text",
    [
        " " + HEARTBEAT, HEARTBEAT + "\n", HEARTBEAT.replace(":", ": "), '{"v":1,"time":7,"type":"heartbeat"}',
        '{"time":7,"time":7,"type":"heartbeat","v":1}', HEARTBEAT.replace("7", "7.0"), HEARTBEAT.replace("7", "7e0"), HEARTBEAT.replace("7", "07"),
        HEARTBEAT.replace("heart", "\\u0068eart"), "[" + HEARTBEAT + "]", "null", "", "[" * 10_000,
    ],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(EntryError):
        entry.parse(text.encode())


def disclosure(**members: Any) -> entry.DisclosureEntry:
    given = made.asked(5, bytes(32), 1) | {"compartments": [1], "count": 1, "tags": [bytes(16)]}
    return entry.DisclosureEntry(**(given | members))


def test_limits() -> None:
    marks = [n.to_bytes(16, "big") for n in range(1001)]
    assert len(entry.encode(disclosure(tags=marks[:1000], count=1000))) < 65_535
    for broken in (
        disclosure(tags=marks),
        disclosure(tags=marks[::-1][:9]),
        disclosure(tags=[bytes(15)]),
        disclosure(unit="No Name"),
    ):
        with pytest.raises(EntryError):
            entry.encode(broken)
    charter = made.charter_entry(b"x" * 65_000, 1, 1)
    assert entry.parse(entry.encode(charter)) == charter
    with pytest.raises(EntryError, match="over 65535"):
        entry.encode(made.charter_entry(b"x" * 65_536, 1, 1))


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        ("start", "room"),
        ("generation", "room"),
        ("freeze", ""),
        ("thaw", "holding:"),
        ("freeze", "reader:00"),
        ("stop", "room"),
    ],
)
def test_notices_have_their_scope(code: Any, scope: str) -> None:
    with pytest.raises(EntryError):
        entry.encode(entry.NoticeEntry(v=1, time=1, code=code, scope=scope))


def test_messages_hold_no_value() -> None:
    with pytest.raises(EntryError) as caught:
        entry.parse(bent(holding="Zhang San"))
    assert "Zhang" not in str(caught.value)
    with pytest.raises(EntryError) as caught:
        entry.parse(bent(**{"Zhang San": 1}))
    assert "Zhang" not in str(caught.value)


def test_what_an_entry_says_of_tags_and_charter() -> None:
    found = [entry.parse(one) for one in made.entries(17)]
    assert [len(entry.entry_tags(one)) for one in found] == [0, 1, 0, 0, 2, 0, 0, 2, 1, 2, 0, 0, 0, 3, 1, 2, 2]
    without = {"charter", "expiry", "hold", "notice", "heartbeat"}
    for one in found:
        assert (entry.charter_hash_of(one) is None) is (one.__struct_config__.tag in without)


@pytest.mark.parametrize(
    "authority", ["", "a" * 201, " court", "a  b", "a\tb", "a\nb", "a\u200bb", "e\u0301", "a\ufdd0", "\u202ea"]
)
def test_an_authority_is_written_one_way(authority: str) -> None:
    entry.encode(entry.HoldEntry(v=1, time=1, authority="Cour d’appel, 北区人民法院", holding="calls", until=2))
    with pytest.raises(EntryError, match="authority"):
        entry.encode(entry.HoldEntry(v=1, time=1, authority=authority, holding="calls", until=2))
