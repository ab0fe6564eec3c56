"""What must go wrong in the drill red-code when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, vault
from tests.drill.weak.base import Row

ALONE, PAST, QUIETLY = "set one red with evidence, by one organ", "the same by root", "take a code in under another"

WEAK: list[Row] = [
    ("needs", vault.no_needs, ("set red and yellow",)),
    ("second signature wanted by the vault", vault.no_second, (ALONE,)),
    ("second signature wanted", keyholder.unchecked("countersign"), (PAST,)),
    ("second signature verified", keyholder.any_second, (PAST,)),
    ("holding", keyholder.permitted("holding"), (QUIETLY,)),
    ("role", keyholder.permitted("role"), (QUIETLY,)),
]
