"""Drill: a good purpose, and more than it is good for (THREATS.md, promise 6)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from strongroom.catalog.model import Test
from strongroom.client.device import SignedAsk
from strongroom.custody import check, correct, read
from strongroom.custody.admit import admit
from strongroom.drill import breadth_limits
from strongroom.drill.attempts import Attempts
from strongroom.drill.intruder import pieces_of
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import CASE, REASON, Theatre

NAME = "borrowed-breadth"
ATTACK = "A purpose is good, and is stretched: old versions, other compartments, more records, one kind of ask used for another."

_DAY = 86400
READING = {"confirm": ("name", 1), "reach": ("name", 1), "visit": ("address", 4)}
"""Purposes that a clerk reads residents for: one field of it, and the compartment where it lies."""
MOST, DAILY = 20, 40
"""Records that an export may have, and all of one reader's on a day, under hand-over."""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=150, patients=0)
    corrected = stage.handles()[:3]
    for handle in corrected:
        stage.correct(handle, {"phone": "13800138000"})
    breadth_limits.fill(stage)
    scene = Scene(stage, corrected=corrected)
    _control(report, scene)
    for number, attack in enumerate((
        _old_versions, _other_version, _compartments, _records, _exports, _exports_on, _questions, _corrections, _by_the_vault,
    )):  # fmt: skip
        progress(f"{number + 1} of 9")
        # What an hour's budget refuses is not what is tried here, but of exports.
        stage.hands.wait(3600)
        attack(report, scene)
    progress("what the honest asks give to root")
    stage.hands.wait(_DAY)
    breadth_limits.run(report, scene)
    progress("past their day")
    _held(report, scene)
    stage.close()


def _control(report: Report, scene: Scene) -> None:
    """Old versions for who may have them."""
    handle = scene.corrected[0]
    signed = scene.stage.ask([handle], ("phone",), "look-back", "arno", version=1)
    taken = scene.shares(signed, pieces_of(scene.stage.at_version(handle, 1), [3])).taken
    opened = [one.version for one in taken.opened] if taken else []
    report.add(
        "an old version under a purpose with history (the control)",
        1,
        f"{len(opened)} compartment of version 1, as it must be",
        "disclosure",
        passed=opened == [1],
    )


def _old_versions(report: Report, scene: Scene) -> None:
    """Asked for by its number; and put in the newest one's place."""
    tally = Attempts(scene)
    for purpose, (name, number) in READING.items():
        for handle, version in zip(scene.corrected, (1, 0, 2), strict=True):
            signed = scene.stage.ask([handle], (name,), purpose, version=version)
            tally.shares(signed, pieces_of(scene.stage.at_version(handle, 1), [number]))
    tally.report(report, "old versions, under purposes without history", "opened")


def _other_version(report: Report, scene: Scene) -> None:
    """A purpose with history, and another version than the ask names; another record's beside."""
    tally, stage = Attempts(scene), scene.stage
    one, other, _ = scene.corrected
    old, new = pieces_of(stage.at_version(one, 1), [1, 3]), scene.pieces([one], [1, 3])
    beside = pieces_of(stage.at_version(other, 1), [1, 3])
    for version, pieces in (
        (1, new),
        (2, old),
        (3, old),
        (0, old),
        (1, [old[0], new[1]]),
        (1, [*old, *beside]),
        (1, beside),
    ):
        tally.shares(stage.ask([one], ("name", "phone"), "look-back", "arno", version=version), pieces)
    tally.report(
        report, "another version than the ask names, or another record's, under a purpose with history", "opened"
    )


def _compartments(report: Report, scene: Scene) -> None:
    tally, handles = Attempts(scene), scene.handles()
    for purpose, (name, number) in READING.items():
        for other in {1, 2, 3, 4} - {number}:
            for wanted in ([other], [number, other]):
                tally.shares(scene.stage.ask(handles, (name,), purpose), scene.pieces(handles, wanted))
        everything = scene.stage.ask(handles, ("name", "born", "phone", "address"), purpose)
        tally.shares(everything, scene.pieces(handles, [1, 2, 3, 4]))
    tally.report(report, "compartments beside the asked one and in its place, and fields of other purposes", "opened")


