"""What must go wrong in the drill expired-epoch when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import keyholder, life
from tests.drill.weak.base import Row, both

READ, READ_AFTER = "read on the day", "read after the key"
RESEAL, RESEAL_AFTER = "have it resealed to a later key on", "have it resealed to a later key, after"
KEEP, NEW, BACK, OPEN, CLOCK = (
    "keep the key",
    "have a new key",
    "put the key's",
    "open the vault's copy",
    "start the keyholder",
)

no_day = both(keyholder.unchecked("expired"), life.usable_for_ever)
"""Where two locks hold the door: the day on which it expires, and that on which its key goes."""

WEAK: list[Row] = [
    ("the day not looked at", no_day, (READ,)),
    ("the day not looked at, keys kept", both(no_day, life.never_destroyed), (READ, KEEP, READ_AFTER, OPEN)),
    ("expiry not bound", both(life.unbound_expiry, life.usable_for_ever), (READ, RESEAL)),
    ("expiry not bound, keys kept", both(life.unbound_expiry, life.usable_for_ever, life.never_destroyed), (RESEAL_AFTER,)),
    ("keys made for any day", both(keyholder.any_resealing, life.never_destroyed), (NEW,)),
    ("a key that comes back", both(keyholder.unchecked("expired"), life.never_destroyed_again), (BACK,)),
    ("any time that the clock says", both(life.wall_clock, life.never_destroyed), (CLOCK,)),
]  # fmt: skip
