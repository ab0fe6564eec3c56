"""Slots, windows and doors that are not the asker's: the table that says what must come of each is ``checks_attacked``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from strongroom.drill.scene import Outcome, Scene
from strongroom.keyholder import protocol
from strongroom.seal import columns


# --- the slots ---------------------------------------------------------------------------------------------------------
def compartment_beside(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [*pieces, *scene.pieces([pieces[0].handle], [3])])


def compartment_instead(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, scene.pieces([pieces[0].handle], [4]))


def other_record(scene: Scene) -> Outcome:
    return scene.shares(scene.good()[0], scene.pieces(scene.handles()))


def record_beside(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [*pieces, *scene.pieces(scene.handles())])


def record_left_out(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    return scene.shares(signed, pieces[:1])


def two_versions(scene: Scene) -> Outcome:
    handles = scene.handles()
    pieces = scene.pieces(handles, [1, 3])
    signed = scene.stage.ask(handles, ("name", "phone"), "reach")
    return scene.shares(signed, [pieces[0], replace(pieces[1], version=2)])


def frozen(scope: str) -> Callable[[Scene], Outcome]:
    def make(scene: Scene) -> Outcome:
        named = f"reader:{scene.stage.key_of('ana').reader.hex()}" if scope == "reader" else scope
        scene.operate("freeze", named)
        try:
            return scene.shares(*scene.good())
        finally:
            scene.operate("thaw", named)

    return make


def erased(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.erase(pieces[0].handle)
    return scene.shares(signed, pieces)


def no_epoch(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], epoch=pieces[0].epoch + 1)])


def batch_altered(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    sealed = bytearray(pieces[0].sealed)
    sealed[600] ^= 1
    return scene.shares(signed, [replace(pieces[0], sealed=bytes(sealed))])


def batch_of_another_holding(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    patient = scene.stage.truth[scene.stage.handles("patients")[0]].stored
    return scene.shares(signed, [replace(pieces[0], sealed=patient.sealed)])


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


# --- other doors -------------------------------------------------------------------------------------------------------
def as_operator(scene: Scene) -> Outcome:
    now = scene.stage.room.now()
    nonce = os.urandom(16)
    request = protocol.Operate(action="thaw", authority="", holding="", nonce=nonce, scope="room", time=now, until=0)
    return scene.call("/v1/operator", request)


def as_desk(scene: Scene) -> Outcome:
    known = scene.stage.truth[scene.handles()[0]]
    members: dict[str, Any] = {
        "code": bytes(32), "holding": "residents", "kind": "resident-id", "who": known.who, "time": scene.stage.room.now(),
    }  # fmt: skip
    return scene.call(
        "/v1/desk/admit", protocol.Admit(**{name: members[name] for name in protocol.Admit.__struct_fields__})
    )


def as_subject(scene: Scene) -> Outcome:
    device = scene.stage.key_of("ana")
    fresh = scene.intruder.fresh().public
    request = protocol.Reads(device=device.public, fresh=fresh, nonce=os.urandom(16), time=scene.stage.room.now())
    return scene.call("/v1/subject/reads", request, scene.stage.client(device))


def clock(seconds: int) -> Callable[[Scene], Outcome]:
    def make(scene: Scene) -> Outcome:
        request = scene.intruder.disclose(*scene.good())
        scene.stage.hands.jump(seconds)
        try:
            return scene.ask(request)
        finally:
            scene.stage.hands.jump(-seconds)

    return make


# --- whom a slot is about ------------------------------------------------------------------------------------------------
def relabelled(scene: Scene) -> Outcome:
    """Root knows both people's who, so that it can turn one's w into the other's: the tag would be the other's."""
    signed, pieces = scene.good()
    mine, other = scene.stage.truth[pieces[0].handle], scene.stage.truth[scene.handles()[0]]
    return scene.shares(
        signed, [replace(pieces[0], masked=columns.xor(pieces[0].masked, columns.xor(mine.who, other.who)))]
    )


def other_handle(scene: Scene) -> Outcome:
    """The ask names a harmless record, and what is sent under its handle is another's slot."""
    signed, pieces = scene.good()
    wanted = scene.pieces(scene.handles())[0]
    return scene.shares(signed, [replace(wanted, handle=pieces[0].handle)])


def other_version(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], version=2)])


def other_compartment(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    contact = scene.pieces([pieces[0].handle], [3])[0]
    return scene.shares(signed, [replace(contact, compartment=1)])
