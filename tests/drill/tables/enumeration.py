"""What must go wrong in the drill enumeration when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, tells
from tests.drill.weak.base import Row

LOOK_UP, ASK, EVERYBODY = "look up guessed", "ask one record", "ask every record"
TAKE_IN, MISS, HANDLE, QUOTE = "take in somebody", "tell a hit", "read, ask about", "have what was typed"
CODES, LATE = "guess the desk's", "use a code"

WEAK: list[Row] = [
    ("budgets not debited", keyholder.unchecked("budgets"), (LOOK_UP, ASK, EVERYBODY)),
    ("tags of nobody", keyholder.tags_of_nobody, (LOOK_UP, ASK, EVERYBODY)),
    ("budget of a record for each reader", tells.budget_of_a_record_for_each, (ASK,)),
    ("duplicates refused", tells.duplicates_refused, (TAKE_IN,)),
    ("a hit looked after", tells.hits_looked_after, (MISS,)),
    ("the other holding named", tells.other_holding_named, (HANDLE,)),
    ("a purpose quoted", tells.purpose_quoted, (QUOTE,)),
    ("codes of one letter", tells.short_codes, (CODES,)),
    ("codes that last", tells.lasting_codes, (LATE,)),
]