def _records(report: Report, scene: Scene) -> None:
    tally, every = Attempts(scene), scene.stage.handles()
    for asked, sent in ((1, 2), (1, 10), (1, 150), (20, 21), (20, 19), (2, 1)):
        tally.shares(scene.stage.ask(every[:asked]), scene.pieces(every[:sent]))
    for asked in (1, 20):
        tally.shares(scene.stage.ask(every[:asked]), scene.pieces(every[-asked:]))
    tally.report(report, "more records than the ask names, fewer, and others", "opened")


# --- exports -------------------------------------------------------------------------------------------------------------
def _export(scene: Scene, count: int, name: str = "arno", purpose: str = "hand-over") -> SignedAsk:
    now = scene.stage.room.now()
    asker = scene.stage.asker(name)
    return asker.export("residents", purpose, ["name"], count, now + 3600, CASE, REASON, now)


def _exports(report: Report, scene: Scene) -> None:
    tally, every = Attempts(scene), scene.stage.handles()
    for count, sent in ((MOST + 1, 1), (10_000, 150), (100_000_000, 150), (1, 2), (MOST, MOST + 1), (2, 150)):
        tally.shares(_export(scene, count), scene.pieces(every[:sent]))
    tally.shares(_export(scene, 1), scene.pieces(every[:1], [1, 3]))
    tally.shares(_export(scene, 1, "ana", "confirm"), scene.pieces(every[:1]))
    tally.shares(_export(scene, 1, "rui"), scene.pieces(every[:1]))
    tally.report(report, "exports past what the purpose may have, past what was signed, wider, and by others", "opened")


def _exports_on(report: Report, scene: Scene) -> None:
    """Each within bounds, one after the other, until nothing more is given."""
    every, got, codes = scene.stage.handles(), 0, list[str]()
    for start in range(0, 6 * MOST, MOST):
        outcome = scene.shares(_export(scene, MOST), scene.pieces(every[start : start + MOST]))
        got += len(outcome.taken.opened) if outcome.taken else 0
        codes += [outcome.code] if outcome.code else []
    report.add(
        f"the whole register by one small export after the other ({DAILY}/day)",
        6,
        f"{got} records of {len(every)}",
        f"{len(codes)} refusals in the book ({len(codes)} {' '.join(sorted(set(codes)))})",
        passed=0 < got <= DAILY and set(codes) == {"budget"},
    )


# --- one kind of ask used for another --------------------------------------------------------------------------------------
def _check(scene: Scene, handles: list[bytes], field: str, test: Test, value: str | None) -> SignedAsk:
    asker, now = scene.stage.asker(), scene.stage.room.now()
    return asker.check("residents", "ask-age", handles, field, test, value, CASE, REASON, now)


def _questions(report: Report, scene: Scene) -> None:
    tally, handles = Attempts(scene), scene.handles(2)
    for name, number in (("born", 2), ("phone", 3), ("district", 4)):
        tally.shares(scene.stage.ask(handles, (name,), "ask-age"), scene.pieces(handles, [number]))
    others: list[tuple[str, Test, str | None, int]] = [
        ("born", "matches", "1990-01-01", 2), ("name", "matches", "王", 1), ("address", "district", "x", 4), ("district", "adult", None, 4),
    ]  # fmt: skip
    for field, test, value, number in others:
        tally.shares(_check(scene, handles, field, test, value), scene.pieces(handles, [number]))
    for wanted in ([1], [4], [2, 4], [1, 2, 3, 4]):
        tally.shares(_check(scene, handles, "born", "adult", None), scene.pieces(handles, wanted))
    tally.shares(_check(scene, handles[:1], "born", "adult", None), scene.pieces(handles, [2]))
    tally.report(report, "a purpose that may ask questions used to read, to ask others, and about more", "opened")


