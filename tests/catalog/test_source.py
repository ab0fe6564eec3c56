"""The custodian's YAML: what is read, and what is refused with its line and mend (SPEC.md 6.7)."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.catalog import charter as documents
from strongroom.catalog import source
from strongroom.catalog.check import check
from strongroom.catalog.model import Charter
from strongroom.catalog.source import Source
from strongroom.catalog.types import identifier_kinds
from strongroom.errors import CatalogError

CITY = Path("examples/city/charter.yaml").read_text("utf-8")
EXAMPLES = sorted(Path("examples").glob("*/charter.yaml"))
SMALL = """\
name: small.example
delay: 72h
holdings:
  members:
    about: Members of a club
    lawful-basis: Their own consent
    retention: 3y
    compartments: {identity: 1}
    fields:
      number: {type: text, compartment: identity, identifier: primary}
purposes:
  greet:
    about: To greet a member
    lawful-basis: Their own consent
    actions: [find, disclose]
    roles: [host]
    units: [door]
    reads:
      members: {number: clear}
    budgets: {reader: [5/minute]}
    find-by: {members: [text:number]}
"""


def built(found: Source) -> Charter:
    base = sample.charter(name=found.name)
    kinds = {name: identifier_kinds(holding) for name, holding in found.holdings.items()}
    return source.build(
        found,
        version=1,
        previous=bytes(32),
        room=bytes(16),
        stewards=[bytes(32)],
        roster=bytes(32),
        auditor=bytes(1216),
        vault=base.vault,
        keyholder=base.keyholder,
        buckets={name: dict.fromkeys(found, bytes(32)) for name, found in kinds.items()},
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_examples_hold(path: Path) -> None:
    found = source.load(path.read_bytes(), str(path))
    assert not [finding for finding in check(found) if finding.level == "error"]
    charter = built(found)
    assert documents.parse(documents.document(charter)) == charter


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


def test_defaults_and_durations() -> None:
    found = source.load(SMALL, "small.yaml")
    assert (found.delay, found.heartbeat, found.merge_units_below, found.rules) == (259200, 3600, 3, "")
    members = found.holdings["members"]
    assert (members.retention, members.compartments["identity"].floor) == (1095, 256)
    assert found.budgets.room == []
    assert found.place(("purposes", "greet", "roles", "nowhere")) == "small.yaml:16"
    assert found.place(("nowhere",)) == "small.yaml:1"


# What is replaced, by what, and the line and words of the complaint.
BROKEN = [
    (
        "name: small.example",
        "name: small.example\nname: other.example",
        2,
        "name stands here twice, first in line 1. Keep one",
    ),
    ("delay: 72h", "delay: 72", 2, "delay is not a duration. Write one such as 0s, 30m, 72h, 3d or 1y"),
    ("delay: 72h", "delay: 1:30", 2, "delay is not a duration"),
    ("delay: 72h", "delay: &d 72h", 2, r"aliases .* are not read"),
    ("retention: 3y", "retention: *d", 7, "not YAML: found undefined alias|aliases"),
    ("delay: 72h", "delay: !!str 72h", 2, "tags"),
    ("delay: 72h", "dealy: 72h", 2, "has no member dealy. Did you mean delay"),
    ("delay: 72h\n", "", 1, "the charter lacks delay. Add a line delay"),
    ("retention: 3y", "retention: 90m", 7, "retention is not a duration. Write one such as 30d or 10y"),
    ("name: small.example", "name: no", 1, 'name is text, but YAML reads no as yes or no. Put it in "quotes"'),
    ("name: small.example", "name: 2020-01-01", 1, "YAML reads 2020-01-01 as a date"),
    ("name: small.example", "name: 0123", 1, "as a YAML int"),
    ("name: small.example", "name:", 1, "YAML reads nothing as nothing"),
    ("name: small.example", "name: [a]", 1, "name is not a text"),
    ("{identity: 1}", "{identity: 0x1}", 8, "not a whole number"),
    ("{identity: 1}", "{identity: 70000}", 8, "not a whole number from 0 to 65535"),
    ("{identity: 1}", "{Identity: 1}", 8, "a compartment cannot be called that"),
    ("{identity: 1}", "[identity]", 8, "not a table of members"),
    ("identifier: primary}", "identifier: primry}", 10, "identifier cannot be primry. Did you mean primary"),
    ("identifier: primary}", "identifier: primary, required: yes}", 10, "neither true nor false"),
    ("actions: [find, disclose]", "actions: find", 15, "actions is not a list"),
    ("actions: [find, disclose]", "actions: [find, disclos]", 15, "Did you mean disclose"),
    ("{number: clear}", "{number: last-for}", 19, "Did you mean last-four"),
    ("roles: [host]", "roles: [on]", 16, "YAML reads on as yes or no"),
    ("    about: Members", "\tabout: Members", 5, "not YAML"),
    ("purposes:\n", "---\npurposes:\n", 11, "a second document begins"),
]


@pytest.mark.parametrize(("old", "new", "line", "says"), BROKEN, ids=[new for _, new, _, _ in BROKEN])
def test_what_cannot_be_read_names_line_and_mend(old: str, new: str, line: int, says: str) -> None:
    assert old in SMALL
    with pytest.raises(CatalogError, match=says) as found:
        source.load(SMALL.replace(old, new, 1), "small.yaml")
    assert found.value.place == f"small.yaml:{line}"
    assert found.value.mend


# What reads well but does not fit together: found by check and by build, at its line.
UNFIT = [
    ("type: text,", "type: txt,", 10, "no field type txt"),
    ("compartment: identity,", "compartment: identty,", 10, "no compartment identty"),
    ("{identity: 1}", "{identity: 1, other: 1}", 8, "number 1 is already identity's"),
    (
        "type: text, compartment: identity, identifier: primary",
        "type: date, compartment: identity, identifier: primary",
        10,
        "type date cannot be an identifier",
    ),
    ("{number: clear}", "{number: year}", 19, "year does not fit the type text"),
    ("{number: clear}", "{numbre: clear}", 19, "members has no field numbre"),
    ("members: {number: clear}", "guests: {number: clear}", 19, "there is no holding guests"),
    ("[5/minute]", "[5/minutes]", 20, "not a rate. Want a rate such as"),
    ("[5/minute]", "[5/minute, 6/minute]", 20, "two rates of one period"),
    ("actions: [find, disclose]", "actions: [find]", 18, "names fields but may not disclose"),
    ("actions: [find, disclose]", "actions: [disclose]", 21, "names kinds of identifier but may not find"),
    ("    find-by: {members: [text:number]}\n", "", 12, "find people, but by no kind"),
    ("[text:number]", "[]", 21, "want at least one kind"),
    ("[text:number]", "[text:number, text:number]", 21, "each once"),
    ("[text:number]", "[phone]", 21, "no identifier of kind phone. Use one of text:number"),
    ("{members: [text:number]}", "{guests: [text:number]}", 21, "guests is no holding of its reads"),
    ("units: [door]", "units: [other]", 17, "a unit too small to name"),
    ("  greet:", "  unknown:", 12, "does not know"),
    ("roles: [host]", "roles: []", 16, "want at least one"),
    ("name: small.example", "name: Small Example", 1, "not a room's name"),
    ("retention: 3y", "retention: 151y", 7, "longer than 150 years"),
    ("retention: 3y", "retention: 3y\n    rotation: 0d", 8, "not between a day and 366 days"),
    ("retention: 3y", "retention: 3y\n    rotation: 2y", 8, "not between a day and 366 days"),
    ("{identity: 1}", "{identity: {number: 1, person: numbr}}", 8, "numbr is no primary identifier. Use one of number"),
    ("{identity: 1}", "{identity: {number: 1, person: nobody}}", 10, "its compartment identity is about nobody"),
    ("{identity: 1}", "{identity: {number: 1, floor: 100}}", 8, "not a multiple of 64 from 64 to 524288"),
    (
        "type: text, compartment: identity, identifier: primary",
        "type: image, compartment: identity, max: 300000",
        10,
        "at most 262,144 bytes",
    ),
    ("{type: text,", "{needs: {gold: [number]}, type: text,", 10, "Only an enum has needs"),
    ("actions: [find, disclose]", "actions: [find, disclose, check]", 12, "it may check, but no test is named"),
    ("actions: [find, disclose]", "actions: [find, disclose, export]", 12, "says not how many records"),
    (
        "actions: [find, disclose]",
        "actions: [find, disclose, export]\n    most: 20000",
        16,
        "it may export 20,000 records at once",
    ),
    ("    budgets:", "    most: 10\n    budgets:", 20, "most says nothing where it may not export"),
    ("    budgets:", "    tells: true\n    budgets:", 20, "tells says nothing where it may not intake"),
    ("    budgets:", "    checks: {members: {number: [adult]}}\n    budgets:", 20, "may not check"),
    ("    budgets:", "    checks: {members: {number: [adult]}}\n    budgets:", 20, "adult does not fit the type text"),
    ("    budgets:", "    countersign: {roles: [host], units: []}\n    budgets:", 20, "want roles and units"),
    ("    budgets:", "    countersign: {roles: [host], units: [door]}\n    budgets:", 20, "nobody can countersign"),
    ("[5/minute]", "[5/minute], record: [0/day]", 20, "not a rate"),
    ("delay: 72h", "delay: 72h\nrules: 'permit (principal, action, resource);'", 3, "only forbid"),
]


@pytest.mark.parametrize(("old", "new", "line", "says"), UNFIT, ids=[new for _, new, _, _ in UNFIT])
def test_what_does_not_fit_names_line_and_mend(old: str, new: str, line: int, says: str) -> None:
    assert old in SMALL
    found = source.load(SMALL.replace(old, new, 1), "small.yaml")
    findings = [finding for finding in check(found) if re.search(says, f"{finding.problem}. {finding.mend}")]
    assert findings
    assert (findings[0].level, findings[0].place) == ("error", f"small.yaml:{line}")
    with pytest.raises(CatalogError) as raised:
        built(found)
    assert raised.value.place.startswith("small.yaml:")


TWO = """\
name: two.example
delay: 72h
holdings:
  calls:
    about: Who called whom
    lawful-basis: Telecommunications Act, section 5
    retention: open-ended
    rotation: 7d
    compartments:
      caller: {number: 1, person: caller}
      callee: {number: 2, person: callee}
      notes: {number: 3, person: nobody}
      rest: 4
    fields:
      caller: {type: phone, compartment: caller, identifier: primary, required: true}
      callee: {type: phone, compartment: callee, identifier: primary}
      code: {type: enum, compartment: notes, values: [red, "红"], needs: {red: [photo, why], "红": [why]}}
      why: {type: text, compartment: notes}
      photo: {type: image, compartment: rest, max: 1000}
