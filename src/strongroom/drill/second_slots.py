"""Root on the vault reads and erases the second person by way of the first (part of ``second_person``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from strongroom.custody import read
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.drill.calls import CALL, CALLEE, CALLER, REST, Calls
from strongroom.drill.intruder import Piece, Taken
from strongroom.drill.report import Report
from strongroom.drill.stage import CASE, REASON
from strongroom.errors import StrongroomError
from strongroom.ledger import entry
from strongroom.seal import columns


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


def reads(report: Report, calls: Calls) -> None:
    stage, false = calls.stage, 0
    for attack, tries in _tricks(calls).items():
        opened = untold = refused = marks = 0
        for fields, pieces in tries:
            stage.hands.wait(REST)
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
    stage.hands.wait(REST)
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


def sealed_so(report: Report, calls: Calls) -> None:
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
        stage.hands.wait(REST)
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
    stage.hands.wait(REST)
    signed = stage.ask([known.handle], ["callee"], "trace-call", "dee", "calls")
    taken = calls.shares(signed, calls.pieces([known.handle], [CALLEE])).taken
    if taken:
        whose = stage.whose_tags()
        told = {whose.get(one) for one in entry.entry_tags(calls.entries(taken.index)[0])}
        report.limit(
            f"whoever had root at intake and has it again at the read is not found: {len(taken.opened)} compartment about"
            f" the callee opened, {'the caller alone' if told == {known.whos[0]} else 'others'} told"
        )


def erased(report: Report, calls: Calls) -> None:
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
