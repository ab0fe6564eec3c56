"""Drill: reading without saying why (THREATS.md, promise 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import msgspec

from strongroom.canonical import encode
from strongroom.client.device import SignedAsk
from strongroom.custody import asking, book, correct, export, read
from strongroom.custody.admit import keep_private
from strongroom.custody.export import Wanted
from strongroom.custody.intake.window import Errand, open_window
from strongroom.drill.attempts import Attempts
from strongroom.drill.blanks import CASES, REASONS
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Scene
from strongroom.drill.stage import CASE, REASON, Stage, Theatre
from strongroom.errors import Refused, StrongroomError
from strongroom.gate import ask as asks
from strongroom.gate import reason
from strongroom.seal import private

NAME = "blank-reason"
ATTACK = (
    "Reasons and cases that say nothing, in every form and for every kind of ask; then root skips the vault's gate."
)

BLANK = "test"
INVENTED = ("official business", "qazwsxedcrfv", "as it says in the file", "see the form of today")
"""Reasons that say nothing either, and pass."""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=60, patients=0)
    scene = Scene(stage)
    given = read.disclose(stage.room, stage.ask(scene.handles()))
    report.add(
        "a reason that says why (the control)",
        1,
        f"{len(given.values)} record, as it must be",
        "disclosure",
        passed=len(given.values) == 1,
    )
    for attack, texts in REASONS.items():
        progress(attack)
        _refused(report, scene, attack, [(CASE, text) for text in texts])
    progress("cases")
    _refused(report, scene, "cases that name nothing", [(text, REASON) for text in CASES])
    progress("every kind of ask")
    _every_ask(report, scene)
    progress("a better reason afterwards")
    _afterwards(report, scene)
    _root(report, scene)
    stage.close()


def _ask(stage: Stage, handles: Sequence[bytes], case: str, why: str) -> SignedAsk:
    return stage.asker().disclose("residents", "confirm", handles, ["name"], case, why, stage.room.now())


def _opened(stage: Stage, index: int) -> book.Opened:
    """What the auditor finds behind an entry."""
    return book.opened(stage.room, index, stage.root / "steward" / "auditor.key")


def _refused(report: Report, scene: Scene, attack: str, texts: Sequence[tuple[str, str]]) -> None:
    """At the honest vault; and the auditor is to find behind each refusal what was written, and by whom."""
    stage, handles, tally = scene.stage, scene.handles(), Attempts(scene, "vault")
    for case, why in texts:
        signed = _ask(stage, handles, case, why)
        tally.reader(partial(read.disclose, stage.room, signed))
    behind = [_opened(stage, index).private for index in tally.indexes]
    found = sum((one.case, one.reason) == text for one, text in zip(behind, texts, strict=False))
    report.add(
        attack,
        tally.tried,
        f"{tally.given} records opened",
        f"{tally.seen}; the auditor reads {found} of them",
        passed=not tally.given and not tally.silent and found == tally.tried,
    )


def _every_ask(report: Report, scene: Scene) -> None:
    stage, (handle,), tally = scene.stage, scene.handles(), Attempts(scene, "vault")
    row = stage.people["residents"][0]

    def mandate(name: str, purpose: str) -> asking.Mandate:
        return replace(stage.mandate(name, "residents", purpose), reason=BLANK)

    room, out = stage.room, Wanted(stage.root / "out.csv", "csv", ("name",), (handle,), None)
    rui = mandate("rui", "correct-entry")
    ways: dict[str, Callable[[], object]] = {
        "find": lambda: asking.find(room, mandate("ana", "confirm"), "resident-id", row["id-number"] or ""),
        "disclose": lambda: list(asking.disclose(room, mandate("ana", "confirm"), [handle], ["name"])),
        "check": lambda: list(asking.check(room, mandate("ana", "ask-age"), [handle], "born", "adult", None)),
        "correct": lambda: correct.correct(room, rui, [handle], {"name": "王"}),
        "erase": lambda: list(asking.erase(room, mandate("rui", "close-record"), [handle])),
        "export": lambda: export.export(room, mandate("arno", "hand-over"), out),
        "intake": lambda: open_window(room, "residents", Errand(stage.asker("rui"), "register", CASE, BLANK), 1),
    }
    for way in ways.values():
        tally.reader(way)
    tally.report(report, f"no reason for any kind of ask: {', '.join(ways)}")


# --- what stands behind the entry ----------------------------------------------------------------------------------------
def _past_the_gate(scene: Scene, why: str) -> tuple[SignedAsk, int]:
    """Root sends it to the keyholder itself. The ask, and its entry."""
    handles = scene.handles()
    signed = _ask(scene.stage, handles, CASE, why)
    taken = scene.shares(signed, scene.pieces(handles)).taken
    assert taken, "the keyholder does not know the reason"
    scene.stage.room.sync()
    return signed, taken.index


def _evidence(signed: SignedAsk) -> asks.Evidence:
    return asks.Evidence(
        ask=signed.text.decode(),
        countersignatures=[],
        private=encode(signed.private).decode(),
        signature=signed.signature,
    )


def _afterwards(report: Report, scene: Scene) -> None:
    """Root let a blank reason pass, and puts a better one behind the entry."""
    better, believed, seen = "renewing a passport that was lost", 0, set[str]()

    def other_half(signed: SignedAsk) -> asks.Evidence:
        half = msgspec.structs.replace(signed.private, reason=better)
        return msgspec.structs.replace(_evidence(signed), private=encode(half).decode())

    def other_ask(signed: SignedAsk) -> asks.Evidence:
        return _evidence(_ask(scene.stage, getattr(signed.ask, "records", []), CASE, better))

    def commitment_changed(signed: SignedAsk) -> asks.Evidence:
        half = msgspec.structs.replace(signed.private, reason=better)
        ask = msgspec.structs.replace(signed.ask, commitment=half.commitment())
        return msgspec.structs.replace(_evidence(signed), ask=encode(ask).decode(), private=encode(half).decode())

    tricks: list[Callable[[SignedAsk], asks.Evidence] | None] = [other_half, other_ask, commitment_changed, None]
    for trick in tricks:
        signed, index = _past_the_gate(scene, BLANK)
        if trick:
            _keep(scene.stage, signed, trick(signed))
        try:
            believed += _opened(scene.stage, index).private.reason == better
        except StrongroomError as error:
            seen.add(str(error).partition(": ")[2])
    report.add(
        "a better reason put behind the entry afterwards, another ask, or nothing at all",
        len(tricks),
        f"{believed} believed",
        f"the auditor: {'; '.join(sorted(seen))}",
        passed=not believed and len(seen) > 0,
    )


def _keep(stage: Stage, signed: SignedAsk, evidence: asks.Evidence) -> None:
    name = asks.ask_hash(signed.text)
    auditor, room = stage.room.rules().charter.auditor, stage.room
    sealed = private.seal_private(auditor, room.keys.room, name, encode(evidence), room.random)
    room.store.put_private(name, sealed)


def _root(report: Report, scene: Scene) -> None:
    """Limits: the keyholder never sees a reason, and no rule knows a true one."""
    found = 0
    for why in (BLANK, "", "asdfasdfasdf"):
        signed, index = _past_the_gate(scene, why)
        keep_private(scene.stage.room, signed)
        opened = _opened(scene.stage, index)
        found += opened.private.reason == why and opened.ask.reader == signed.ask.reader
    report.limit(
        f"the keyholder never sees a reason: root past the gate read 3 records for none. The book does not show it; the auditor who"
        f" opens the entries finds {found} of 3 without one, signed by the reader, or finds that the vault has kept nothing"
    )
    passed = sum(_passes(text) for text in INVENTED)
    report.limit(
        f"no rule tells a true reason from an invented one: {passed} of {len(INVENTED)} such as {INVENTED[0]!r} pass. Each has its"
        " writer's signature under it"
    )


def _passes(text: str) -> bool:
    try:
        reason.check_reason(text)
    except Refused:
        return False
    return True
