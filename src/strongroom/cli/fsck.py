"""``strongroom fsck``: everything that both houses hold, checked (DESIGN section 6)."""

from __future__ import annotations

from strongroom.cli.command import FAILED, FINE, Call, Commands
from strongroom.cli.output import count
from strongroom.custody import fsck


def add(commands: Commands, name: str, about: str) -> None:
    commands.command(
        name,
        about,
        check,
        description="""Check everything that both houses hold: every record's form and compartments, the index, every entry and tile, the charters'
chain, every tag of every chain, used asks, budgets; and that vault, keyholder and published ledger agree. It changes nothing,
needs no keyholder to answer, and prints one line a problem.""",
        examples=["strongroom fsck", "strongroom fsck --room /srv/room --json"],
        development=False,
    )


def check(call: Call) -> int:
    out = call.out
    problems: list[str] = []
    checked: dict[str, int] = {}
    with out.progress("checking") as advance:

        def progress(what: str, done: int, total: int) -> None:
            checked[what] = max(done, checked.get(what, 0))
            advance(done, total)

        fsck.check(call.room, progress, problems.append)
    for line in problems:
        out.bad(line)
    if problems:
        out.line(f"{count(len(problems), 'problem')} in {call.room}", indent=2)
    else:
        houses = (
            "both houses are whole, and agree"
            if (call.room / "keyholder" / "keys.json").exists()
            else "the vault is whole"
        )
        out.good(f"{call.room}: {houses}")
    out.document({"problems": problems, "room": str(call.room), "whole": not problems})
    return FAILED if problems else FINE
