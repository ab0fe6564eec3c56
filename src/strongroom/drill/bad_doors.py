"""Doors that are others', and what the keyholder does without an ask: the table of what must come of each is ``checks_attacked``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from strongroom.drill.scene import Outcome, Scene
from strongroom.keyholder import protocol
from strongroom.seal import columns, slot


def frozen(scope: str) -> Callable[[Scene], Outcome]:
    def make(scene: Scene) -> Outcome:
        named = f"reader:{scene.stage.key_of('ana').reader.hex()}" if scope == "reader" else scope
        scene.operate("freeze", named)
        try:
            return scene.shares(*scene.good())
        finally:
            scene.operate("thaw", named)

    return make


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


# --- without an ask ------------------------------------------------------------------------------------------------------
def _aging(scene: Scene, handle: bytes) -> list[tuple[bytes, int, bytes]]:
    return scene.stage.room.store.members(scene.stage.truth[handle].stored.batch)


def _reseal(scene: Scene, handle: bytes, members: list[tuple[bytes, int, bytes]], epoch: int) -> Outcome:
    row = scene.stage.truth[handle].stored
    aging = protocol.Aging(
        deltas=b"".join(delta for _, _, delta in members),
        epoch=row.epoch,
        expires=row.expires,
        members=b"".join(slot.places([one for one, _, _ in members], [version for _, version, _ in members])),
        sealed=row.sealed,
    )
    common = scene.intruder.common()
    return scene.call("/v1/reseal", protocol.Reseal(**common, batches=[aging], epoch=epoch, holding="residents"))


def reseal_unnamed(scene: Scene) -> Outcome:
    """A record was erased. Root leaves it out of its batch's list, so that the batch would keep its secret."""
    handle = scene.handles()[0]
    scene.erase(handle)
    row = scene.stage.truth[handle].stored
    return _reseal(scene, handle, [one for one in _aging(scene, handle) if one[0] != handle], row.epoch)


def reseal_for_longer(scene: Scene) -> Outcome:
    """To a key that lives ten rotations, so that no erasure would be final before."""
    handle = scene.handles()[0]
    return _reseal(scene, handle, _aging(scene, handle), scene.stage.truth[handle].stored.epoch + 300)


def held_by_others(scene: Scene) -> Outcome:
    row, other = scene.stage.truth[scene.handles()[0]].stored, scene.stage.truth[scene.corrected[0]].stored
    request = protocol.Held(
        **scene.intruder.common(),
        batches=[row.sealed],
        epochs=[row.epoch],
        expires=[row.expires],
        holding="residents",
        members=other.members,
    )
    return scene.call("/v1/held", request)


def supersede_far(scene: Scene) -> Outcome:
    """Say that there is a version that never comes: nobody could read the record again."""
    request = protocol.Supersede(
        **scene.intruder.common(), holding="residents", handles=scene.handles()[0], versions=columns.put_u32s([9])
    )
    return scene.call("/v1/supersede", request)
