"""What must go wrong in the drill backup-restored when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, life
from tests.drill.weak.base import Row

ERASED, OLD = "put the vault back and read the erased", "put the vault back and read the version"
START, ASK, FORGET = "start the keyholder", "ask it without", "have it forget"
ERASED_AFTER, AGAIN, OLD_AFTER = "read the erased record after", "send a request", "read the version before"
MARKS, FINAL = "read somebody before and after", "after the printed day"

WEAK: list[Row] = [
    ("erasures forgotten", keyholder.unchecked("erased"), (ERASED, ERASED_AFTER)),
    ("versions forgotten", keyholder.unchecked("version"), (OLD, OLD_AFTER)),
    ("start on any book", life.any_start, (START,)),
    ("any mirror is good", life.any_mirror, (ASK,)),
    ("erasures not taken from a mirror", life.not_taken("tombstones"), (ERASED_AFTER,)),
    ("asks not taken from a mirror", life.not_taken("lost_asks"), (AGAIN,)),
    ("versions not told again", life.never_told_again, (OLD_AFTER,)),
    ("tags counted on", life.same_generation, (FORGET, MARKS)),
    ("keys never destroyed", life.never_destroyed, (FINAL,)),
    ("one secret for ever", keyholder.same_secret, (FINAL,)),
]
