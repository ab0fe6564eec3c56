"""What must go wrong in the drill vault-taken-over when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, share
from tests.drill.weak.base import Row

WEAK: list[Row] = [
    ("budgets not debited", keyholder.unchecked("budgets"), ("read all", "test guesses")),
    ("asks not used up", keyholder.unchecked("used"), ("use an ask twice", "ask the keyholder for another")),
    ("identical request answered for ever", keyholder.identical_for_ever, ("use an ask again",)),
    ("records not compared", keyholder.unchecked("record"), ("open other records", "open further records")),
    ("compartments not compared", keyholder.unchecked("compartment"), ("open further compartments",)),
    ("share not bound to handle", share.unbound("handle"), ("open one person's record",)),
    ("share not bound to who", share.unbound_who, ("open one person's record",)),
    ("share not bound to compartment", share.unbound("compartment"), ("use an ask as its reader",)),
    ("signatures not verified", keyholder.unchecked("signature"), ("sign in a reader's place",)),
    ("asks never too old", keyholder.unchecked("fresh"), ("keep an ask",)),
    ("tags of nobody", keyholder.tags_of_nobody, ("be read nowhere", "ask the keyholder for another")),
    ("a share told in the status", keyholder.share_in_status, ("find a share in",)),
    ("operator not verified", keyholder.any_signer("operator"), ("be the steward",)),
]  # fmt: skip
