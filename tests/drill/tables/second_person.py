"""What must go wrong in the drill second-person when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import disk, keyholder, share, vault
from tests.drill.weak.base import Row

WEAK: list[Row] = [
    ("tags of nobody", keyholder.tags_of_nobody, ("reads of callers",)),
    ("one chain for whoever is unknown", disk.one_token_for_no_value, ("reads of callees whom nobody",)),
    ("one tag a person", keyholder.one_tag_a_person, ("count the tags", "reads of callers")),
    ("share not bound to who", share.unbound_who, (
        "the callee's slot put down to the caller", "the callee's slot put down to nobody", "an unknown callee's", "w exchanged",
    )),
    ("share not bound to compartment", share.unbound("compartment"), ("the callee's slot sent as",)),
    ("share not bound to handle", share.unbound("handle"), ("the callee's slot under",)),
    ("share bound to the record alone", share.of_record, ("the caller's slot alone",)),
    ("persons not compared", vault.any_person, ("the callee's part sealed",)),
]  # fmt: skip
