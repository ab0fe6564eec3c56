"""More than a budget or a window holds: the table that says what must come of each is ``checks_attacked``."""

from __future__ import annotations

from strongroom.client.device import SignedAsk
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import CASE, REASON
from strongroom.ledger import entry


# --- budgets -----------------------------------------------------------------------------------------------------------
def too_many_at_once(scene: Scene) -> Outcome:
    handles = scene.handles(3)
    return scene.shares(scene.stage.ask(handles, ("address",), "visit"), scene.pieces(handles, [4]))


def one_too_many(scene: Scene) -> Outcome:
    def once() -> Outcome:
        handles = scene.handles()
        return scene.shares(scene.stage.ask(handles, ("address",), "visit", "ben"), scene.pieces(handles, [4]))

    return [once() for _ in range(3)][-1]


def window_too_small(scene: Scene) -> Outcome:
    signed = scene.intake(2)
    return scene.ask(scene.intruder.intake(signed, "id-number", scene.inners(3)))


def window_used_up(scene: Scene) -> Outcome:
    signed = scene.intake(3)
    calls = [scene.intruder.intake(signed, "id-number", scene.inners(2)) for _ in range(2)]
    return [scene.ask(call) for call in calls][-1]


def window_over(scene: Scene) -> Outcome:
    signed = scene.intake(9)
    scene.ask(scene.intruder.intake(signed, "id-number", scene.inners(1)))
    scene.stage.hands.wait(3601)
    return scene.ask(scene.intruder.intake(signed, "id-number", scene.inners(2)))


def window_of_another_kind(scene: Scene) -> Outcome:
    signed = scene.intake(2)
    return scene.ask(scene.intruder.intake(signed, "email", scene.inners(1)))


def too_many_told(scene: Scene) -> Outcome:
    """More persons in one call than an entry has tags: some would not find it."""
    count = entry.MAX_TAGS + 1
    signed = scene.seconded(scene.intake(count, "dora", "health-codes", "set-code"), "odd")
    return scene.ask(scene.intruder.intake(signed, "id-number", scene.inners(count, "health-codes")))


# --- one record, again and again -----------------------------------------------------------------------------------------
def sixth_question(scene: Scene) -> Outcome:
    """Each question is an ask of its own, by one reader or another."""
    handles = scene.handles()

    def once(name: str) -> Outcome:
        asker, now = scene.stage.asker(name), scene.stage.room.now()
        signed = asker.check("residents", "ask-age", handles, "phone", "matches", "13800000000", CASE, REASON, now)
        return scene.shares(signed, scene.pieces(handles, [3]))

    return [once(name) for name in ("ana", "ben", "ana", "ben", "ana", "ben")][-1]


# --- exports -------------------------------------------------------------------------------------------------------------
def _export(scene: Scene, count: int) -> SignedAsk:
    now = scene.stage.room.now()
    return scene.stage.asker("arno").export("residents", "hand-over", ["name"], count, now + 3600, CASE, REASON, now)


def export_past_most(scene: Scene) -> Outcome:
    return scene.shares(_export(scene, 21), scene.pieces(scene.handles()))


def export_past_count(scene: Scene) -> Outcome:
    return scene.shares(_export(scene, 2), scene.pieces(scene.handles(3)))


def export_used_up(scene: Scene) -> Outcome:
    signed = _export(scene, 3)
    return [scene.shares(signed, scene.pieces(scene.handles(2))) for _ in range(2)][-1]


def export_over(scene: Scene) -> Outcome:
    signed = _export(scene, 9)
    scene.shares(signed, scene.pieces(scene.handles()))
    scene.stage.hands.wait(3601)
    return scene.shares(signed, scene.pieces(scene.handles()))


def export_wider(scene: Scene) -> Outcome:
    return scene.shares(_export(scene, 2), scene.pieces(scene.handles(), [1, 3]))
