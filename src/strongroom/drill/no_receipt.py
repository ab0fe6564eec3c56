"""Drill: getting a share without what it takes, and passing off a false receipt (THREATS.md, promises 3 and 6)."""

from __future__ import annotations

from strongroom.custody import upkeep
from strongroom.drill import receipts_attacked
from strongroom.drill.checks_attacked import LATE, OPENS_NOTHING, ROWS, Row
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import Stage, Theatre
from strongroom.ledger import entry

NAME = "no-receipt"
ATTACK = "Each check of the keyholder is attacked alone, then each of the vault's checks of a receipt."

ENTERED = frozenset((
    "charter", "purpose", "role", "unit", "holding", "field", "test", "version", "countersign", "compartment", "record", "frozen", "erased",
    "expired", "epoch", "batch", "person", "budget",
))  # fmt: skip
"""Codes whose refusal is an entry itself (SPEC.md section 8.4)."""

_DAY = 86400


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    scene = _scene(stage)
    control = scene.shares(*scene.good())
    opened = len(control.taken.opened) if control.taken else 0
    report.add(
        "nothing wrong at all (the control)",
        1,
        f"{opened} compartment, as it must be",
        "disclosure",
        passed=opened == 1,
    )
    for row in ROWS:
        progress(row.attack)
        # What an hour's budget allows is no part of what a row tries, but of a few.
        stage.hands.wait(3600)
        _try(report, scene, row)
    progress("the keyholder lies about its receipts")
    receipts_attacked.run(report, stage)
    for row in LATE:
        progress(row.attack)
        _try(report, scene, row)
    stage.close()


def _scene(stage: Stage) -> Scene:
    """A room that has lived: a record erased, three corrected, everything resealed, so that rows have deltas."""
    stage.take_in(residents=200, patients=10)
    gone, *corrected = stage.handles()[-4:]
    for handle in corrected:
        stage.correct(handle, {"name": "王更正"})
    stage.erase(gone)
    stage.hands.wait(31 * _DAY)
    upkeep.run(stage.room)
    number = stage.people["residents"][0]["id-number"] or ""
    code = {"id-number": number, "code": "green"}
    stage.admit("health-codes", [code], "set-code", "dora", ("odd",))
    return Scene(stage, corrected=corrected)


def _try(report: Report, scene: Scene, row: Row) -> None:
    before = scene.stage.keyholder.book.size
    try:
        outcome = row.make(scene)
    except Exception as error:  # noqa: BLE001 - a keyholder that breaks has not refused, whatever it broke on
        outcome = Outcome(f"a defect, {type(error).__name__}")
    taken, entries = outcome.taken, scene.entries(before)
    given = f"{len(taken.opened)} opened" if taken else "an answer"
    if row.code == OPENS_NOTHING:
        # Here the keyholder gives a share, and writes it down; it is the share that must fit nothing.
        seen = any(isinstance(one, entry.DisclosureEntry) for one in entries)
        passed = taken is not None and not taken.opened and seen
        report.add(row.attack, 1, given if taken else f"refused: {outcome.code}", "disclosure", passed=passed)
        return
    refusal = any(isinstance(one, entry.RefusalEntry) and one.code == outcome.code for one in entries)
    written = row.code in ENTERED if row.written is None else row.written
    right = outcome.code == row.code and refusal == written
    got = f"refused: {outcome.code}" if outcome.code else given
    report.add(row.attack, 1, got, f"refusal: {outcome.code}" if refusal else "nothing", passed=right)
