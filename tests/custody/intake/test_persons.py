"""Records about several persons: each has a chain of their own, whatever part they have, and is told where a purpose tells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.world import World

from strongroom.custody.intake import rows
from strongroom.custody.intake.importer import Report, Source, import_file
from strongroom.custody.intake.window import Errand
from strongroom.errors import KeyholderUnavailable, Refused
from strongroom.ledger import entry
from strongroom.store.rows import split_tokens

ANA, BEN, CLEO = "+8613800138000", "+8613900139000", "+8613700137000"
FIELDS = ("caller", "callee", "day")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(caller: str, callee: str, day: str = "2026-11-02") -> dict[str, str]:
    return {"caller": caller, "callee": callee, "day": day}


def take(
    town: World, name: str, calls: Sequence[Mapping[str, str]], purpose: str = "bill", seconds: str = "", **more: Any
) -> Report:
    path = Path(f"{name}.jsonl")
    path.write_text("".join(json.dumps(one) + "\n" for one in calls))
    others = tuple(town.key_of(one) for one in seconds.split())
    purpose = "announce" if "upsert" in more else purpose
    errand = Errand(town.asker("rui"), purpose, "calls-1", "taking in the calls of this week", others)
    return import_file(town.room, Source(path), "calls", errand, workers=1, **more)


def found(town: World, number: str) -> list[bytes]:
    return list(town.find("phone", number, "trace", "calls").handles)


def tags(town: World, handles: Sequence[bytes], fields: Sequence[str] = FIELDS) -> int:
    read = town.disclose(handles, fields, "trace", "calls")
    written = entry.parse(town.room.mirror.entry(read.index))
    assert isinstance(written, entry.DisclosureEntry)
    return len(written.tags)


def test_caller_and_callee_are_found_and_told_each_for_themselves(town: World) -> None:
    assert take(town, "calls", [call(ANA, BEN), call(BEN, CLEO), call(ANA, ""), call(CLEO, CLEO)]).stored == 4
    ((ana_ben, ana_nobody), (cleo,)) = sorted(found(town, ANA)), set(found(town, CLEO)) - set(found(town, BEN))
    assert len(found(town, BEN)) == 2
    values = town.disclose([ana_ben, ana_nobody], FIELDS, "trace", "calls").values
    assert sorted(values, key=str) == sorted([call(ANA, BEN), {**call(ANA, ""), "callee": None}], key=str)
    # Each of two persons has a tag, somebody unidentified too, and what is about nobody one of the record's own.
    assert tags(town, [ana_ben]) == tags(town, [ana_nobody]) == 3
    assert tags(town, [ana_ben], ["caller"]) == tags(town, [ana_ben], ["day"]) == 1
    # That somebody called themselves, nobody can count.
    assert tags(town, [cleo], ["caller", "callee"]) == tags(town, [ana_ben], ["caller", "callee"]) == 2
    assert tags(town, [cleo, ana_ben], ["caller", "callee"]) == 4
    stored = list(town.room.store.records(town.room.holding("calls")))
    assert {len(split_tokens(one.tokens)) for one in stored} == {2}, "their number tells nothing of that"


def test_an_upsert_by_either_of_two_persons_finds_the_record(town: World) -> None:
    take(town, "first", [call(ANA, BEN), call(CLEO, CLEO)])
    before = {one.handle: one.tokens for one in town.room.store.records(town.room.holding("calls"))}
    report = take(town, "second", [call(ANA, BEN, "2026-11-03"), call(CLEO, CLEO, "2026-11-04")], upsert="callee")
    counts = [entry.parse(town.room.mirror.entry(at)).count for at in report.entries]  # type: ignore[union-attr]
    assert counts == [1, 4, 4], "its name, the persons as of records of their own, and as of those that are there"
    latest = town.room.store.latest(town.room.holding("calls"), before)
    assert {one.handle: one.tokens for one in latest} == before
    assert {one.version for one in latest} == {2}
    days = town.disclose(list(before), ["day"], "trace", "calls").values
    assert sorted(one["day"] or "" for one in days) == ["2026-11-03", "2026-11-04"]
    assert town.room.store.problems() == []


def test_a_purpose_that_tells_tags_every_person_and_no_call_has_too_many(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry, "MAX_TAGS", 6)
    numbers = [f"+86138001380{at:02}" for at in range(10)]
    calls = [call(number, numbers[(at + 1) % 10]) for at, number in enumerate(numbers)]
    report = take(town, "calls", calls, "announce")
    written = [entry.parse(town.room.mirror.entry(at)) for at in report.entries]
    assert all(isinstance(one, entry.IntakeEntry) for one in written)
    # The import's name is nobody's; then three calls at a time, caller and callee of each, and one.
    assert [(one.count, len(one.tags)) for one in written] == [(1, 0), (6, 6), (6, 6), (6, 6), (2, 2)]  # type: ignore[union-attr]
    assert len(found(town, numbers[4])) == 2


def test_a_purpose_that_tells_nobody_tags_nobody(town: World) -> None:
    report = take(town, "calls", [call(ANA, BEN)])
    assert [entry.entry_tags(entry.parse(town.room.mirror.entry(at))) for at in report.entries] == [[], []]


def test_what_the_keyholder_was_not_told_it_is_told_the_next_time(town: World) -> None:
    take(town, "first", [call(ANA, BEN)])
    (handle,) = found(town, ANA)
    old = town.room.store.latest(town.room.holding("calls"), [handle])
    real = town.room.client._transport

    def away(path: str, signature: bytes, body: bytes) -> bytes:
        if path == "/v1/supersede":
            raise KeyholderUnavailable("gone")
        return real(path, signature, body)

    town.room.client._transport = away
    second = [call(ANA, BEN, "2026-11-03")]
    with pytest.raises(KeyholderUnavailable):
        take(town, "second", second, upsert="caller")
    number = town.room.holding("calls")
    assert town.room.store.unsettled(number, 9) == [(handle, 2)]
    town.room.client._transport = real
    report = take(town, "second", second, upsert="caller")
    assert (report.resumed, report.stored) == (True, 1)
    assert town.room.store.unsettled(number, 9) == []
    assert town.room.store.latest(number, [handle])[0].version == 2
    # From then on the old one is not given as the newest, whatever the vault does.
    town.room.store.latest = lambda *_: old  # type: ignore[method-assign]
    with pytest.raises(Refused) as refused:
        town.disclose([handle], ["day"], "trace", "calls")
    assert refused.value.code == "version"


def test_what_is_taken_in_expires_and_rotates_as_its_holding_says(town: World) -> None:
    take(town, "calls", [call(ANA, BEN), call(BEN, CLEO)])
    (batch,) = town.room.store.batches()
    today = town.room.now() // 86400
    assert batch.expires == today + 90
    assert batch.epoch == (today // 7 + 2) * 7
    # More than a rotation later the next ones go to another key, and expire later.
    town.hands.wait(8 * 86400)
    take(town, "more", [call(ANA, CLEO)])
    assert {one.expires - batch.expires for one in town.room.store.batches()} == {0, 8}


def test_many_identifiers_are_indexed_in_several_calls(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.keyholder.protocol.MAX_INNERS", 8)
    report = take(town, "calls", [call(f"+86138001380{at:02}", BEN) for at in range(10)])
    assert [entry.parse(town.room.mirror.entry(at)).count for at in report.entries] == [1, 8, 8, 4]  # type: ignore[union-attr]
    assert len(found(town, BEN)) == 10


def test_an_intake_that_wants_a_second_signature(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 2)
    calls = [call(ANA, BEN), call(BEN, CLEO), call(ANA, CLEO)]
    for purpose, seconds in (("attest", ""), ("attest", "ana"), ("bill", "eva")):
        with pytest.raises(Refused) as refused:
            take(town, "calls", calls, purpose, seconds)
        assert refused.value.code == "countersign", "one that nobody wants is refused, too"
    # In each window of the import, of which there is another one when the first ends.
    report = take(town, "calls", calls, "attest", "eva", progress=lambda _: town.hands.wait(3500))
    written = [entry.parse(town.room.mirror.entry(at)) for at in report.entries]
    assert report.stored == 3
    assert [len(one.countersigners) for one in written] == [1, 1, 1]  # type: ignore[union-attr]
