"""Drill: a call is about two people; the second is read through the first (THREATS.md, promises 3 and 5)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from strongroom.client.device import Device
from strongroom.custody import read
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.drill.falsehood import ask_reads, fetch, view
from strongroom.drill.intruder import Piece, Taken
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Scene
from strongroom.drill.stage import CASE, REASON, Stage, Theatre
from strongroom.errors import StrongroomError
from strongroom.ledger import entry
from strongroom.seal import columns
from strongroom.synth import people

NAME = "second-person"
ATTACK = "Calls: a detective and then root on the vault read the callee by way of the caller, who alone should be told."

CALLS = (
    (0, 1), (1, 0), (0, None), (2, 2), (0, 3), (3, 1), (1, 2), (2, 0), (3, 0), (1, 3), (3, None), (2, 1), (2, 3), (3, 2), (1, None), (4, 5),
)  # fmt: skip
"""Who called whom; nobody knows who was called where there is None. The last two have nothing to do with the others."""
PERSONS = 4
"""Of these persons each has a device, enrolled by telephone."""
CALLER, CALLEE, CALL = 1, 2, 3
"""Numbers of the compartments."""
_REST = 8 * 3600


class Calls(Scene):
    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, "calls")
        self.devices = [
            stage.enrol(next(at for at, (caller, _) in enumerate(CALLS) if caller == one), "calls", "caller")
            for one in range(PERSONS)
        ]
        self.whos = [self.who(one) for one in range(PERSONS)]

    def who(self, one: int) -> bytes:
        return self.stage.inner(next(at for at, (caller, _) in enumerate(CALLS) if caller == one), "calls", "caller")[
            :16
        ]

    def handle(self, caller: int, callee: int | None) -> bytes:
        return self.stage.handle_of(CALLS.index((caller, callee)), "calls")

    def slots(self, caller: int, callee: int | None) -> list[Piece]:
        return self.pieces([self.handle(caller, callee)], [CALLER, CALLEE, CALL])

    def found(self, device: Device) -> Counter[int]:
        """Entries that the person finds, each as often as it has a tag of theirs; all of it proved."""
        said = ask_reads(self.stage, device)
        seen = view(self.stage, device, said, fetch(self.stage.root / "public"))
        assert seen.complete, "nobody hides anything here but by the slots"
        return Counter(one.index for one in seen.chains[0].reads)


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    progress("calls are taken in, and four people enrol by telephone")
    drawn = [one["phone"] for one in people.people(6, 41)]
    rows = [
        {
            "caller": drawn[caller],
            "callee": "" if callee is None else drawn[callee],
            "day": "2026-02-03",
            "seconds": "61",
        }
        for caller, callee in CALLS
    ]
    stage.admit("calls", rows)
    calls = Calls(stage)
    progress("a detective reads")
    _honest(report, calls)
    _unidentified(report, calls)
    progress("root on the vault reads")
    _root(report, calls)
    progress("root seals, and erases")
    _sealed_so(report, calls)
    _erased(report, calls)
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
        ([(2, 2)], ["caller", "callee"], [2]),
        ([(2, 2)], ["callee"], [2]),
        ([(0, 3), (3, 1)], ["caller", "callee"], [0, 3, 3, 1]),
        ([(0, 3), (3, 1), (3, 0)], ["callee"], [3, 1, 0]),
    ]
    expected = [Counter[int]() for _ in calls.devices]
    for records, fields, persons in wanted:
        stage.hands.wait(_REST)
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
        stage.hands.wait(_REST)
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


# --- root -------------------------------------------------------------------------------------------------------------------
def _blamed(piece: Piece, truly: bytes, instead: bytes) -> Piece:
    return replace(piece, masked=columns.xor(piece.masked, columns.xor(truly, instead)))


def _tricks(calls: Calls) -> dict[str, list[tuple[list[str], list[Piece]]]]:
    """Attack -> what the detective signs for (fields), and what root sends. The first piece's record is the ask's."""
    zero, one, two, three = calls.whos
    caller, callee, _ = calls.slots(0, 1)
    other, third, _ = calls.slots(2, 3)
    nobody = calls.stage.truth[calls.handle(0, None)].whos[1]
    unknown = calls.slots(0, None)
    back, forth, when = calls.slots(1, 3)
    return {
        "the callee's slot put down to the caller": [
            (["callee"], [_blamed(callee, one, zero)]),
            (["caller", "callee"], [caller, _blamed(callee, one, zero)]),
            (["caller", "callee"], [other, _blamed(third, three, two)]),
        ],
        "the callee's slot put down to nobody known": [
            (["callee"], [_blamed(callee, one, nobody)]),
            (["callee"], [replace(forth, masked=bytes(16))]),
            (["callee"], [replace(forth, masked=os.urandom(16))]),
        ],
        "an unknown callee's slot put down to the caller": [
            (["callee"], [_blamed(unknown[1], nobody, zero)]),
            (["caller", "callee"], [unknown[0], _blamed(unknown[1], nobody, zero)]),
        ],
        "w exchanged between caller and callee": [
            (["caller", "callee"], [replace(back, masked=forth.masked), replace(forth, masked=back.masked)]),
            (["callee"], [replace(forth, masked=back.masked)]),
            (["callee", "day"], [replace(forth, masked=when.masked), replace(when, masked=forth.masked)]),
        ],
        "the callee's slot sent as the caller's, or as nobody's": [
            (["caller"], [replace(callee, compartment=CALLER)]),
            (["day"], [replace(forth, compartment=CALL)]),
        ],
        "the callee's slot under a call of others": [
            (["callee"], [replace(third, handle=callee.handle)]),
            (["caller", "callee"], [caller, replace(third, handle=callee.handle)]),
        ],
        "the caller's slot alone, where both were asked for": [
            (["caller", "callee"], [caller]),
            (["caller", "callee"], [other]),
        ],
    }


def _root(report: Report, calls: Calls) -> None:
    stage, false = calls.stage, 0
    for attack, tries in _tricks(calls).items():
        opened = untold = refused = marks = 0
        for fields, pieces in tries:
            stage.hands.wait(_REST)
            signed = stage.ask([pieces[0].handle], fields, "trace-call", "dee", "calls")
            taken = calls.shares(signed, pieces).taken
            if taken is None:
                refused += 1
                continue
            hidden, told = _unseen(calls, taken, pieces[0].handle, fields)
            opened, untold, marks = opened + len(taken.opened), untold + hidden, marks + told
            false += told - len(taken.opened)
        report.add(
            attack,
            len(tries),
            f"{untold} opened untold, or past the ask",
            f"{opened} opened, {marks} tags",
            # The keyholder must have answered, or nothing was tried.
            passed=not untold and not refused,
        )
    stage.hands.wait(_REST)
    handle = calls.handle(1, 3)
    taken = calls.shares(stage.ask([handle], ["callee"], "trace-call", "dee", "calls"), calls.slots(1, 3)[1:2]).taken
    hidden = _unseen(calls, taken, handle, ["callee"])[0] if taken else 1
    report.add(
        "the callee's slot as it is (the control)",
        1,
        f"{len(taken.opened) if taken else 0} opened, as it must be",
        "1 tag on the callee's chain" if not hidden else "nothing",
        passed=taken is not None and len(taken.opened) == 1 and not hidden,
    )
    report.limit(
        f"root can mark a chain with a read that opened nothing: {false} marks more were made here than slots opened"
    )


def _unseen(calls: Calls, taken: Taken, handle: bytes, fields: Sequence[str]) -> tuple[int, int]:
    """(opened past the ask or without their person's tag, tags of the entry)."""
    number = {"caller": CALLER, "callee": CALLEE, "day": CALL}
    asked = {(handle, number[name]) for name in fields}
    (written,) = calls.entries(taken.index)[:1]
    whose = calls.stage.whose_tags()
    told = {whose.get(one) for one in entry.entry_tags(written)}
    hidden = 0
    for place in taken.opened:
        known = calls.stage.truth[place.handle]
        about = next(
            who for slot, who in zip(known.slots, known.whos, strict=True) if slot.compartment == place.compartment
        )
        hidden += about not in told or (place.handle, place.compartment) not in asked
    return hidden, len(entry.entry_tags(written))


def _sealed_so(report: Report, calls: Calls) -> None:
    """Root had the vault when the call was taken in, and sealed what is about the callee under the caller."""
    stage, known = calls.stage, calls.stage.truth[calls.handle(2, 0)]
    declared = stage.room.rules().charter.holdings["calls"]
    row = stage.people["calls"][known.number]
    made = Sealer(stage.room, "calls", declared).seal(
        Records(
            [known.handle],
            [known.stored.version + 1],
            {"caller": [known.whos[0]], "callee": [known.whos[0]], "": [known.whos[2]]},
            [known.stored.tokens],
            {name: [row[name]] for name in declared.fields},
        )
    )
    stage.room.store.put_chunk(stage.room.holding("calls"), made.rows, [made.batch])
    stage.look_again()
    calls.intruder.look()
    shown, seen = 0, set[str]()
    for fields in (["callee"], ["caller", "callee"]):
        stage.hands.wait(_REST)
        try:
            shown += len(
                read.disclose(stage.room, stage.ask([known.handle], fields, "trace-call", "dee", "calls")).values
            )
        except StrongroomError as error:
            seen.add(error.code)
    report.add(
        "the callee's part sealed under the caller at intake, then read by way of the honest vault",
        2,
        f"{shown} shown",
        f"the vault refuses: {', '.join(sorted(seen))}",
        passed=not shown and seen == {"seal"},
    )
    stage.hands.wait(_REST)
    signed = stage.ask([known.handle], ["callee"], "trace-call", "dee", "calls")
    taken = calls.shares(signed, calls.pieces([known.handle], [CALLEE])).taken
    if taken:
        whose = stage.whose_tags()
        told = {whose.get(one) for one in entry.entry_tags(calls.entries(taken.index)[0])}
        report.limit(
            f"whoever had root at intake and has it again at the read is not found: {len(taken.opened)} compartment about"
            f" the callee opened, {'the caller alone' if told == {known.whos[0]} else 'others'} told"
        )


def _erased(report: Report, calls: Calls) -> None:
    """A limit: what opens nothing cannot show whose it is."""
    stage = calls.stage
    stage.room.publish()
    before = [calls.found(device).total() for device in calls.devices]
    handle = calls.handle(0, 3)
    caller, callee, call = calls.slots(0, 3)
    signed = stage.asker("rui").erase("calls", "close-record", [handle], CASE, REASON, stage.room.now())
    try:
        request = calls.intruder.erase(signed, [caller, _blamed(callee, calls.whos[3], calls.whos[0]), call])
        stage.room.client.call("/v1/erase", request)
    except StrongroomError:
        return
    stage.room.sync()
    stage.room.publish()
    after = [calls.found(device).total() for device in calls.devices]
    report.limit(
        "an erasure opens nothing, so whom it tells is the vault's word: root erased a call and put the callee's slot down to the"
        f" caller; the caller finds {after[0] - before[0]}, the callee {after[3] - before[3]}"
    )
