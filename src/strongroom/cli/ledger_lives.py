"""What a verified ledger says of keys, holds and erasures: the lines of ``strongroom ledger verify`` (SPEC.md section 5.8)."""

from __future__ import annotations

from strongroom.cli import rendering
from strongroom.cli.output import Output, moment
from strongroom.ledger.audit import Audit
from strongroom.ledger.life import Held, Key


def rows(found: Audit) -> list[tuple[str, rendering.Cell]]:
    """Nothing where nothing was erased, held or destroyed."""
    shown: list[tuple[str, rendering.Cell]] = []
    erasures = found.life.erasures()
    if erasures:
        time = found.times[1] if found.times else 0
        waiting = [found.life.final_on(one, time) for one in erasures if not one.final]
        final, last = len(erasures) - len(waiting), f", the last on {rendering.day(max(waiting))}" if waiting else ""
        shown.append(("erasures", f"{len(erasures):,}, of them {final:,} final{last}"))
    if found.life.destroyed:
        shown.append(("keys", f"{len(found.life.destroyed):,} destroyed, each once, on its day, under no hold"))
    for place, held in enumerate(_holds(found)):
        shown.append(
            ("holds" if place == 0 else "", f"{held.holding} until {moment(held.until)} UTC, {held.authority}")
        )
    return shown


def warn(out: Output, found: Audit) -> None:
    for key in _overdue(found):
        out.warn(
            f"OVERDUE: the key of {key.holding} for {rendering.day(key.epoch)} should have been destroyed, no hold keeps it, and an"
            " erasure waits for it: the keyholder is not running, or has not done it"
        )


def document(found: Audit) -> dict[str, object]:
    return {
        "destroyed": [
            {"entry": index, "epoch": key.epoch, "holding": key.holding}
            for key, index in sorted(found.life.destroyed.items())
        ],
        "erasures": [
            {"count": one.count, "entry": one.index, "final": one.final, "holding": one.holding, "left": list(one.left)}
            for one in found.life.erasures()
        ],
        "holds": [{"authority": one.authority, "holding": one.holding, "until": one.until} for one in _holds(found)],
        "overdue": [{"epoch": key.epoch, "holding": key.holding} for key in _overdue(found)],
    }


def _holds(found: Audit) -> list[Held]:
    return found.life.holds(found.times[1]) if found.times else []


def _overdue(found: Audit) -> list[Key]:
    """By the ledger's own last word: it proves nothing of a time that it has not reached."""
    return found.life.overdue(found.times[1]) if found.times else []
