"""What must go wrong in the drill witnesses-turned when the room is weakened in one point."""

from __future__ import annotations

from tests.drill.weak import witnesses
from tests.drill.weak.base import Row

WEAK: list[Row] = [
    ("all must cosign", witnesses.all_of_them, ("one witness is dead",)),
    ("any cosignature", witnesses.any_cosignature, ("a witness lies: its signature of", "a witness lies: another witness's signature")),
    ("any date", witnesses.any_date, ("a witness lies: a signature dated",)),
    ("any age", witnesses.any_age, ("a witness lies: a signature of a day",)),
    ("no quorum counted", witnesses.any_quorum, ("a witness lies: another witness's lines",)),
    ("witnesses that prove nothing", witnesses.any_growth, (
        "a read left out, as long as the true ledger, cosigned", "a read left out, and grown since, cosigned",
    )),
    ("another ledger's cosignatures", witnesses.any_ledger, (
        "a read left out, as long as the true ledger, beside", "a read left out, and grown since, beside",
    )),
    ("no proof kept", witnesses.keep_nothing, ("keep who saw both",)),
]  # fmt: skip
