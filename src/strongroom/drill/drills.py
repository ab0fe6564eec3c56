"""The drills there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from strongroom.drill import (
    backup_restored,
    blank_reason,
    borrowed_breadth,
    enumeration,
    expired_epoch,
    hidden_read,
    links,
    no_receipt,
    promise_broken,
    purpose_crossed,
    red_code,
    rewritten_ledger,
    second_person,
    stolen_disk,
    vault_taken_over,
    witnesses_turned,
)
from strongroom.drill.report import Progress, Report
from strongroom.drill.stage import Theatre
from strongroom.drill.year import drill as year
from strongroom.errors import InputError, StrongroomError


@dataclass(frozen=True)
class Drill:
    """``promises``: those of THREATS.md that it tries. ``long``: it takes minutes."""

    name: str
    attack: str
    promises: tuple[int, ...]
    run: Callable[[Report, Theatre, Progress], None]
    long: bool = False


DRILLS = {
    one.name: one
    for one in (
        Drill(stolen_disk.NAME, stolen_disk.ATTACK, (1,), stolen_disk.run),
        Drill(vault_taken_over.NAME, vault_taken_over.ATTACK, (2,), vault_taken_over.run),
        Drill(no_receipt.NAME, no_receipt.ATTACK, (3, 6), no_receipt.run),
        Drill(rewritten_ledger.NAME, rewritten_ledger.ATTACK, (4,), rewritten_ledger.run),
        Drill(witnesses_turned.NAME, witnesses_turned.ATTACK, (4,), witnesses_turned.run),
        Drill(hidden_read.NAME, hidden_read.ATTACK, (5,), hidden_read.run),
        Drill(purpose_crossed.NAME, purpose_crossed.ATTACK, (6,), purpose_crossed.run),
        Drill(red_code.NAME, red_code.ATTACK, (6,), red_code.run),
        Drill(blank_reason.NAME, blank_reason.ATTACK, (6,), blank_reason.run),
        Drill(borrowed_breadth.NAME, borrowed_breadth.ATTACK, (6,), borrowed_breadth.run),
        Drill(second_person.NAME, second_person.ATTACK, (3, 5), second_person.run),
        Drill(links.NAME, links.ATTACK, (1,), links.run),
        Drill(expired_epoch.NAME, expired_epoch.ATTACK, (7,), expired_epoch.run),
        Drill(backup_restored.NAME, backup_restored.ATTACK, (3, 7), backup_restored.run),
        Drill(enumeration.NAME, enumeration.ATTACK, (1, 2), enumeration.run),
        Drill(promise_broken.NAME, promise_broken.ATTACK, (6,), promise_broken.run),
        Drill(year.NAME, year.ATTACK, (1, 5, 7), year.run, long=True),
    )
}


def chosen(names: Sequence[str]) -> list[Drill]:
    """Raises ``InputError`` for a name that no drill has."""
    unknown = [name for name in names if name not in DRILLS]
    if unknown:
        raise InputError(f"there is no drill {unknown[0]}; there are: {', '.join(DRILLS)}")
    return [DRILLS[name] for name in DRILLS if name in names]


def perform(drill: Drill, theatre: Theatre, progress: Progress) -> Report:
    """Run a drill on a fresh room. One that breaks off has failed: a room that breaks has not held."""
    began, report = monotonic(), Report(drill.name, drill.attack)
    try:
        drill.run(report, theatre, progress)
    except Exception as error:  # noqa: BLE001 - whatever it is, the attack it came from did not end as it must
        code = error.code if isinstance(error, StrongroomError) else "a defect"
        report.add("the drill to its end", 1, f"it broke off: {type(error).__name__}", code, passed=False)
    report.seconds = monotonic() - began
    return report
