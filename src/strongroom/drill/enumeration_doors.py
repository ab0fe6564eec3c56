"""Guessing at the desk's codes, with which somebody would see another's reads (part of ``enumeration``)."""

from __future__ import annotations

import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.catalog import fields
from strongroom.client import subject
from strongroom.client.device import Device
from strongroom.drill.report import Report
from strongroom.drill.stage import Stage
from strongroom.errors import Refused
from strongroom.keyholder import desk, protocol, subjects
from strongroom.keyholder.client import Client
from strongroom.seal import person

_TRIES, _GOOD = 300, 900


def run(report: Report, stage: Stage) -> None:
    code, before = _code(stage, 3), len(stage.keyholder.wrong_codes)
    enrolled = sum(not _enrol(stage, desk.new_code(os.urandom)) for _ in range(_TRIES))
    wrong_ones = len(stage.keyholder.wrong_codes) - before
    looked = subjects.WRONG_CODES_A_MINUTE * _GOOD / 60
    report.add(
        "guess the desk's codes",
        _TRIES,
        f"{enrolled} good; at the most that are looked at, one code in {2**50 / looked:,.0f} is met while it is good",
        f"{wrong_ones} wrong ones counted",
        passed=not enrolled and wrong_ones == _TRIES,
    )
    first, again = _enrol(stage, code), _enrol(stage, code)
    late = _code(stage, 4)
    stage.hands.wait(_GOOD + 1)
    over, wrong = _enrol(stage, late), _enrol(stage, desk.new_code(os.urandom))
    report.add(
        "use a code a second time, or after its 15 minutes",
        2,
        f"{(again, over).count('')} enrolled",
        "answered as a wrong one" if again == over == wrong else "answered otherwise than a wrong one",
        passed=not first and bool(wrong) and again == over == wrong,
    )
    report.limit(
        f"whoever sends {subjects.WRONG_CODES_A_MINUTE:,} wrong codes a minute shuts all others out of enrolment meanwhile"
    )


def stranger() -> Device:
    """A device of nobody's."""
    return Device("stranger", Ed25519PrivateKey.generate())


def _code(stage: Stage, row: int) -> str:
    """The desk has seen who stands in that row of the residents."""
    declared = stage.room.rules().charter.holdings["residents"].fields["id-number"]
    number = stage.people["residents"][row]["id-number"] or ""
    (inner,) = person.inners(stage.room.keys.holding("residents"), "resident-id", [fields.normal(declared, number)])
    code, now = desk.new_code(os.urandom), stage.room.now()
    admission = protocol.Admit(
        code=protocol.code_hash(code), holding="residents", kind="resident-id", time=now, who=inner[:16]
    )
    Client(stage.transport, stage.keyholder.keys.desk, stage.room.keys.room).call("/v1/desk/admit", admission)
    return code


def _enrol(stage: Stage, code: str) -> str:
    """What it is refused for; empty when it is not."""
    device = stranger()
    try:
        subject.enrol(stage.client(device), device, code, stage.room.now())
    except Refused as refusal:
        return str(refusal)
    return ""
