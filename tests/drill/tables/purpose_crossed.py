"""What must go wrong in the drill purpose-crossed when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, vault
from tests.drill.weak.base import Row

READ, LOOK_UP, GUESS = "read a code", "look somebody up", "ask whether a code"
EXPORT, CORRECT, ERASE = "take codes out", "open a code to correct", "have a code erased"
BESIDE, DISGUISE, BACK = "open the evidence", "put a code's slot", "get at a resident's"

WEAK: list[Row] = [
    ("holding", keyholder.permitted("holding"), (READ, LOOK_UP, GUESS, EXPORT, CORRECT, BACK)),
    ("role", keyholder.permitted("role"), (READ, LOOK_UP, GUESS, EXPORT, CORRECT, ERASE, BACK)),
    ("unit", keyholder.permitted("unit"), (READ, LOOK_UP)),
    ("purpose", keyholder.permitted("purpose"), (READ, LOOK_UP, GUESS, EXPORT, CORRECT, ERASE, BACK)),
    ("field", keyholder.permitted("field"), (BESIDE,)),
    ("compartment", keyholder.unchecked("compartment"), (BESIDE,)),
    ("epoch", keyholder.any_epoch, (DISGUISE,)),
    ("the vault's gate", vault.no_gate, ("the same without root",)),
]
