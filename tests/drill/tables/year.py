"""What must go wrong in the drill year (some days of it) when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, life
from tests.drill.weak.base import Row

LIVED, KEYS, WHOLE = "12 days lived", "keys destroyed", "fsck"
ERASED, PAST, MARKS = "open what is erased", "open what is past", "12 people look"

WEAK: list[Row] = [
    ("keys never destroyed", life.never_destroyed, (LIVED, KEYS, ERASED, PAST)),
    ("one secret for ever", keyholder.same_secret, (ERASED,)),
    ("tags of nobody", keyholder.tags_of_nobody, (MARKS, WHOLE)),
]
