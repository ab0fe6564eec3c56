"""What a good ask gives to root on the vault beyond what its reader is shown (part of ``borrowed_breadth``): limits, measured."""

from __future__ import annotations

from strongroom.drill.intruder import Taken
from strongroom.drill.report import Report
from strongroom.drill.scene import Scene
from strongroom.drill.stage import CASE, REASON, Stage
from strongroom.ledger import entry
from strongroom.synth import people


def fill(stage: Stage) -> None:
    """Calls and health codes, beside the residents that are there."""
    drawn = list(people.people(8, 31))
    calls = [
        {"caller": one["phone"], "callee": other["phone"], "day": "2026-03-01", "seconds": "61"}
        for one, other in zip(drawn[:4], drawn[4:], strict=True)
    ]
    stage.admit("calls", calls)
    stage.admit("health-codes", [{"id-number": drawn[0]["id-number"], "code": "green"}], "set-code", "dora", ("odd",))


def run(report: Report, scene: Scene) -> None:
    scene.intruder.look()
    _masks(report, scene)
    _question(report, scene)
    _correction(report, scene)
    _export(report, scene)


def _tags(scene: Scene, taken: Taken) -> int:
    (written,) = scene.entries(taken.index)[:1]
    return len(entry.entry_tags(written))


def _masks(report: Report, scene: Scene) -> None:
    handles = scene.handles()
    taken = scene.shares(scene.stage.ask(handles, ("id-number",)), scene.pieces(handles)).taken
    assert taken
    report.limit(
        f"masks bind an honest vault alone: asked for the last four digits of an identity number, root opens"
        f" {len(taken.opened)} compartment with the whole number and the name; {_tags(scene, taken)} tag"
    )


def _question(report: Report, scene: Scene) -> None:
    handles, now = scene.handles(), scene.stage.room.now()
    signed = scene.stage.asker().check("residents", "ask-age", handles, "born", "adult", None, CASE, REASON, now)
    taken = scene.shares(signed, scene.pieces(handles, [2])).taken
    assert taken
    report.limit(
        f"so do questions: asked whether somebody is of age, root opens {len(taken.opened)} compartment with the birthday;"
        f" {_tags(scene, taken)} tag, and the entry says check"
    )


def _correction(report: Report, scene: Scene) -> None:
    """The day of one call is to be put right."""
    stage = scene.stage
    handles, now = stage.handles("calls")[:1], stage.room.now()
    signed = stage.asker("rui").correct("calls", "correct-entry", handles, {"day": "2026-03-02"}, CASE, REASON, now)
    taken = scene.shares(signed, scene.pieces(handles, [1, 2, 3])).taken
    assert taken
    whose = stage.whose_tags()
    (written,) = scene.entries(taken.index)[:1]
    told = {whose[one] for one in entry.entry_tags(written)} & set(stage.truth[handles[0]].whos[:2])
    report.limit(
        f"a correction opens the record whole, to seal it anew: for the day of one call root opens {len(taken.opened)} of 3"
        f" compartments; caller and callee are both told ({len(told)} of 2), and the entry says correction"
    )


def _export(report: Report, scene: Scene) -> None:
    """The one who asked meant the first five."""
    stage = scene.stage
    every, now = stage.handles(), stage.room.now()
    signed = stage.asker("arno").export("residents", "hand-over", ["name"], 5, now + 3600, CASE, REASON, now)
    taken = scene.shares(signed, scene.pieces(every[-5:])).taken
    assert taken
    report.limit(
        f"an export's ask names no records: root opens {len(taken.opened)} others than were meant, as many as were signed"
        f" for, with {_tags(scene, taken)} tags on their own persons' chains"
    )
