"""What must go wrong in the drill blank-reason when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import vault
from tests.drill.weak.base import Row

from strongroom.drill.blanks import REASONS

WEAK: list[Row] = [
    ("reasons", vault.any_reason, (*REASONS, "no reason for any kind")),
    ("cases", vault.any_case, ("cases that name",)),
    ("the auditor", vault.any_evidence, ("a better reason put",)),
]
