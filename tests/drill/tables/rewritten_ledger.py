"""What must go wrong in the drill rewritten-ledger when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import book, vault
from tests.drill.weak.base import Row

REWRITTEN = (
    "an entry dropped", "an entry dropped, and another", "an entry dropped, and the book", "an entry's purpose", "an entry's tag",
    "two entries exchanged", "the last two entries cut off", "the last two cut off", "forked", "begun anew",
)  # fmt: skip

# Where the book is shorter than the mirror, the receipt does not fit the mirror's own entry either.
GROWN = tuple(attack for attack in REWRITTEN if attack not in ("an entry dropped", "the last two entries cut off"))

WEAK: list[Row] = [
    ("mirror compares no roots", vault.any_checkpoint, GROWN),
    ("watcher compares nothing", book.any_growth_for_watchers, REWRITTEN),
    ("subject compares nothing", book.any_growth_for_subjects, (*REWRITTEN, "one book for the vault", "a fork for one person")),
    ("subject wants no word of the vault", book.no_confirmation, ("a fork for one person",)),
    ("auditor builds no tree", book.any_tiles, ("files of the public copy",)),
]  # fmt: skip
