"""Drill: a call is about two people; the second is read through the first (THREATS.md, promises 3 and 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from strongroom.custody import read
from strongroom.drill import second_slots
from strongroom.drill.calls import CALLS, PERSONS, REST, Calls
from strongroom.drill.report import Progress, Report
from strongroom.drill.stage import CASE, REASON, Theatre
from strongroom.ledger import entry

NAME = "second-person"
ATTACK = "Calls: a detective and then root on the vault read the callee by way of the caller, who alone should be told."


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    progress("calls are taken in, and four people enrol by telephone")
    calls = Calls(stage)
    progress("a detective reads")
    _honest(report, calls)
    _unidentified(report, calls)
    _alike(report, calls)
    progress("root on the vault reads")
    second_slots.reads(report, calls)
    progress("root seals, and erases")
    second_slots.sealed_so(report, calls)
    second_slots.erased(report, calls)
    stage.close()
    report.limit(
        "when and how long is about nobody in this catalog: a read of that alone stands in the book, and on neither chain"
    )


# --- by way of the honest vault --------------------------------------------------------------------------------------------
def _honest(report: Report, calls: Calls) -> None:
    """What is read of whom, in every combination: each must find exactly what was opened of them, and be told of no more."""
    stage = calls.stage
    wanted: list[tuple[list[tuple[int, int | None]], Sequence[str], list[int]]] = [
        ([(0, 1)], ["caller"], [0]),
        ([(0, 1)], ["callee"], [1]),
        ([(1, 0)], ["caller", "callee"], [1, 0]),
        ([(0, 1)], ["day"], []),
        ([(1, 2)], ["callee", "day"], [2]),
        ([(0, None)], ["caller", "callee"], [0]),
        ([(2, 2)], ["caller", "callee"], [2, 2]),
        ([(2, 2)], ["callee"], [2]),
        ([(0, 3), (3, 1)], ["caller", "callee"], [0, 3, 3, 1]),
        ([(0, 3), (3, 1), (3, 0)], ["callee"], [3, 1, 0]),
    ]
    expected = [Counter[int]() for _ in calls.devices]
    for records, fields, persons in wanted:
        stage.hands.wait(REST)
        handles = sorted(calls.handle(*one) for one in records)
        given = read.disclose(stage.room, stage.ask(handles, fields, "trace-call", "dee", "calls"))
        for one in persons:
            expected[one][given.index] += 1
    phone = stage.people["calls"][0]["callee"] or ""
    asker = stage.asker("dee")
    found = read.find(stage.room, asker.find("calls", "trace-call", "phone", phone, CASE, REASON, stage.room.now()))
    expected[1][found.index] += 1
    stage.room.publish()
    missing = beside = 0
    for device, own in zip(calls.devices, expected, strict=True):
        seen = calls.found(device)
        missing += (own - seen).total()
        beside += (seen - own).total()
    marks = sum(own.total() for own in expected)
    report.add(
        "reads of callers, of callees, of both, of calls to oneself: does each find those of them, and no others",
        len(wanted) + 1,
        f"{missing} not found by whom they are about",
        f"{marks - missing} found by {PERSONS} people, {beside} that are others'",
        passed=not missing and not beside,
    )


def _unidentified(report: Report, calls: Calls) -> None:
    """Nobody knows who was called. They have a chain all the same, each their own, since somebody may become known."""
    stage, chains, tags = calls.stage, list[bytes | None](), 0
    known = set(calls.whos)
    records = [one for one in CALLS if one[1] is None]
    for record in records:
        stage.hands.wait(REST)
        given = read.disclose(stage.room, stage.ask([calls.handle(*record)], ["callee"], "trace-call", "dee", "calls"))
        whose = stage.whose_tags()
        (written,) = calls.entries(given.index)[:1]
        tags += len(entry.entry_tags(written))
        chains += [whose.get(one) for one in entry.entry_tags(written)]
    shared = len(chains) - len(set(chains)) + sum(one in known or one is None for one in chains)
    report.add(
        "reads of callees whom nobody knows: whose chains are they on",
        len(records),
        f"{shared} on a chain that is somebody else's too",
        f"{tags} tags on {len(set(chains))} chains of their own",
        passed=not shared and tags == len(records),
    )


def _alike(report: Report, calls: Calls) -> None:
    """Whoever reads the book would like to know which read was of somebody who called themselves."""
    counts = []
    for record in ((2, 2), (2, 3), (1, None)):
        calls.stage.hands.wait(REST)
        asked = calls.stage.ask([calls.handle(*record)], ["caller", "callee"], "trace-call", "dee", "calls")
        counts.append(len(entry.entry_tags(calls.entries(read.disclose(calls.stage.room, asked).index)[0])))
    told = len(set(counts)) - 1
    report.add(
        "count the tags in the book, for who called themselves or somebody unknown",
        len(counts),
        f"{told} told from the others",
        f"{', '.join(map(str, counts))} tags",
        passed=not told,
    )
