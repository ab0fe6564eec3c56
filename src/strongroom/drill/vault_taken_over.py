"""Drill: root on the vault, against a keyholder that works, while readers go on signing (THREATS.md, promise 2)."""

from __future__ import annotations

from strongroom.catalog.rate import parse_rate
from strongroom.drill import root_guesses
from strongroom.drill.report import Progress, Report
from strongroom.drill.root import Root
from strongroom.drill.stage import Stage, Theatre
from strongroom.ledger import audit, entry
from strongroom.ledger.note import verifier

NAME = "vault-taken-over"
ATTACK = "Root on the vault, with its keys and every path to the keyholder, rides on what readers sign."

HOURS, ASKS_AN_HOUR = 30, 6


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in()
    root, began = Root(stage), stage.hands.wall_time
    for hour in range(HOURS):
        progress(f"hour {hour + 1} of {HOURS}: {len(root.reads)} records read so far")
        for _ in range(ASKS_AN_HOUR):
            root.next_ask()
            stage.hands.wait(20)
        stage.hands.wait(3600 - 20 * ASKS_AN_HOUR)
    _bounds(report, stage, root, (stage.hands.wall_time - began) / 3600)
    _tricks(report, root)
    progress("root steers finds, guesses in an intake window and tries other doors")
    root_guesses.steer(report, root)
    root_guesses.guess(report, root)
    root_guesses.other_doors(report, root)
    progress("the public reads the book")
    _book(report, stage, root)
    stage.close()


def _bounds(report: Report, stage: Stage, root: Root, hours: float) -> None:
    budgets = stage.keyholder.charter.budgets.room
    rates = [parse_rate(text) for text in budgets]
    # A bucket is full at the start and fills on: that much and no more can leave it in this time.
    most = min(rate.count + int(rate.count * hours * 3600 / rate.period) for rate in rates)
    got, people = len(root.reads), len({handle for _, handle in root.reads})
    report.add(
        f"read all that can be read in {hours:.0f} hours ({', '.join(budgets)} for the room: at most {most})",
        root.intruder.tries,
        f"{got} reads of {people} of {len(stage.handles())} residents",
        f"{root.signed:,} signed for by readers",
        passed=0 < got <= most and got <= root.signed,
    )
    report.limit(
        f"riding works, within the budget: {got} reads in {hours:.0f} hours, each signed for by a reader and in the book"
    )


def _tricks(report: Report, root: Root) -> None:
    for trick, tried in root.tries.items():
        beyond, codes = root.beyond[trick], root.codes[trick]
        seen = [f"{count} refused: {code}" for code, count in codes.most_common()]
        if given := tried - codes.total():
            seen.insert(0, f"{given} given")
        report.add(trick, tried, f"{beyond} records beyond the ask", ", ".join(seen), passed=not beyond)


def _book(report: Report, stage: Stage, root: Root) -> None:
    """Anybody reads the published ledger; the referee knows whose each tag is."""
    stage.room.publish()
    charter, entries = stage.keyholder.charter, dict[int, entry.Entry]()
    keys = [verifier(charter.keyholder.log), verifier(charter.vault.cosigner)]
    public = stage.root / "public"
    found = audit.audit(
        lambda path: (public / path).read_bytes(), keys, None, None, lambda index, one: entries.update({index: one})
    )
    whose = stage.whose_tags()
    unseen = 0
    for index, handle in root.reads:
        about = {whose.get(one) for one in entry.entry_tags(entries[index])} if index in entries else set()
        unseen += stage.truth[handle].who not in about
    counts = ", ".join(f"{found.counts.get(name, 0)} {name}s" for name in ("disclosure", "refusal", "find", "intake"))
    report.add(
        "be read nowhere: look for a read without its person's tag in the published ledger",
        len(root.reads),
        f"{unseen} unseen reads",
        counts,
        passed=not unseen,
    )
