"""Drill: a health code is for containing an infection; others want it for keeping a crowd away (THREATS.md, promise 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from strongroom.drill import charter
from strongroom.drill.attempts import Attempts
from strongroom.drill.crossing import Crossing
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Outcome
from strongroom.drill.stage import Stage, Theatre
from strongroom.ledger import entry

NAME = "purpose-crossed"
ATTACK = (
    "The health code for crowd control: every reader tries for codes under every purpose and in every way, and root on the"
    " vault helps past its gate."
)

RIGHTFUL = {
    "read": {("dora", "contain"), ("emil", "contain"), ("odd", "appeal"), ("arno", "answer-court")},
    "look up": {("dora", "contain"), ("emil", "contain"), ("odd", "appeal")},
    "erase": {("rui", "close-record")},
}
"""Reader and purpose of those whom the charter lets do so with a health code; all others must be refused."""

WANTED = {
    "read": "read a code",
    "look up": "look somebody up among the codes",
    "guess": "ask whether a code is red",
    "export": "take codes out into a file",
    "correct": "open a code to correct it",
    "erase": "have a code erased",
}
ACTIONS = {
    "read": "disclose", "look up": "find", "guess": "check", "export": "export", "correct": "correct", "erase": "erase",
}  # fmt: skip
HEALTH = ("dora", "emil", "odd")
"""Those who are there for the codes."""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    _fill(stage)
    codes = Crossing(stage, "health-codes", "code", 2)
    _rightful(report, codes)
    for way, ask in codes.ways().items():
        progress(WANTED[way])
        # An hour's budget would refuse what a purpose did not.
        stage.hands.wait(3600)
        tally = Attempts(codes)
        for name, purpose in _others(stage, way):
            tally.root(partial(codes.root, ask(codes.asker(name), purpose)))
        tally.report(report, f"{WANTED[way]}, by whoever has no purpose for it")
    progress("the doors beside")
    _beside(report, codes)
    _in_disguise(report, codes)
    _back(report, Crossing(stage, "residents", "address", 4))
    _vault(report, codes)
    stage.close()
    report.limit(
        "whoever has the purpose can mean another: contain lets each doctor read 30 codes an hour, whatever for; each of"
        " these reads is on its person's chain, and in the book under that purpose"
    )


def _fill(stage: Stage) -> None:
    stage.take_in(residents=30, patients=0)
    numbers = [one["id-number"] or "" for one in stage.people["residents"]]
    rows = [
        {"id-number": number, "code": "red", "evidence": "a positive test of this week"}
        if at % 3 == 0
        else {"id-number": number, "code": "green"}
        for at, number in enumerate(numbers)
    ]
    stage.admit("health-codes", rows, "set-code", "dora", ("odd",))


def _others(stage: Stage, way: str) -> Iterator[tuple[str, str]]:
    """Each reader under each purpose, be it their own or one whose name they borrow, but for whom it is meant."""
    for name in charter.PEOPLE:
        for purpose in sorted(stage.keyholder.charter.purposes):
            if (name, purpose) not in RIGHTFUL.get(way, ()):
                yield name, purpose


def _rightful(report: Report, codes: Crossing) -> None:
    asks = [
        codes.ways()[way](codes.asker(name), purpose)
        for way in ("read", "look up")
        for name, purpose in sorted(RIGHTFUL[way])
    ]
    start = codes.stage.keyholder.book.size
    refused = sum(bool(codes.root(ask).code) for ask in asks)
    entries = [one for one in codes.entries(start) if isinstance(one, entry.DisclosureEntry | entry.FindEntry)]
    report.add(
        "doctors, the appeals officer and the court's archivist, as they may (the control)",
        len(asks),
        f"{len(asks) - refused} given, as it must be",
        f"{len(entries)} entries",
        passed=not refused and len(entries) == len(asks),
    )


def _beside(report: Report, codes: Crossing) -> None:
    """A doctor's good ask for a code; root takes along what the doctor has no purpose for."""
    tally = Attempts(codes)
    for numbers in ([1, 2], [2, 3], [1, 2, 3], [3], [1]):
        signed = codes.ways()["read"](codes.asker("dora"), "contain")
        tally.root(partial(codes.shares, signed, codes.pieces(codes.target, numbers)))
    for fields in (["evidence"], ["id-number"], ["code", "evidence"]):
        signed = codes.ways()["read"](codes.asker("dora"), "contain")
        dora = codes.stage.key_of("dora")
        asked = codes.bent(signed, dora, fields=fields)
        tally.root(partial(codes.shares, asked, codes.pieces(codes.target, [2, 3] if "code" in fields else [3])))
    tally.report(report, "open the evidence, or whose the code is, beside a code")


def _in_disguise(report: Report, codes: Crossing) -> None:
    """A clerk's good ask for a resident's name; root puts a health code under it, which is compartment 2 there."""
    stage, tally = codes.stage, Attempts(codes)
    resident, (code,) = stage.handles()[0], codes.pieces(codes.target, [2])
    for piece in (code, replace(code, compartment=1), replace(code, handle=resident, compartment=1)):
        signed = stage.ask([piece.handle])
        tally.root(partial(codes.shares, signed, [piece]))
    tally.report(report, "put a code's slot under an ask for a resident's name")


def _back(report: Report, residents: Crossing) -> None:
    """The other way round: what the health office might look up while it is at it."""
    tally = Attempts(residents)
    for ask in residents.ways().values():
        for name in HEALTH:
            for purpose in sorted(residents.stage.keyholder.charter.purposes):
                tally.root(partial(residents.root, ask(residents.asker(name), purpose)))
    tally.report(report, "get at a resident's address as a doctor or health officer")


def _vault(report: Report, codes: Crossing) -> None:
    """The same without root: the vault decides first. Purposes that are for another kind of ask were tried above."""
    tally, purposes = Attempts(codes, "vault"), codes.stage.keyholder.charter.purposes

    def through(name: str, purpose: str, way: str) -> Outcome:
        codes.vault(codes.ways()[way](codes.asker(name), purpose))
        return Outcome("")

    for way in WANTED:
        for name, purpose in _others(codes.stage, way):
            if ACTIONS[way] in purposes[purpose].actions:
                tally.reader(partial(through, name, purpose, way))
    tally.report(report, "the same without root, by way of the honest vault")
