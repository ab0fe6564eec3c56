"""A question is answered and its value stays inside: marks, budgets, and what is asked before anybody is marked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.custody.life import entries, mandate
from tests.world import Person, World

from strongroom.catalog.model import Test
from strongroom.custody import asking, check
from strongroom.errors import InputError, Refused, ValueRejected
from strongroom.gate import ask as asks
from strongroom.ledger import entry


def ask(town: World, people: list[Person], field: str, test: Test, value: str | None = None) -> list[bool | None]:
    found = asking.check(town.room, mandate(town, "verify"), [one.handle for one in people], field, test, value)
    answers = {handle: answer for part in found for handle, answer in zip(part.handles, part.answers, strict=True)}
    return [answers[one.handle] for one in people]


def test_answers_and_the_entry(town: World) -> None:
    people = town.take_in(4)
    today = datetime.fromtimestamp(town.hands.wall(), UTC).date()
    grown = [str(one.values["born"]) <= today.replace(year=today.year - 18).isoformat() for one in people]
    assert ask(town, people, "born", "adult") == grown
    assert ask(town, people, "id-number", "adult") == grown
    name = str(people[2].values["name"])
    assert ask(town, people, "name", "matches", f" {name} ") == [one.values["name"] == name for one in people]
    district = str(people[0].values["id-number"])[:6]
    assert ask(town, people, "id-number", "district", district)[0] is True
    written = entries(town)[-1]
    assert isinstance(written, entry.CheckEntry)
    assert (written.count, written.compartments, len(written.tags)) == (4, [1], 4)


def test_of_no_value_the_answer_is_none(town: World) -> None:
    row = {"id-number": "11010119900101000", "name": "", "born": "", "sex": "", "phone": "", "email": ""}
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    digits = row["id-number"]
    row["id-number"] = digits + "10X98765432"[sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11]
    people = town.seal("residents", "register", [row])
    assert ask(town, people, "born", "adult") == [None]
    assert ask(town, people, "phone", "matches", "13912345678") == [None]
    assert ask(town, people, "id-number", "adult") == [True]


def test_nothing_but_the_answer_leaves(town: World) -> None:
    people = town.take_in(2)
    (found,) = asking.check(town.room, mandate(town, "verify"), [people[0].handle], "born", "adult", None)
    assert set(vars(found)) == {"handles", "answers", "index", "receipt"}
    assert str(people[0].values["born"]) not in repr(found)


@pytest.mark.parametrize(
    ("field", "test", "value"),
    [("born", "matches", "31.12.1999"), ("phone", "matches", "not a number"), ("id-number", "matches", " ")],
)
def test_a_value_that_the_field_could_not_have_marks_nobody(town: World, field: str, test: Test, value: str) -> None:
    people = town.take_in(1)
    before = len(entries(town))
    with pytest.raises(ValueRejected) as caught:
        ask(town, people, field, test, value)
    assert value.strip() == "" or value not in str(caught.value)
    assert len(entries(town)) == before


def test_refusals_are_in_the_book(town: World) -> None:
    people = town.take_in(1)
    tries: tuple[tuple[str, Test, str | None, str], ...] = (
        ("name", "adult", None, "test"),
        ("email", "matches", "x@example.org", "field"),
        ("ghost", "matches", "x", "field"),
    )
    for field, test, value, code in tries:
        with pytest.raises(Refused) as caught:
            ask(town, people, field, test, value)
        assert caught.value.code == code
        written = entries(town)[-1]
        assert isinstance(written, entry.RefusalEntry)
        assert (written.by, written.code) == ("vault", code)


def test_what_is_compared_with_must_be_what_the_ask_commits_to(town: World) -> None:
    """A test without a value, and a value without a test for it, are no asks."""
    people = town.take_in(1)
    before = len(entries(town))
    for test, value in (("matches", None), ("adult", "1990-01-01")):
        with pytest.raises(Refused) as caught:
            ask(town, people, "born", test, value)  # type: ignore[arg-type]
        assert caught.value.code == "ask"
    assert len(entries(town)) == before


def test_guessing_at_one_record_ends_at_its_own_budget(town: World) -> None:
    """Five questions a day of one person, whoever asks; others can still be asked about."""
    people = town.take_in(2)
    for guess in range(5):
        assert ask(town, people[:1], "born", "matches", f"1901-01-0{guess + 1}") == [False]
    with pytest.raises(Refused, match="budget"):
        ask(town, people[:1], "born", "matches", str(people[0].values["born"]))
    with pytest.raises(Refused, match="budget"):
        ask(town, people, "id-number", "adult")
    assert ask(town, people[1:], "born", "matches", str(people[1].values["born"])) == [True]


def test_a_record_that_is_not_here(town: World) -> None:
    people = town.take_in(1)
    before = len(entries(town))
    with pytest.raises(InputError, match="not in residents"):
        ask(town, [*people, Person(bytes(16), {})], "born", "adult")
    assert len(entries(town)) == before


def test_the_auditor_sees_what_was_compared_with(town: World) -> None:
    people = town.take_in(1)
    m = mandate(town, "verify")
    signed = m.asker.check(
        "residents", "verify", [people[0].handle], "name", "matches", "somebody", m.case, m.reason, town.room.now()
    )
    assert signed.private.subject == asks.Queried(kind="name", value="somebody")
    assert b"somebody" not in signed.text
    assert check.check(town.room, signed).answers == (False,)
