"""Drill: getting a share without what it takes, and passing off a false receipt (THREATS.md, promises 3 and 6)."""

from __future__ import annotations

from strongroom.drill import receipts_attacked
from strongroom.drill.checks_attacked import OPENS_NOTHING, ROWS, Row
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import Theatre
from strongroom.ledger import entry

NAME = "no-receipt"
ATTACK = "Each check of the keyholder is attacked alone, then each of the vault's checks of a receipt."

ENTERED = frozenset((
    "charter", "purpose", "role", "unit", "holding", "field", "compartment", "record", "frozen", "erased", "epoch", "batch", "budget",
))  # fmt: skip
"""Codes whose refusal is an entry itself (SPEC.md section 8.4)."""

# There is no ask that an entry could be made of.
UNWRITTEN = frozenset(("charter of the intruder's own",))


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=150, patients=10)
    scene = Scene(stage)
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
    stage.close()


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
    right = outcome.code == row.code and refusal == (row.code in ENTERED and row.attack not in UNWRITTEN)
    got = f"refused: {outcome.code}" if outcome.code else given
    report.add(row.attack, 1, got, f"refusal: {outcome.code}" if refusal else "nothing", passed=right)
