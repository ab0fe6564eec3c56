"""What must go wrong in the drill links when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import disk, traces
from tests.drill.weak.base import Row

EQUAL, ORDER, SINGLES = "look for equal bytes", "put the people", "find the order"
SIZES, DATES, GUESSES, READS = "hold sizes", "tell by epoch", "guess 368 people", "compare the backups"

WEAK: list[Row] = [
    ("one key for all holdings", traces.one_key_for_all_holdings, (EQUAL,)),
    ("handles in the file's order", disk.handles_in_order, (ORDER,)),
    ("a log of intake", traces.log_of_intake, (ORDER,)),
    ("file never tidied", traces.never_tidied, (SINGLES,)),
    ("no padding", disk.no_padding, (SIZES,)),
    ("expiry to the day", traces.expiry_to_the_day, (DATES,)),
    ("mask not applied", disk.no_mask, (GUESSES,)),
    ("tokens unkeyed", disk.no_index_key, (GUESSES,)),
    ("a log of reads", traces.log_of_reads, (READS,)),
]
