"""Requests and asks that are good but for one thing: the table that says what must come of each is ``checks_attacked``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Test
from strongroom.client.device import Device, SignedAsk
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import CASE, REASON
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.seal import columns


def stranger() -> Device:
    return Device("a stranger", Ed25519PrivateKey.generate())


# --- the request -------------------------------------------------------------------------------------------------------
def unsigned(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    return scene.send(request.path, request.body, b"")


def signed_by_another(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    return scene.send(
        request.path,
        request.body,
        protocol.sign_request(scene.stage.room.keys.room, request.path, request.body, stranger().key),
    )


def altered(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    signature = protocol.sign_request(
        scene.stage.room.keys.room, request.path, request.body, scene.stage.room.keys.message
    )
    return scene.send(request.path, request.body.replace(b'"have":', b'"have":1'), signature)


def other_path(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    return scene.send(
        "/v1/find",
        request.body,
        protocol.sign_request(scene.stage.room.keys.room, request.path, request.body, scene.stage.room.keys.message),
    )


def member_missing(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    body = request.body.replace(b'"cosignature":', b'"countersignature":')
    return scene.send(
        request.path,
        body,
        protocol.sign_request(scene.stage.room.keys.room, request.path, body, scene.stage.room.keys.message),
    )


def columns_apart(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    return scene.shares(signed, pieces, versions=columns.put_u32s([1]))


def unsorted(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    swapped = b"".join(piece.handle for piece in sorted(pieces, key=lambda piece: piece.handle, reverse=True))
    return scene.shares(signed, pieces, handles=swapped)


# --- the ask -----------------------------------------------------------------------------------------------------------
def second_form(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    text = signed.text + b" "
    return scene.shares(
        SignedAsk(signed.ask, text, asks.sign(text, scene.stage.key_of("ana").key), signed.private), pieces
    )


def other_action(scene: Scene) -> Outcome:
    return scene.shares(scene.find(), scene.pieces(scene.handles()))


def changed(by: Callable[[], Device] | None = None, **changes: Any) -> Callable[[Scene], Outcome]:
    """A good ask with ``changes``, signed by its reader all the same."""

    def make(scene: Scene) -> Outcome:
        signed, pieces = scene.good()
        return scene.shares(scene.bent(signed, by() if by else None, **changes), pieces)

    return make


def stranger_asks(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    device = stranger()
    return scene.shares(scene.bent(signed, device, reader=device.reader), pieces)


def no_signature(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(replace(signed, signature=bytes(64)), pieces)


def forged(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(scene.bent(signed, stranger()), pieces)


def colleague_signs(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(scene.bent(signed, scene.stage.key_of("ben")), pieces)


def signature_of_another_ask(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(replace(signed, signature=scene.good()[0].signature), pieces)


def other_records_after_signing(scene: Scene) -> Outcome:
    signed, _ = scene.good()
    handles = scene.handles(2)
    return scene.shares(scene.tampered(signed, records=handles), scene.pieces(handles))


def other_purpose_after_signing(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(scene.tampered(signed, purpose="reach"), pieces)


# --- again, early, late ------------------------------------------------------------------------------------------------
def again(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.shares(signed, pieces)
    return scene.shares(signed, pieces)


def again_for_others(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.shares(signed, pieces)
    return scene.shares(signed, scene.pieces(scene.handles()))


def replayed(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    scene.ask(request)
    scene.stage.hands.wait(121)
    return scene.ask(request)


def after_refusal(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.shares(signed, scene.pieces(scene.handles()))
    return scene.shares(signed, pieces)


def early(scene: Scene) -> Outcome:
    return changed(time=scene.stage.room.now() + 31)(scene)


def late(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.stage.hands.wait(121)
    return scene.shares(signed, pieces)


# --- the charter -------------------------------------------------------------------------------------------------------
def old_charter(scene: Scene) -> Outcome:
    return changed(charter=scene.stage.room.anchors.genesis)(scene)


def own_charter(scene: Scene) -> Outcome:
    """A charter of the intruder's own, with budgets without end and the true steward's name under it."""
    latest = scene.stage.room.mirror.charters()[-1]
    lines = list(scene.stage.keyholder.in_force().lines)
    budgets = msgspec.structs.replace(latest.charter.budgets, room=["1000000/second"])
    new = msgspec.structs.replace(
        latest.charter, version=latest.charter.version + 1, previous=latest.hash, budgets=budgets
    )
    document = charters.document(new)
    request = protocol.EnterCharter(
        **scene.intruder.common(),
        document=document.decode(),
        roster=charters.roster_bytes(lines).decode(),
        signature=charters.sign(document, stranger().key),
        steward=latest.charter.stewards[0],
    )
    return scene.call("/v1/charter", request)


def by(name: str, **changes: Any) -> Callable[[Scene], Outcome]:
    """An ask by reader ``name``, in order but for what the charter lets that reader do."""

    def make(scene: Scene) -> Outcome:
        handles = scene.handles()
        signed = scene.bent(scene.stage.ask(handles, name=name), scene.stage.key_of(name), **changes)
        return scene.shares(signed, scene.pieces(handles))

    return make


# --- questions -------------------------------------------------------------------------------------------------------------
def question(field: str, test: Test, number: int) -> Callable[[Scene], Outcome]:
    """A question about a field, with the slot of compartment ``number``."""

    def make(scene: Scene) -> Outcome:
        handles, now = scene.handles(), scene.stage.room.now()
        value = None if test == "adult" else "x"
        signed = scene.stage.asker().check("residents", "ask-age", handles, field, test, value, CASE, REASON, now)
        return scene.shares(signed, scene.pieces(handles, [number]))

    return make
