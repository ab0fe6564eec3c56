"""What must go wrong in the drill borrowed-breadth when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, vault
from tests.drill.weak.base import Row, both

OLD, OTHER, BESIDE, MORE = "old versions, under", "another version than", "compartments beside", "more records than"
EXPORTS, ON, QUESTIONS, CORRECTIONS = (
    "exports past",
    "the whole register",
    "a purpose that may ask",
    "a correction used",
)
PAST = "codes past their day"

WEAK: list[Row] = [
    ("version of a purpose", keyholder.permitted("version"), (OLD,)),
    ("version", keyholder.unchecked("version"), (OLD, OTHER)),
    ("compartment", keyholder.unchecked("compartment"), (BESIDE, EXPORTS, QUESTIONS)),
    ("field", keyholder.permitted("field"), (BESIDE, QUESTIONS, CORRECTIONS)),
    ("record", keyholder.unchecked("record"), (OTHER, MORE, QUESTIONS, CORRECTIONS)),
    ("size of an export", keyholder.permitted("budget"), (EXPORTS,)),
    ("budgets", keyholder.unchecked("budgets"), (EXPORTS, ON)),
    ("purpose", keyholder.permitted("purpose"), (EXPORTS, QUESTIONS, CORRECTIONS)),
    ("role", keyholder.permitted("role"), (EXPORTS, CORRECTIONS)),
    ("test", keyholder.permitted("test"), (QUESTIONS,)),
    ("expiry", both(keyholder.unchecked("expired"), keyholder.unchecked("epoch")), (PAST,)),
    ("expiry bound into the batch", keyholder.any_batch, (PAST,)),
    ("the vault's gate", vault.no_gate, ("the same without root",)),
]
