"""What a custodian is warned of before signing: allowed, and worth knowing (SPEC.md 6.7)."""

from __future__ import annotations

import pytest
from tests.catalog.test_source import CITY, EXAMPLES, SMALL, TWO

from strongroom.catalog import source
from strongroom.catalog.check import check


def said(text: str) -> list[str]:
    """The warnings of ``text``, which has no errors, as ``LINE: warning: ...``."""
    findings = check(source.load(text, "f"))
    assert {finding.level for finding in findings} <= {"warning"}
    return [str(finding).removeprefix("f:") for finding in findings]


def test_warnings_of_a_poor_charter() -> None:
    poor = SMALL.replace("72h", "0s").replace("    budgets: {reader: [5/minute]}\n", "").replace("primary", "secondary")
    poor = poor.replace("identifier: secondary}", "identifier: secondary, max: 500}").replace("clear", "last-four")
    found = " / ".join(said(poor + "merge-units-below: 1\n"))
    for words in ("within a day", "small units", "whole room", "primary identifier", "Raise floor to 576", "no budget"):
        assert words in found
    assert "opens the compartment identity, yet hides number (last-four)" in found
    assert "action intake" in found


def test_finding_by_what_is_not_read_is_a_warning() -> None:
    two = SMALL.replace("primary}", "primary}\n      mail: {type: email, compartment: identity, identifier: secondary}")
    by = two.replace("[text:number]", "[text:number, email]")
    for text, warned in ((two, False), (by, True), (by.replace("{number: clear}", "{mail: clear}"), False)):
        found = [one for one in said(text) if "finds people by email" in one]
        assert bool(found) is warned
        assert all(one.startswith("22: warning") for one in found)


def test_a_person_who_may_be_unnamed_is_warned_of() -> None:
    assert "required" not in SMALL
    words = "whoever a record does not name by number is unidentified"
    assert any(words in one for one in said(SMALL))
    assert not any(
        words in one for one in said(SMALL.replace("identifier: primary", "identifier: primary, required: true"))
    )
    assert next(one for one in said(TWO) if "unidentified" in one).startswith(
        "16: warning: whoever a record does not name by callee "
    )


def test_a_compartment_about_nobody_is_one_on_purpose() -> None:
    assert [one[:2] for one in said(TWO) if "it is about nobody" in one] == ["13"]
    assert not [
        one for one in said(TWO.replace("rest: 4", "rest: {number: 4, person: nobody}")) if "about nobody" in one
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("record: [1/day]", "unit: [9/day]", "34: warning: no budget per record: whoever may ask again"),
        (
            "why: {type: text,",
            "why: {type: date,",
            "29: warning: matches on why tells it to whoever asks often enough: it has some",
        ),
        (
            "why: [matches]",
            "code: [matches]",
            "29: warning: matches on code tells it to whoever asks often enough: it has only 2",
        ),
        ("most: 5", "most: 1001", "32: warning: one ask takes out up to 1,001 records"),
        ("rotation: 7d", "rotation: 91d", "8: warning: keys live up to 182 days, and only then is an erasure final"),
        ("rotation: 7d", "rotation: 90d", ""),
        ("max: 1000", "max: 200000", "Raise floor to 200064, lower max"),
        (
            "photo: {type: image, compartment: rest, max: 1000}",
            "\n      ".join(
                f"{name}: {{type: image, compartment: rest, max: 262144}}" for name in ("photo", "p1", "p2")
            ),
            "Lower max of its fields, or split it",
        ),
        (
            "    budgets: {reader: [5/day], record: [1/day]}\n",
            "",
            "21: warning: this purpose has no budget: one login could take the holding out",
        ),
    ],
)
def test_what_makes_guessing_copying_and_waiting_easy_is_warned_of(old: str, new: str, words: str) -> None:
    assert old in TWO
    was, found = said(TWO), said(TWO.replace(old, new, 1))
    assert not words or not any(words in one for one in was)
    assert any(words in one for one in found)


def test_a_test_of_what_is_shown_anyway_is_no_warning() -> None:
    shown = TWO.replace("checks: {calls: {why", "checks: {calls: {code: [matches], why").replace(
        "photo: clear", "code: clear"
    )
    assert not [one for one in said(shown) if "matches on code" in one]


def test_the_way_around_a_second_signature_is_warned_of() -> None:
    signed = TWO.replace("    tells: true\n", "    tells: true\n    countersign: {roles: [judge], units: [court]}\n")
    mend = """\
  mend:
    about: To mend what was misspelt
    lawful-basis: Telecommunications Act, section 9
    actions: [correct]
    roles: [clerk]
    units: [desk]
    reads: {calls: {code: clear}}
"""
    assert not [one for one in said(signed) if "one signature writes" in one]
    found = [one for one in said(signed + mend) if "one signature writes to calls what take may only with two" in one]
    assert len(found) == 1
    assert any("one login could overwrite the holding" in one for one in said(signed + mend))
    assert not [one for one in said(TWO + mend) if "one signature writes" in one]


def test_who_corrects_must_be_able_to_index() -> None:
    mend = """\
  mend:
    about: To mend what was misspelt
    lawful-basis: Telecommunications Act, section 9
    actions: [correct]
    roles: [robot]
    units: [desk]
    reads: {calls: {code: clear}}
    budgets: {reader: [5/day]}
"""
    words = "whoever corrects calls may not index its identifiers anew"
    assert any(words in one for one in said(TWO + mend))
    for helped in (mend.replace("[desk]", "[exchange]"), mend.replace("[correct]", "[correct, intake]")):
        assert not any(words in one for one in said(TWO + helped))


def test_the_examples_have_no_errors() -> None:
    for path in EXAMPLES:
        said(path.read_text("utf-8"))


def test_the_city_warns_only_of_what_it_means() -> None:
    """Each of these is explained in the file, where it stands."""
    found = [one.partition(": warning: ")[2] for one in said(CITY)]
    for words in MEANT:
        assert any(words in one for one in found), words
    assert len(found) == len(MEANT)


MEANT = [
    "within a day",
    "by reporter, suspect, victim is unidentified",
    "opens the compartment identity, yet hides id-number",
    "opens the compartment birth, yet hides born",
    "matches on code",
]
