"""What the keyholder checks before it gives a share, in order, one function a check (SPEC.md section 8.4).

Each function is handed the case and the facts and either returns or raises ``Refused`` with its own code. ``IDENTIFY`` ends where
the asker is known: until then nothing is written. ``DECIDE`` comes after: a refusal there is an entry and uses the ask up.
"""

from __future__ import annotations

from strongroom.gate.written import EARLY_SECONDS, LATE_SECONDS
from strongroom.keyholder.case import Case, Facts
from strongroom.keyholder.decide import (
    batch,
    budgets,
    charter,
    compartment,
    countersign,
    epoch,
    erased,
    expired,
    fields,
    frozen,
    person,
    purpose,
    record,
    version,
)
from strongroom.keyholder.identify import ask, columns, countersignatures, fresh, reader, room, signature, used

__all__ = ["DECIDE", "EARLY_SECONDS", "IDENTIFY", "LATE_SECONDS", "Case", "Facts", "run"]

IDENTIFY = (columns, ask, room, reader, signature, countersignatures, used, fresh)
DECIDE = (
    charter,
    purpose,
    countersign,
    compartment,
    fields,
    record,
    version,
    frozen,
    erased,
    expired,
    epoch,
    batch,
    person,
    budgets,
)


def run(stage: tuple[object, ...], case: Case, facts: Facts) -> None:
    """Run a stage's checks in order, each looked up by name so that a drill can weaken exactly one."""
    known = globals()
    for check in stage:
        known[check.__name__](case, facts)  # type: ignore[attr-defined]
