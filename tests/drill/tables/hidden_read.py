"""What must go wrong in the drill hidden-read when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import book, share
from tests.drill.weak.base import Row, Same, SameNumber

WEAK: list[Row] = [
    ("gaps not looked for", book.blind_to("missing"), (
        "the entry withheld, the count true", "the last entry withheld", "the entry withheld, the count one", "the entry without", "the count one more",
    )),
    ("nothing past the count looked for", book.short_sight, ("the count one less", "the count none")),
    ("nothing past the count seen", book.blind_to("beyond"), ("the count one less", "the entry withheld, the count one")),
    ("numbers given twice not seen", book.blind_to("repeated"), ("the entry written a second",)),
    ("statement's device not compared", book.statement_for("device", lambda _: Same()), ("the statement about another device",)),
    ("statement's size not compared", book.statement_for("size", SameNumber), ("the statement about another size",)),
    ("statement not verified", book.any_statement, ("a statement signed by",)),
    ("vault's word of any book", book.any_confirmation, ("a fork shown to them alone, beside",)),
    ("vault's word by anybody", book.any_cosigner, ("a fork shown to them alone, cosigned",)),
    ("no word of the vault wanted", book.no_confirmation, ("a fork shown to them alone, without",)),
    ("statement's time not compared", book.any_age, ("an old statement",)),
    ("day files not compared", book.any_day, ("the tag left out",)),
    ("share bound to neither handle nor who", share.share_of_batch, ("their slot under", "their record stored")),
    ("share not bound to who", share.unbound_who, ("their slot put down", "their slot with a mask")),
]  # fmt: skip
