"""The report: what it counts, what it says of erasures, and that a charter's words set no type in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from tests.catalog import sample

from strongroom.catalog import source
from strongroom.catalog.model import Charter
from strongroom.errors import CatalogError
from strongroom.ledger import entry
from strongroom.report import about, html, markdown
from strongroom.report.document import Command, Document, Section, Table
from strongroom.report.facts import Facts
from strongroom.report.sections import report

DAY = 86_400
START = 20_000 * DAY


def _asked(kind: type, time: int, purpose: str = "confirm", **more: object) -> entry.Entry:
    found: entry.Entry = kind(
        v=1,
        time=time,
        asker=bytes(12),
        charter=bytes(32),
        commitment=bytes(32),
        countersigners=[],
        holding="residents",
        purpose=purpose,
        role="clerk",
        unit="registry",
        **more,
    )
    return found


def _opened(kind: type, time: int, count: int, purpose: str = "confirm") -> entry.Entry:
    return _asked(kind, time, purpose, compartments=[1], count=count, tags=[bytes(16)])


def _erased(time: int, epochs: list[int]) -> entry.Entry:
    return _asked(entry.ErasureEntry, time, "close", count=2, epochs=epochs, marks=[bytes(16)], tags=[bytes(16)])


def _charter(**changed: str) -> Charter:
    return sample.charter(**changed)


def _facts(*entries: entry.Entry, since: int = START, until: int = START + 400 * DAY) -> Facts:
    facts = Facts(since, until)
    for index, each in enumerate(entries):
        facts.visit(index, each)
    return facts


def _text(facts: Facts, told: about.About = about.NOTHING) -> str:
    return markdown.render(report(facts, _charter(), told, "--from public --vkeys FILE"))


def test_reads_are_counted_by_purpose_unit_and_kind_within_the_period() -> None:
    facts = _facts(
        _opened(entry.DisclosureEntry, START - 1, 100),
        _opened(entry.DisclosureEntry, START, 3),
        _opened(entry.CheckEntry, START + 5, 1),
        _opened(entry.DisclosureEntry, START + 9, 4, "reach"),
        _opened(entry.DisclosureEntry, START + 10, 5),
        _opened(entry.DisclosureEntry, START + 400 * DAY, 100),
    )
    counted = sorted(facts.tallies.items())
    rows = [
        (key.purpose, key.type, tally.entries, tally.records, tally.first, tally.last)
        for key, tally in sorted(counted, key=lambda one: one[0].purpose)
    ]
    assert rows == [
        ("confirm", "check", 1, 1, 2, 2),
        ("confirm", "disclosure", 2, 8, 1, 4),
        ("reach", "disclosure", 1, 4, 3, 3),
    ]
    text = _text(facts)
    assert "| confirm | registry | residents | disclosure | 2 | 8 | 1 to 4 |" in text
    assert "strongroom ledger entries --from public --vkeys FILE --type disclosure --purpose reach" in text


def test_an_erasure_is_final_only_when_every_key_of_then_is_destroyed() -> None:
    until = 20_030
    gone = entry.ExpiryEntry(v=1, time=START + DAY, epoch=20_001, holding="residents", key=bytes(32))
    other = entry.ExpiryEntry(v=1, time=START + DAY, epoch=until, holding="patients", key=bytes(32))
    facts = _facts(_erased(START, [20_001, until]), _erased(START + 1, [20_001]), gone, other)
    assert [facts.pending(each) for each in facts.erased] == [[until], []]
    text = _text(facts)
    assert "| final on 2024-11-03 | 0 |" in text
    assert "| final | 1 |" in text


def test_an_erasure_from_before_that_is_not_final_yet_is_still_named() -> None:
    assert "final on" in _text(_facts(_erased(START - 90 * DAY, [20_001]), entry.HeartbeatEntry(v=1, time=START)))


def test_what_nobody_stated_is_said_to_be_missing_and_what_was_stated_stands_there() -> None:
    facts = _facts(entry.HeartbeatEntry(v=1, time=START))
    assert "Not stated. Write `controller:`" in _text(facts)
    told = about.load("controller: The town | of *Riverton*\n", "about.yaml")
    assert "Controller | The town \\| of" in _text(facts, told)
    with pytest.raises(CatalogError, match=r"about\.yaml"):
        about.load("controler: x\n", "about.yaml")


def test_a_charters_words_set_no_type() -> None:
    hostile = "x <script>alert(1)</script> | `rm` [a](javascript:x) ![b](c) # _d_ \\"
    document = Document(
        hostile, (hostile,), (Section(hostile, (hostile, Table((hostile,), ((hostile,),)), Command("a <b>"))),)
    )

    class Tags(HTMLParser):
        found: list[str]

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.found.append(tag)

    parser = Tags()
    parser.found = []
    parser.feed(html.render(document))
    assert "script" not in parser.found
    assert "a" not in parser.found
    assert "img" not in parser.found
    text = markdown.render(document)
    assert not re.search(r"(?<!\\)[<\[]", re.sub(r"`[^`]*`|```sh\n.*\n```", "", text))


def test_the_example_says_everything() -> None:
    with open("examples/city/about.yaml", "rb") as file:
        told = about.load(file.read(), "about.yaml")
    assert told.told.keys() == about.MEMBERS.keys()


def test_a_source_of_the_example_makes_sections_for_each_purpose() -> None:
    with open("examples/city/charter.yaml", "rb") as file:
        names = source.load(file.read(), "charter.yaml").purposes.keys()
    assert names