def _corrections(report: Report, scene: Scene) -> None:
    """A correction opens a record whole, to be sealed anew: what a reader who may not correct would want it for."""
    tally, (one, other) = Attempts(scene), scene.handles(2)
    every = [1, 2, 3, 4]
    for name, purpose, field, sent in (
        ("ana", "correct-entry", "phone", [one]), ("ana", "confirm", "name", [one]), ("arno", "look-back", "name", [one]),
        ("rui", "register", "phone", [one]), ("rui", "correct-entry", "born", [one]), ("rui", "correct-entry", "phone", [other]),
        ("rui", "correct-entry", "phone", [one, other]),
    ):  # fmt: skip
        signed = scene.stage.asker(name).correct(
            "residents", purpose, [one], {field: None}, CASE, REASON, scene.stage.room.now()
        )
        tally.shares(signed, scene.pieces(sent, every))
    disclosing = scene.stage.ask([one], ("phone",), "correct-entry", "rui")
    tally.shares(disclosing, scene.pieces([one], [3]))
    tally.report(report, "a correction used to read: by others, of other fields and records, and without one", "opened")


def _by_the_vault(report: Report, scene: Scene) -> None:
    """The same without root."""
    stage, tally, (handle,) = scene.stage, Attempts(scene, "vault"), scene.handles()
    room = stage.room
    tally.reader(lambda: read.disclose(room, stage.ask([scene.corrected[0]], version=1)))
    for purpose, field in (("confirm", "phone"), ("reach", "address"), ("visit", "name"), ("ask-age", "born")):
        tally.reader(partial(read.disclose, room, stage.ask([handle], (field,), purpose)))
    tally.reader(lambda: check.check(room, _check(scene, [handle], "born", "matches", "1990-01-01")))
    tally.reader(lambda: check.check(room, _check(scene, [handle], "name", "matches", "王")))
    tally.reader(lambda: admit(room, _export(scene, MOST + 1)))
    tally.reader(lambda: admit(room, _export(scene, 1, "ana", "confirm")))
    clerk = stage.mandate("ana", "residents", "correct-entry")
    tally.reader(lambda: correct.correct(room, clerk, [handle], {"phone": None}))
    registrar = stage.mandate("rui", "residents", "correct-entry")
    tally.reader(lambda: correct.correct(room, registrar, [handle], {"born": "1990-01-01"}))
    tally.report(report, "the same without root, by way of the honest vault", "given")


# --- past their day --------------------------------------------------------------------------------------------------------
def _held(report: Report, scene: Scene) -> None:
    """Codes whose fourteen days are over, under a purpose for what a legal hold keeps."""
    stage = scene.stage
    handle = stage.handles("health-codes")[0]
    known = stage.truth[handle]
    stage.hands.wait(known.stored.expires * _DAY - stage.room.now() - 3600)
    scene.operate("hold", holding="health-codes", until=stage.room.now() + 20 * _DAY)
    stage.hands.wait(7200)

    def ask(purpose: str, name: str) -> Outcome:
        signed = stage.ask([handle], ("code",), purpose, name, "health-codes")
        return scene.shares(signed, pieces_of(known, [2]))

    opened = ask("answer-court", "arno").taken
    report.add(
        "a code past its day, while a hold stands, for who looks after it (the control)",
        1,
        f"{len(opened.opened) if opened else 0} code, as it must be",
        "disclosure",
        passed=opened is not None and len(opened.opened) == 1,
    )
    tally = Attempts(scene)
    later = [replace(one, expires=one.expires + 30) for one in pieces_of(known, [2])]
    for purpose, name in (("contain", "dora"), ("appeal", "odd")):
        tally.root(partial(ask, purpose, name))
        tally.shares(stage.ask([handle], ("code",), purpose, name, "health-codes"), later)
    scene.operate("hold", holding="health-codes", until=stage.room.now())
    scene.operate("hold", holding="residents", until=stage.room.now() + _DAY)
    tally.root(partial(ask, "answer-court", "arno"))
    tally.shares(stage.ask([handle], ("code",), "contain", "dora", "health-codes"), later)
    tally.report(
        report,
        "codes past their day under other purposes, with a later date on them, and when the hold is lifted",
        "opened",
    )
