"""The gate decides as ``permit`` does, and as the custodian's rules forbid (SPEC.md 7.3, 8.4, 8.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.catalog import sample

from strongroom.canonical import encode
from strongroom.catalog import charter as documents
from strongroom.catalog.model import Countersign, Holding, PurposeBudgets, RosterLine
from strongroom.errors import FormatError, Refused
from strongroom.gate import ask as asks
from strongroom.gate import cedar
from strongroom.gate.ask import (
    Ask,
    CheckAsk,
    CorrectAsk,
    DiscloseAsk,
    EraseAsk,
    ExportAsk,
    FindAsk,
    IntakeAsk,
    PrivateHalf,
    Queried,
    reader_id,
)
from strongroom.gate.decision import Gate
from strongroom.gate.permit import countersigned, permitted, public_unit, public_units

NOON = 1_800_014_400  # 2027-01-15, a Friday, 12:00 UTC
NIGHT = NOON - 8 * 3600

CALLS: Holding = sample.holding(
    compartments={
        "identity": sample.compartment(1, person="badge"),
        "contact": sample.compartment(2, person="badge"),
        "plain": sample.compartment(3, person=""),
    },
    fields={
        "caller": sample.field("phone", identifier="secondary"),
        "badge": sample.field("text", identifier="primary"),
        "note": sample.field("text", "contact"),
        "began": sample.field("date", "plain"),
    },
)
CHARTER = sample.charter(
    holdings={"residents": sample.holding(), "calls": CALLS},
    buckets=sample.charter().buckets | {"calls": {"phone": bytes(32), "text:badge": bytes(32)}},
    purposes=sample.charter().purposes
    | {
        "trace-call": sample.purpose(
            roles=["officer", "clerk"],
            units=["station"],
            reads={"calls": {"caller": "last-four", "note": "clear"}, "residents": {"name": "initial"}},
            finds={"calls": ["phone"]},
            budgets=PurposeBudgets(reader=[], unit=[], record=[], purpose=[]),
        ),
        "review": sample.purpose(
            actions=["disclose", "export", "check"],
            roles=["officer", "clerk"],
            units=["station"],
            reads={"calls": {"caller": "last-four", "began": "clear"}, "residents": {"name": "initial"}},
            finds={},
            checks={"calls": {"began": ["adult"], "caller": ["matches"]}},
            history=True,
            most=100,
        ),
        "amend": sample.purpose(
            actions=["correct", "erase"],
            roles=["officer", "clerk"],
            units=["station", "health"],
            reads={"calls": {"note": "clear"}},
            finds={},
            countersign=Countersign(roles=["officer"], units=["station", "registry"]),
        ),
    },
)
LINES = [
    sample.line(f"{role}-{unit}", role, unit)
    for role in ("clerk", "registrar", "officer", "stranger")
    for unit in ("registry", "health", "station", "nowhere")
]
GATE = Gate(documents.parse(documents.document(CHARTER)), LINES)


def private(subject: Queried | None = None, *, of: RosterLine, **changes: str) -> PrivateHalf:
    said = {"case": "2027/114", "reason": "Renewal of an identity card at desk 4"} | changes
    return PrivateHalf(reader=reader_id(of.key), salt=bytes(32), subject=subject, **said)


def ask(form: type[Any], half: PrivateHalf, line: RosterLine, **members: Any) -> Any:
    common = {
        "v": 1,
        "charter": bytes(32),
        "commitment": half.commitment(),
        "holding": "residents",
        "nonce": bytes(16),
        "purpose": "confirm-identity",
        "reader": reader_id(line.key),
        "room": CHARTER.room,
        "time": NOON,
    }
    return form(**common | members)


def disclose(line: RosterLine, *fields: str, **members: Any) -> DiscloseAsk:
    members = {"records": [bytes(16)], "version": 0} | members
    found: DiscloseAsk = ask(DiscloseAsk, private(of=line), line, fields=list(fields), **members)
    return found


def cedar_alone(ask: Ask, now: int = NOON) -> bool:
    result = cedarpy.is_authorized(cedar.request(ask, "2027/114", now), GATE._policies, GATE._entities)
    assert not result.diagnostics.errors
    return result.allowed


def outcome(decide: Callable[..., Any], *arguments: Any) -> Any:
    """What is given, or the code of the refusal."""
    try:
        return decide(*arguments)
    except Refused as refused:
        return refused.code


def refusal(*arguments: Any) -> str:
    code = outcome(GATE.decide, *arguments)
    assert isinstance(code, str)
    return code


SECONDS = {reader_id(LINES[10].key): LINES[10]}  # the officer of the station
FIELDS = ["id-number", "name", "born", "sex", "phone", "address", "caller", "badge", "note", "began", "ghost"]
KINDS = ["resident-id", "phone", "email", "text:badge", "text:note", ""]


def writing(*fields: str) -> Queried:
    return Queried(kind="values", value=encode(dict.fromkeys(fields, "x")).decode())


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Ask, PrivateHalf, RosterLine]:
    line = draw(st.sampled_from(LINES))
    members: dict[str, Any] = {
        "holding": draw(st.sampled_from(["residents", "calls", "footage"])),
        "purpose": draw(st.sampled_from([*CHARTER.purposes, "curiosity"])),
    }
    kind = draw(st.sampled_from([FindAsk, DiscloseAsk, CheckAsk, CorrectAsk, EraseAsk, IntakeAsk, ExportAsk]))
    half = private(of=line)
    if kind is FindAsk:
        members["kind"] = draw(st.sampled_from(KINDS))
        half = private(Queried(kind=members["kind"], value="x"), of=line)
    if kind is CheckAsk:
        members |= {"field": draw(st.sampled_from(FIELDS)), "test": draw(st.sampled_from(["adult", "matches"]))}
        if members["test"] == "matches":
            half = private(Queried(kind=members["field"], value="x"), of=line)
    if kind in (IntakeAsk, ExportAsk):
        members |= {"count": draw(st.sampled_from([1, 99, 100, 101, 10**8])), "until": NOON + 60}
    else:
        members |= {} if kind is FindAsk else {"records": [bytes(16)]}
    if kind in (DiscloseAsk, CorrectAsk, ExportAsk):
        members["fields"] = sorted(draw(st.sets(st.sampled_from(FIELDS), min_size=1, max_size=3)))
    if kind is CorrectAsk:
        half = private(writing(*members["fields"]), of=line)
    if kind is DiscloseAsk:
        members["version"] = draw(st.sampled_from([0, 0, 2]))
    return ask(kind, half, line, **members), half, line


@settings(max_examples=400, deadline=None)
@given(drawn(), st.sampled_from([{}, SECONDS]))
def test_cedar_and_permit_are_one_truth(
    found: tuple[Ask, PrivateHalf, RosterLine], others: dict[bytes, RosterLine]
) -> None:
    asked, half, line = found
    permit = outcome(permitted, CHARTER, asked, line)
    grant = outcome(GATE.decide, asked, half, line, NOON, others)
    if isinstance(permit, str):
        assert permit == "version" or not cedar_alone(asked)  # which version is asked for is no fact of Cedar's
        assert grant == permit
    elif isinstance(grant, str):
        assert grant == "countersign"
        assert (asked.purpose == "amend") == (not others) or line.unit == "station"
    else:
        assert cedar_alone(asked)
        assert (grant.fields, grant.compartments, grant.purpose) == (permit.masks, permit.compartments, permit.purpose)


def test_every_permitted_combination_is_reached() -> None:
    """The random asks above must not all be refusals: each purpose and action has one that passes both."""
    clerk, registrar, officer = LINES[0], LINES[4], LINES[10]
    half = private(Queried(kind="phone", value="x"), of=clerk)
    assert GATE.decide(disclose(clerk, "born", "name"), private(of=clerk), clerk, NOON).compartments == {1}
    assert GATE.decide(ask(FindAsk, half, clerk, kind="phone"), half, clerk, NOON).fields == {}
    intake = ask(IntakeAsk, private(of=registrar), registrar, count=9, until=NOON + 9, purpose="register")
    assert GATE.decide(intake, private(of=registrar), registrar, NOON).compartments == frozenset()
    traced = disclose(officer, "caller", "note", purpose="trace-call", holding="calls")
    grant = GATE.decide(traced, private(of=officer), officer, NOON)
    assert grant.fields == {"caller": "last-four", "note": "clear"}
    assert grant.compartments == {1, 2}


@pytest.mark.parametrize(
    ("code", "line", "fields", "members"),
    [
        ("purpose", LINES[0], ["name"], {"purpose": "curiosity"}),
        ("purpose", LINES[4], ["name"], {"purpose": "register"}),
        ("role", LINES[12], ["ghost"], {"holding": "footage"}),
        ("unit", LINES[3], ["ghost"], {"holding": "footage"}),
        ("holding", LINES[0], ["ghost"], {"holding": "footage"}),
        ("holding", LINES[0], ["note"], {"holding": "calls"}),
        ("field", LINES[0], ["ghost"], {}),
        ("field", LINES[0], ["name", "phone"], {}),
    ],
)
def test_first_failing_check_names_the_refusal(
    code: str, line: RosterLine, fields: list[str], members: dict[str, str]
) -> None:
    assert refusal(disclose(line, *fields, **members), private(of=line), line, NOON) == code


AMENDING = LINES[9]  # the officer of health
REVIEWING = LINES[2]  # the clerk of the station


def about(form: type[Any], line: RosterLine, subject: Queried | None = None, **members: Any) -> tuple[Any, PrivateHalf]:
    half = private(subject, of=line)
    return ask(form, half, line, **{"holding": "calls"} | members), half


def test_what_the_life_of_records_asks_for() -> None:
    """One ask of each action that passes, and what it may open."""
    grants = {}
    for form, line, subject, members in (
        (CheckAsk, REVIEWING, None, {"purpose": "review", "field": "began", "test": "adult", "records": [bytes(16)]}),
        (ExportAsk, REVIEWING, None, {"purpose": "review", "fields": ["caller"], "count": 100, "until": NOON + 60}),
        (
            DiscloseAsk,
            REVIEWING,
            None,
            {"purpose": "review", "fields": ["began"], "records": [bytes(16)], "version": 7},
        ),
        (CorrectAsk, AMENDING, writing("note"), {"purpose": "amend", "fields": ["note"], "records": [bytes(16)]}),
        (EraseAsk, AMENDING, None, {"purpose": "amend", "records": [bytes(16)]}),
    ):
        asked, half = about(form, line, subject, **members)
        others = SECONDS if line is AMENDING else {}
        grant = GATE.decide(asked, half, line, NOON, others)
        assert cedar_alone(asked)
        grants[form] = (sorted(grant.compartments), dict(grant.fields))
    assert grants == {
        CheckAsk: ([3], {}),
        ExportAsk: ([1], {"caller": "last-four"}),
        DiscloseAsk: ([3], {"began": "clear"}),
        CorrectAsk: ([1, 2, 3], {}),
        EraseAsk: ([1, 2, 3], {}),
    }


@pytest.mark.parametrize(
    ("code", "form", "line", "members"),
    [
        ("test", CheckAsk, REVIEWING, {"field": "began", "test": "matches", "purpose": "review"}),
        ("field", CheckAsk, REVIEWING, {"field": "note", "test": "matches", "purpose": "review"}),
        ("field", CheckAsk, REVIEWING, {"field": "ghost", "test": "matches", "purpose": "review"}),
        ("purpose", CheckAsk, AMENDING, {"field": "began", "test": "matches", "purpose": "amend"}),
        ("budget", ExportAsk, REVIEWING, {"fields": ["began"], "count": 101, "purpose": "review"}),
        ("field", ExportAsk, REVIEWING, {"fields": ["note"], "count": 1, "purpose": "review"}),
        ("purpose", ExportAsk, LINES[10], {"fields": ["caller"], "count": 1, "purpose": "trace-call"}),
        ("version", DiscloseAsk, LINES[10], {"fields": ["caller"], "version": 1, "purpose": "trace-call"}),
        ("field", CorrectAsk, AMENDING, {"fields": ["began"], "purpose": "amend"}),
        ("role", CorrectAsk, LINES[4], {"fields": ["note"], "purpose": "amend"}),
        ("unit", EraseAsk, LINES[8], {"purpose": "amend"}),
        ("holding", EraseAsk, AMENDING, {"purpose": "amend", "holding": "residents"}),
        ("purpose", EraseAsk, REVIEWING, {"purpose": "review"}),
    ],
)
def test_what_the_life_of_records_refuses(
    code: str, form: type[Any], line: RosterLine, members: dict[str, Any]
) -> None:
    members = {"until": NOON + 60} | members if form is ExportAsk else {"records": [bytes(16)]} | members
    subject = Queried(kind=members["field"], value="x") if form is CheckAsk else None
    subject = writing(*members["fields"]) if form is CorrectAsk else subject
    asked, half = about(form, line, subject, **members)
    assert outcome(GATE.decide, asked, half, line, NOON, {}) == code
    assert cedar_alone(asked) is (code == "version")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (LINES[10], None),  # the officer of the station
        (LINES[8], None),  # the officer of the registry
        (None, "wants a second signature"),
        (LINES[2], "not for this reader"),  # a clerk
        (LINES[11], "not for this reader"),  # of no unit named
        (sample.line("another officer", "officer", "health"), "not for this reader"),  # of the asker's own unit
        (AMENDING, "of their own"),
    ],
)
def test_a_second_signature_is_another_units(other: RosterLine | None, said: str | None) -> None:
    asked, half = about(EraseAsk, AMENDING, purpose="amend", records=[bytes(16)])
    others = {reader_id(other.key): other} if other else {}
    if said is None:
        assert GATE.decide(asked, half, AMENDING, NOON, others).compartments == {1, 2, 3}
        return
    with pytest.raises(Refused, match=said) as found:
        GATE.decide(asked, half, AMENDING, NOON, others)
    assert found.value.code == "countersign"
    with pytest.raises(Refused, match=said):
        countersigned(CHARTER, asked, AMENDING, others)


def test_nobody_countersigns_what_needs_none() -> None:
    asked = disclose(LINES[0], "name")
    with pytest.raises(Refused, match="not for this reader to countersign"):
        GATE.decide(asked, private(of=LINES[0]), LINES[0], NOON, SECONDS)


def test_a_check_that_compares_names_what_with_and_no_other_does() -> None:
    members: dict[str, Any] = {"purpose": "review", "records": [bytes(16)]}
    for field, test, subject, code in (
        ("caller", "matches", Queried(kind="caller", value="x"), None),
        ("caller", "matches", Queried(kind="phone", value="x"), "ask"),
        ("caller", "matches", None, "ask"),
        ("began", "adult", Queried(kind="began", value="x"), "ask"),
    ):
        asked, half = about(CheckAsk, REVIEWING, subject, **members, field=field, test=test)
        found = outcome(GATE.decide, asked, half, REVIEWING, NOON)
        assert (found if isinstance(found, str) else None) == code


def test_people_are_found_only_by_the_kinds_of_the_purpose() -> None:
    officer = LINES[10]
    for holding, kind, code in (
        ("calls", "phone", None),
        ("calls", "text:badge", "field"),  # an identifier, but not this purpose's
        ("calls", "email", "field"),
        ("residents", "phone", "field"),  # read, but nobody is looked up in it
    ):
        half = private(Queried(kind=kind, value="x"), of=officer)
        asked = ask(FindAsk, half, officer, purpose="trace-call", holding=holding, kind=kind)
        found = outcome(GATE.decide, asked, half, officer, NOON)
        assert (found if isinstance(found, str) else None) == code
        assert cedar_alone(asked) is (code is None)


def test_two_keys_may_not_make_one_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(asks.readers(LINES)) == [reader_id(line.key) for line in LINES]
    monkeypatch.setattr(asks, "reader_id", lambda key: reader_id(key)[:0])
    with pytest.raises(FormatError, match="two keys make one reader"):
        asks.readers(LINES)


def test_rule_is_named_and_holds_only_where_it_says() -> None:
    line = LINES[0]
    with pytest.raises(Refused, match="forbidden by no-reads-at-night") as found:
        GATE.decide(disclose(line, "name"), private(of=line), line, NIGHT)
    assert found.value.code == "rule"
    half = private(Queried(kind="phone", value="x"), of=line)
    GATE.decide(ask(FindAsk, half, line, kind="phone"), half, line, NIGHT)


def test_rule_that_fails_to_evaluate_refuses() -> None:
    """Cedar skips a forbid that errs; the gate must not."""
    rule = '@id("deep") forbid (principal, action, resource) when { 9223372036854775807 + context.count == 0 };'
    gate = Gate(sample.charter(rules=rule), LINES)
    with pytest.raises(Refused, match="could not be evaluated"):
        gate.decide(disclose(LINES[0], "name"), private(of=LINES[0]), LINES[0], NOON)


@pytest.mark.parametrize("member", ["context.case", 'context["\\u{63}ase"]'])
def test_what_is_remembered_of_one_case_is_not_said_of_another(member: str) -> None:
    """Cedar may write a name with escapes: then a rule looks at the case without its name."""
    rule = f'@id("closed") forbid (principal, action, resource) when {{ {member} == "2027/113" }};'
    gate, line = Gate(sample.charter(rules=rule), LINES), LINES[0]

    def decided(case: str) -> Any:
        half = private(of=line, case=case)
        asked = ask(DiscloseAsk, half, line, fields=["name"], records=[bytes(16)], version=0)
        return outcome(gate.decide, asked, half, line, NOON)

    for _ in range(2):
        assert decided("2027/113") == "rule"
        assert not isinstance(decided("2027/114"), str)


def test_what_is_remembered_of_one_ask_is_not_said_of_another() -> None:
    """One gate, asked again and again: the hour, the reader, the action and the fields change what it says."""
    gate, line = Gate(documents.parse(documents.document(CHARTER)), LINES), LINES[0]
    nobody = next(one for one in LINES if one.role == "stranger")
    half = private(Queried(kind="phone", value="x"), of=line)
    for _ in range(2):
        assert outcome(gate.decide, disclose(line, "name"), private(of=line), line, NIGHT) == "rule"
        assert not isinstance(outcome(gate.decide, disclose(line, "name"), private(of=line), line, NOON), str)
        assert not isinstance(outcome(gate.decide, ask(FindAsk, half, line, kind="phone"), half, line, NIGHT), str)
        assert isinstance(outcome(gate.decide, disclose(nobody, "name"), private(of=nobody), nobody, NOON), str)
        assert isinstance(outcome(gate.decide, disclose(line, "ghost"), private(of=line), line, NOON), str)


def test_parts_must_belong_together() -> None:
    line, other = LINES[0], LINES[1]
    assert refusal(disclose(line, "name"), private(of=line), other, NOON) == "reader"
    assert refusal(disclose(line, "name"), private(of=line, case="2027/115"), line, NOON) == "ask"
    half = private(Queried(kind="phone", value="x"), of=line)
    assert refusal(ask(FindAsk, half, line, kind="resident-id"), half, line, NOON) == "ask"
    assert refusal(ask(FindAsk, private(of=line), line, kind="phone"), private(of=line), line, NOON) == "ask"
    assert (
        refusal(ask(DiscloseAsk, half, line, fields=["name"], records=[bytes(16)], version=0), half, line, NOON)
        == "ask"
    )


def test_reason_and_case_come_first() -> None:
    line = LINES[12]
    for code, half in (("reason", private(of=line, reason="asdf asdf asdf")), ("case", private(of=line, case=" "))):
        asked = ask(DiscloseAsk, half, line, fields=["ghost"], records=[bytes(16)], version=0, purpose="curiosity")
        assert refusal(asked, half, line, NOON) == code


def test_weekday_and_hour_are_utc_from_monday() -> None:
    context = cedar.request(disclose(LINES[0], "name"), "1", NOON + 3599)["context"]
    assert (context["hour"], context["weekday"]) == (12, 5)
    assert cedar.request(disclose(LINES[0], "name"), "1", 0)["context"]["weekday"] == 4
    assert cedar.request(disclose(LINES[0], "name"), "1", 4 * 86400)["context"]["weekday"] == 1


def test_small_units_are_merged() -> None:
    roster = [sample.line(str(n), unit="registry") for n in range(3)] + [sample.line("x", unit="health")]
    assert public_units(CHARTER, roster) == {"registry": "registry", "health": "other"}
    assert public_unit(CHARTER, roster, roster[0]) == "registry"
    assert public_unit(CHARTER, roster, sample.line("new", unit="elsewhere")) == "other"