purposes:
  listen:
    about: To find out who calls
    lawful-basis: Telecommunications Act, section 6
    actions: [find, disclose, check, export]
    roles: [detective]
    units: [crime]
    find-by: {calls: [phone]}
    reads: {calls: {caller: clear, photo: clear}}
    checks: {calls: {why: [matches], callee: [matches]}}
    history: true
    held: true
    most: 5
    countersign: {roles: [judge], units: [court]}
    budgets: {reader: [5/day], record: [1/day]}
  take:
    about: To take calls in
    lawful-basis: Telecommunications Act, section 4
    actions: [intake]
    roles: [robot]
    units: [exchange]
    reads: {calls: {}}
    tells: true
"""


def test_everything_that_may_be_said_of_a_holding_with_several_persons() -> None:
    found = source.load(TWO, "two.yaml")
    assert not [finding for finding in check(found) if finding.level == "error"]
    calls, listen = found.holdings["calls"], found.purposes["listen"]
    assert (calls.retention, calls.rotation) == (0, 7)
    assert [c.person for c in calls.compartments.values()] == ["caller", "callee", "", ""]
    assert calls.fields["code"].needs == {"photo": ["red"], "why": ["red", "红"]}
    assert listen.checks == {"calls": {"why": ["matches"], "callee": ["matches"]}}
    assert (listen.history, listen.held, listen.tells, listen.most) == (True, True, False, 5)
    assert (listen.countersign.roles, listen.countersign.units) == (["judge"], ["court"])
    assert listen.budgets.record == ["1/day"]
    assert found.purposes["take"].tells
    assert documents.parse(documents.document(built(found))).holdings == found.holdings


def test_one_person_is_everybodys_unless_told() -> None:
    assert source.load(SMALL, "f").holdings["members"].compartments["identity"].person == "number"
    assert source.load(SMALL, "f").holdings["members"].rotation == 30


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("red: [photo, why]", "red: [photos]", 17, "there is no other field photos"),
        ("red: [photo, why]", "red: [code]", 17, "there is no other field code"),
        ("red: [photo, why]", "Red: [photo]", 17, "Red is no value of code"),
        ("callee: {number: 2, person: callee}", "callee: {number: 2, person: caller}", 16, "is about caller"),
    ],
)
def test_needs_and_persons_name_line_and_mend(old: str, new: str, line: int, says: str) -> None:
    assert old in TWO
    findings = check(source.load(TWO.replace(old, new, 1), "two.yaml"))
    assert [finding.place for finding in findings if says in finding.problem] == [f"two.yaml:{line}"]


def test_kinds_are_sorted_whatever_the_order() -> None:
    two = SMALL.replace("primary}", "primary}\n      mail: {type: email, compartment: identity, identifier: secondary}")
    found = source.load(two.replace("[text:number]", "[text:number, email]"), "f")
    assert found.purposes["greet"].finds == {"members": ["email", "text:number"]}


def test_bytes_are_utf8_with_or_without_a_mark() -> None:
    assert source.load(b"\xef\xbb\xbf" + SMALL.encode(), "f") == source.load(SMALL, "f")
    with pytest.raises(CatalogError, match="f:22: the file is not UTF-8"):
        source.load(SMALL.encode() + "rules: 规则".encode("gb18030"), "f")


def test_depth_and_size_are_bounded() -> None:
    with pytest.raises(CatalogError, match="nested over 12 deep"):
        source.load("a: " + "[" * 5000, "f")
    with pytest.raises(CatalogError, match="over 1,000,000"):
        source.load("#" * 1_000_001, "f")


@st.composite
def mangled(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from([SMALL, CITY])).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "double", "text", "swap", "cut"]))
        if change == "drop":
            lines[at] = ""
        elif change == "double":
            lines[at] *= 2
        elif change == "text":
            lines[at] = draw(st.text(alphabet="ab:-[]{}#&*!|>'\"%@` \t\n0é,?", max_size=20)) + "\n"
        elif change == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
    return "".join(lines)


@given(mangled() | st.text(max_size=200))
def test_only_our_error_escapes(text: str) -> None:
    with suppress(CatalogError):
        found = source.load(text, "f")
        if not [finding for finding in check(found) if finding.level == "error"]:
            documents.document(built(found))
