"""What must go wrong in the drill stolen-disk when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import disk, share
from tests.drill.weak.base import Row

SEARCH = "search"
SIZES, ORDER, EQUAL = "guess values by sealed sizes", "order records by", "compare w, nonces"
LINKS, GUESSES, OPEN = "find patients", "test 1,000 guessed", "open compartments"

WEAK: list[Row] = [
    ("plaintext left in the store", disk.plaintext_left, (SEARCH,)),
    ("no padding", disk.no_padding, (SIZES,)),
    ("a token for each value only", disk.fewer_tokens, (SIZES,)),
    ("one token for no value", disk.one_token_for_no_value, (EQUAL,)),
    ("handles in the file's order", disk.handles_in_order, (ORDER,)),
    ("one key and commitment for all", disk.one_key, (EQUAL,)),
    ("nonces counted", disk.nonces_counted, (LINKS,)),
    ("mask not applied", disk.no_mask, (GUESSES,)),
    ("one mask for a batch", share.unbound("handle"), (GUESSES,)),
    ("tokens unkeyed", disk.no_index_key, (GUESSES,)),
    ("batch secret known", disk.known_batch_secret, (OPEN,)),
    ("batch secret written down", disk.batch_secret_kept, (OPEN,)),
]  # fmt: skip
