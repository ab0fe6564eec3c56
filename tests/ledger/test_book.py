"""Entries taken together are taken and refused as they are one by one: the same of them, for the same reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger import made

from strongroom.canonical import encode
from strongroom.errors import EntryError, LedgerError
from strongroom.ledger import entry, tag
from strongroom.ledger.book import Book
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.directory import Directory

ENTRIES = made.entries(600)
BY_TYPE = {json.loads(one)["type"]: at for at, one in reversed(list(enumerate(ENTRIES)))}

MEMBERS: list[dict[str, Any]] = [
    {"charter": bytes(32)}, {"compartments": [2, 1]}, {"compartments": []}, {"count": 0}, {"count": 1000}, {"epoch": 900}, {"epoch": 2}, {"epochs": [1]},
    {"epochs": [2, 1]}, {"holding": "Residents"}, {"holding": "others"}, {"unit": "a" * 41}, {"more": 1}, {"tags": []}, {"tags": [bytes(15)]}, {"tags": [b"\1" * 16, bytes(16)]},
    {"tags": [bytes(16)] * 2}, {"time": made.START}, {"time": 2**52}, {"time": 2**53}, {"time": 253_402_300_800}, {"type": "approval"}, {"type": "heartbeat"}, {"until": 0},
    {"scope": ""}, {"code": "generation", "scope": ""}, {"marks": [(4).to_bytes(16, "big")]}, {"effective": made.START}, {"document": "{}"}, {"v": 2},
]  # fmt: skip

Bend = Callable[[list[bytes], int], None]


def bent(members: dict[str, Any]) -> Bend:
    """Members that the entry has are given these values; where it has none of them, it has them besides."""

    def bend(entries: list[bytes], at: int) -> None:
        try:
            found = json.loads(entries[at])
        except ValueError:
            return  # another bend has made it no entry
        common = {name: value for name, value in members.items() if name in found}
        entries[at] = encode(found | (common or members))

    return bend


def swap(entries: list[bytes], at: int) -> None:
    entries[at - 1], entries[at] = entries[at], entries[at - 1]


def spaced(entries: list[bytes], at: int) -> None:
    entries[at] = entries[at].replace(b":", b": ", 1)


def split(entries: list[bytes], at: int) -> None:
    head, comma, tail = entries[at].partition(b",")
    entries[at : at + 1] = [head + comma, tail]


def joined(entries: list[bytes], at: int) -> None:
    entries[at - 1 : at + 1] = [b"\n".join(entries[at - 1 : at + 1])]


def again(entries: list[bytes], at: int) -> None:
    entries.insert(at, entries[at])


def without(entries: list[bytes], at: int) -> None:
    del entries[at]


bends: st.SearchStrategy[Bend] = st.sampled_from(
    [swap, spaced, split, joined, again, without, *(bent(one) for one in MEMBERS)]
)
# Any of them, and of each type one that is found often.
places = st.integers(1, 599) | st.sampled_from(sorted({*BY_TYPE.values(), *range(300, 340)}))


def days(entries: list[bytes]) -> dict[str, bytes]:
    """What whoever writes such entries would publish beside them."""
    found: dict[str, set[tuple[bytes, int]]] = {}
    for index, data in enumerate(entries):
        try:
            one = entry.parse(data)
            found.setdefault(tag.day_path(one.time), set()).update((mark, index) for mark in entry.entry_tags(one))
        except EntryError:
            continue
    return {path: tag.marshal_day(pairs) for path, pairs in found.items()}


def told(entries: list[bytes], files: dict[str, bytes], group: int) -> Any:
    """What a book has found when it was given entries in groups of so many, or one by one (0); or why it took them not."""
    book = Book(Directory(files.__getitem__), Checkpoint(made.ORIGIN, len(entries), bytes(32)))
    seen = list[entry.Entry]()
    try:
        if group:
            for at in range(0, len(entries), group):
                seen += book.add_all(at, entries[at : at + group])
        else:
            seen += [book.add(index, one) for index, one in enumerate(entries)]
        book.days.close()
    except LedgerError as error:
        return type(error), str(error)
    life = book.life
    return seen, book.counts, book.days.tags, book.times, book.charters.known, life.destroyed, life.erasures()


@given(st.lists(st.tuples(bends, places), max_size=2), st.integers(1, 300), st.binary(max_size=1))
def test_together_and_one_by_one_are_the_same(bending: list[tuple[Bend, int]], group: int, more: bytes) -> None:
    entries = list(ENTRIES)
    for bend, at in bending:
        bend(entries, min(at, len(entries) - 1))
    files = {path: data + more for path, data in days(entries).items()}
    assert told(entries, files, group) == told(entries, files, 0)


@pytest.mark.parametrize("members", MEMBERS, ids=repr)
def test_each_is_refused_for_what_it_is_wherever_it_stands(members: dict[str, Any]) -> None:
    for kind, at in BY_TYPE.items():
        # In a day of many, so that those around it are looked at together.
        place = at if kind == "charter" else next(i for i in range(300, 332) if json.loads(ENTRIES[i])["type"] == kind)
        entries = list(ENTRIES)
        bent(members)(entries, place)
        files = days(entries)
        assert told(entries, files, 128) == told(entries, files, 0)


def test_most_are_not_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    alone, add = list[int](), Book.add

    def counted(book: Book, index: int, data: bytes) -> entry.Entry:
        alone.append(index)
        return add(book, index, data)

    monkeypatch.setattr(Book, "add", counted)
    assert told(list(ENTRIES), days(list(ENTRIES)), 32)[1]["disclosure"] > 30
    # The first hundred are an hour apart, and two charters begin among them.
    assert 0 < len(alone) < 200


@pytest.mark.parametrize("right", [True, False])
def test_a_charter_that_comes_into_force_among_entries(right: bool) -> None:
    first = made.charter(1, bytes(32))
    second = made.charter(2, made.charter_hash(first))
    day, effective = made.START // 86_400 * 86_400, made.START // 86_400 * 86_400 + 3600
    entries: list[entry.Entry] = [
        made.charter_entry(first, day, day),
        made.charter_entry(second, day + 60, effective),
        *(_find(day + 61 + at, first, at) for at in range(9)),
        *(_find(effective + at, second if right else first, 9 + at) for at in range(9)),
    ]
    data = [entry.encode(one) for one in entries]
    files = days(data)
    found = told(data, files, 0)
    assert right or found == (EntryError, "entry 11: its charter is not the one in force at its time")
    for group in range(1, 21):
        assert told(data, files, group) == found


def _find(time: int, charter: bytes, seed: int) -> entry.Entry:
    return entry.FindEntry(**made.asked(time, made.charter_hash(charter), seed), count=1, tags=[bytes([seed]) * 16])
