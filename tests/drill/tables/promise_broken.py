"""What must go wrong in the drill promise-broken when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import charters, keyholder
from tests.drill.weak.base import Row

UNSEEN, ASK, GATE, CLOCK = "sign them unseen", "ask under them", "have the vault's gate", "set the vault's clock"
ENTER = "have a charter entered that"
SEALED, FOLLOW, SIGNED, HOUSE = f"{ENTER} changes", f"{ENTER} does not", f"{ENTER} another has", f"{ENTER} is of"
BELIEVED, READ, CROSSING = "have them believed", "read 12 codes", "two stewards"

WEAK: list[Row] = [
    ("a watcher who reads nothing", charters.blind_watcher, (UNSEEN,)),
    ("charters count at once at the keyholder", charters.counts_at_once_for_the_keyholder, (ASK,)),
    ("charters count at once at the vault", charters.counts_at_once_for_the_vault, (GATE,)),
    ("any clock", keyholder.any_clock, (CLOCK,)),
    ("any successor", charters.any_successor, (CROSSING, SEALED, FOLLOW)),
    ("any chain", charters.any_chain, (BELIEVED,)),
    ("any signature", keyholder.any_charter, (SIGNED,)),
    ("any house", charters.any_house, (HOUSE,)),
    ("tags of nobody", keyholder.tags_of_nobody, (READ,)),
]
