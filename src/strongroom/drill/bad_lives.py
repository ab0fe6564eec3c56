"""Versions, days and keys that are over: the table that says what must come of each is ``checks_attacked``."""

from __future__ import annotations

from dataclasses import replace

from strongroom.drill.intruder import pieces_of
from strongroom.drill.scene import Outcome, Scene
from strongroom.keyholder import expiry

_DAY = 86400


# --- versions ------------------------------------------------------------------------------------------------------------
def old_by_number(scene: Scene) -> Outcome:
    """The reader asks for it, under a purpose that has no use for it."""
    handle = scene.corrected[0]
    return scene.shares(scene.stage.ask([handle], version=1), pieces_of(scene.stage.at_version(handle, 1), [1]))


def old_in_place_of_newest(scene: Scene) -> Outcome:
    """Rows put back from a copy of last month, as if nothing had been corrected since."""
    handle = scene.corrected[1]
    return scene.shares(scene.stage.ask([handle]), pieces_of(scene.stage.at_version(handle, 1), [1]))


def other_than_named(scene: Scene) -> Outcome:
    handle = scene.corrected[2]
    return scene.shares(scene.stage.ask([handle], purpose="look-back", name="arno", version=1), scene.pieces([handle]))


# --- erased --------------------------------------------------------------------------------------------------------------
def erased(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.erase(pieces[0].handle)
    return scene.shares(signed, pieces)


def erased_again(scene: Scene) -> Outcome:
    handle = scene.handles()[0]
    scene.erase(handle)
    return scene.erasure(handle)


def erasure_untold(scene: Scene) -> Outcome:
    """Two records are to be erased, and the keyholder is shown the persons of one."""
    handles = scene.handles(2)
    return scene.erasure(*handles, pieces=scene.pieces(handles[:1], [1, 2, 3, 4]))


# --- keys and days -------------------------------------------------------------------------------------------------------
def no_epoch(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], epoch=pieces[0].epoch + 1)])


def expired(scene: Scene) -> Outcome:
    return _code(scene, "contain", "dora")


def expired_without_a_hold(scene: Scene) -> Outcome:
    """Under a purpose that may see what a legal hold keeps; and there is no hold."""
    return _code(scene, "answer-court", "arno")


def _code(scene: Scene, purpose: str, name: str) -> Outcome:
    handle = scene.stage.handles("health-codes")[0]
    known = scene.stage.truth[handle]
    late = known.stored.expires * _DAY - scene.stage.room.now()
    scene.stage.hands.wait(max(late, 0))
    return scene.shares(scene.stage.ask([handle], ("code",), purpose, name, "health-codes"), pieces_of(known, [2]))


def last_day(scene: Scene) -> Outcome:
    """The key is still there: nobody has come to destroy it yet."""
    (handle,) = scene.handles()
    scene.stage.hands.wait(scene.stage.truth[handle].stored.epoch * _DAY - scene.stage.room.now())
    return scene.shares(scene.stage.ask([handle]), scene.pieces([handle]))


def destroyed(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    expiry.expire(scene.stage.keyholder, scene.stage.room.now())
    return scene.shares(signed, pieces)
