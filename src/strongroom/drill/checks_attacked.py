"""The keyholder's checks, attacked one by one: each request is good but for one thing (SPEC.md section 8.4).

A row's code is the reason for which it must be refused, and no other will do: refused for something else, the check
that was meant may be gone. ``OPENS_NOTHING`` stands where the keyholder answers and the share must fit no record.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.catalog import charter as charters
from strongroom.client.device import Device, SignedAsk
from strongroom.drill.scene import Outcome, Scene
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.seal import columns

OPENS_NOTHING = "opens nothing"


@dataclass(frozen=True)
class Row:
    attack: str
    code: str
    make: Callable[[Scene], Outcome]


def _stranger() -> Device:
    return Device("a stranger", Ed25519PrivateKey.generate())


# --- the request -------------------------------------------------------------------------------------------------------
def _unsigned(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    return scene.send(request.path, request.body, b"")


def _signed_by_another(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    return scene.send(request.path, request.body, protocol.sign_request(request.path, request.body, _stranger().key))


def _altered(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    signature = protocol.sign_request(request.path, request.body, scene.stage.room.keys.message)
    return scene.send(request.path, request.body.replace(b'"have":', b'"have":1'), signature)


def _other_path(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    return scene.send(
        "/v1/find", request.body, protocol.sign_request(request.path, request.body, scene.stage.room.keys.message)
    )


def _member_missing(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    body = request.body.replace(b'"cosignature":', b'"countersignature":')
    return scene.send(request.path, body, protocol.sign_request(request.path, body, scene.stage.room.keys.message))


def _columns_apart(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    return scene.shares(signed, pieces, versions=columns.put_u32s([1]))


def _unsorted(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    swapped = b"".join(piece.handle for piece in sorted(pieces, key=lambda piece: piece.handle, reverse=True))
    return scene.shares(signed, pieces, handles=swapped)


# --- the ask -----------------------------------------------------------------------------------------------------------
def _second_form(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    text = signed.text + b" "
    return scene.shares(
        SignedAsk(signed.ask, text, asks.sign(text, scene.stage.key_of("ana").key), signed.private), pieces
    )


def _other_action(scene: Scene) -> Outcome:
    return scene.shares(scene.find(), scene.pieces(scene.handles()))


def _changed(by: Callable[[], Device] | None = None, **changes: Any) -> Callable[[Scene], Outcome]:
    """A good ask with ``changes``, signed by its reader all the same."""

    def make(scene: Scene) -> Outcome:
        signed, pieces = scene.good()
        return scene.shares(scene.bent(signed, by() if by else None, **changes), pieces)

    return make


def _stranger_asks(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    device = _stranger()
    return scene.shares(scene.bent(signed, device, reader=device.reader), pieces)


def _no_signature(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(replace(signed, signature=bytes(64)), pieces)


def _forged(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(scene.bent(signed, _stranger()), pieces)


def _colleague_signs(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(scene.bent(signed, scene.stage.key_of("ben")), pieces)


def _signature_of_another_ask(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(replace(signed, signature=scene.good()[0].signature), pieces)


def _other_records_after_signing(scene: Scene) -> Outcome:
    signed, _ = scene.good()
    handles = scene.handles(2)
    return scene.shares(scene.tampered(signed, records=handles), scene.pieces(handles))


def _other_purpose_after_signing(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(scene.tampered(signed, purpose="reach"), pieces)


# --- again, early, late ------------------------------------------------------------------------------------------------
def _again(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.shares(signed, pieces)
    return scene.shares(signed, pieces)


def _again_for_others(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.shares(signed, pieces)
    return scene.shares(signed, scene.pieces(scene.handles()))


def _replayed(scene: Scene) -> Outcome:
    request = scene.intruder.disclose(*scene.good())
    scene.ask(request)
    scene.stage.hands.wait(121)
    return scene.ask(request)


def _after_refusal(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.shares(signed, scene.pieces(scene.handles()))
    return scene.shares(signed, pieces)


def _early(scene: Scene) -> Outcome:
    return _changed(time=scene.stage.room.now() + 31)(scene)


def _late(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.stage.hands.wait(121)
    return scene.shares(signed, pieces)


# --- the charter -------------------------------------------------------------------------------------------------------
def _old_charter(scene: Scene) -> Outcome:
    return _changed(charter=scene.stage.room.anchors.genesis)(scene)


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
        signature=charters.sign(document, _stranger().key),
        steward=latest.charter.stewards[0],
    )
    return scene.call("/v1/charter", request)


def _by(name: str, **changes: Any) -> Callable[[Scene], Outcome]:
    """An ask by reader ``name``, in order but for what the charter lets that reader do."""

    def make(scene: Scene) -> Outcome:
        handles = scene.handles()
        signed = scene.bent(scene.stage.ask(handles, name=name), scene.stage.key_of(name), **changes)
        return scene.shares(signed, scene.pieces(handles))

    return make


# --- the slots ---------------------------------------------------------------------------------------------------------
def _compartment_beside(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [*pieces, *scene.pieces([pieces[0].handle], [3])])


def _compartment_instead(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, scene.pieces([pieces[0].handle], [4]))


def _other_record(scene: Scene) -> Outcome:
    return scene.shares(scene.good()[0], scene.pieces(scene.handles()))


def _record_beside(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [*pieces, *scene.pieces(scene.handles())])


def _record_left_out(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    return scene.shares(signed, pieces[:1])


def _two_versions(scene: Scene) -> Outcome:
    handles = scene.handles()
    pieces = scene.pieces(handles, [1, 3])
    signed = scene.stage.ask(handles, ("name", "phone"), "reach")
    return scene.shares(signed, [pieces[0], replace(pieces[1], version=2)])


def _frozen(scope: str) -> Callable[[Scene], Outcome]:
    def make(scene: Scene) -> Outcome:
        named = f"reader:{scene.stage.key_of('ana').reader.hex()}" if scope == "reader" else scope
        scene.operate("freeze", named)
        try:
            return scene.shares(*scene.good())
        finally:
            scene.operate("thaw", named)

    return make


def _erased(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    scene.operate("erase", records=[pieces[0].handle])
    return scene.shares(signed, pieces)


def _no_epoch(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], epoch=pieces[0].epoch + 1)])


def _batch_altered(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    sealed = bytearray(pieces[0].sealed)
    sealed[600] ^= 1
    return scene.shares(signed, [replace(pieces[0], sealed=bytes(sealed))])


def _batch_of_another_holding(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    patient = scene.stage.truth[scene.stage.handles("patients")[0]].stored
    return scene.shares(signed, [replace(pieces[0], sealed=patient.sealed)])


# --- budgets -----------------------------------------------------------------------------------------------------------
def _too_many_at_once(scene: Scene) -> Outcome:
    handles = scene.handles(3)
    return scene.shares(scene.stage.ask(handles, ("address",), "visit"), scene.pieces(handles, [4]))


def _one_too_many(scene: Scene) -> Outcome:
    def once() -> Outcome:
        handles = scene.handles()
        return scene.shares(scene.stage.ask(handles, ("address",), "visit", "ben"), scene.pieces(handles, [4]))

    return [once() for _ in range(3)][-1]


def _window_too_small(scene: Scene) -> Outcome:
    signed = scene.intake(2)
    return scene.ask(scene.intruder.intake(signed.text, signed.signature, "resident-id", scene.inners(3)))


def _window_used_up(scene: Scene) -> Outcome:
    signed = scene.intake(3)
    calls = [scene.intruder.intake(signed.text, signed.signature, "resident-id", scene.inners(2)) for _ in range(2)]
    return [scene.ask(call) for call in calls][-1]


def _window_over(scene: Scene) -> Outcome:
    signed = scene.intake(9)
    scene.ask(scene.intruder.intake(signed.text, signed.signature, "resident-id", scene.inners(1)))
    scene.stage.hands.wait(3601)
    return scene.ask(scene.intruder.intake(signed.text, signed.signature, "resident-id", scene.inners(2)))


def _window_of_another_kind(scene: Scene) -> Outcome:
    signed = scene.intake(2)
    return scene.ask(scene.intruder.intake(signed.text, signed.signature, "email", scene.inners(1)))


# --- other doors -------------------------------------------------------------------------------------------------------
def as_operator(scene: Scene) -> Outcome:
    now = scene.stage.room.now()
    request = protocol.Operate(action="thaw", holding="", nonce=os.urandom(16), records=[], scope="room", time=now)
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


def _clock(seconds: int) -> Callable[[Scene], Outcome]:
    def make(scene: Scene) -> Outcome:
        request = scene.intruder.disclose(*scene.good())
        scene.stage.hands.jump(seconds)
        try:
            return scene.ask(request)
        finally:
            scene.stage.hands.jump(-seconds)

    return make


# --- whom a slot is about ------------------------------------------------------------------------------------------------
def _relabelled(scene: Scene) -> Outcome:
    """Root knows both people's who, so that it can turn one's w into the other's: the tag would be the other's."""
    signed, pieces = scene.good()
    mine, other = scene.stage.truth[pieces[0].handle], scene.stage.truth[scene.handles()[0]]
    return scene.shares(
        signed, [replace(pieces[0], masked=columns.xor(pieces[0].masked, columns.xor(mine.who, other.who)))]
    )


def _other_handle(scene: Scene) -> Outcome:
    """The ask names a harmless record, and what is sent under its handle is another's slot."""
    signed, pieces = scene.good()
    wanted = scene.pieces(scene.handles())[0]
    return scene.shares(signed, [replace(wanted, handle=pieces[0].handle)])


def _other_version(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], version=2)])


def _other_compartment(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    contact = scene.pieces([pieces[0].handle], [3])[0]
    return scene.shares(signed, [replace(contact, compartment=1)])


ROWS = (
    Row("request without the vault's signature", "vault", _unsigned),
    Row("request signed by another key", "vault", _signed_by_another),
    Row("request altered after signing", "vault", _altered),
    Row("request sent to another path", "vault", _other_path),
    Row("request with a member renamed", "malformed", _member_missing),
    Row("columns of different length", "malformed", _columns_apart),
    Row("slots out of order", "malformed", _unsorted),
    Row("clock set back an hour", "clock", _clock(-3600)),
    Row("clock set ahead an hour", "clock", _clock(3600)),
    Row("ask in a second form", "ask", _second_form),
    Row("ask for another action", "ask", _other_action),
    Row("ask for another room", "room", _changed(room=bytes(16))),
    Row("device that is not in the roster", "reader", _stranger_asks),
    Row("ask without signature", "signature", _no_signature),
    Row("ask with a forged signature", "signature", _forged),
    Row("ask of one reader signed by another", "signature", _colleague_signs),
    Row("signature of another ask", "signature", _signature_of_another_ask),
    Row("records changed after signing", "signature", _other_records_after_signing),
    Row("purpose changed after signing", "signature", _other_purpose_after_signing),
    Row("ask used again, other key for the answer", "used", _again),
    Row("ask used again, other records", "used", _again_for_others),
    Row("same request again after 121 s", "used", _replayed),
    Row("ask tried again after a refusal", "used", _after_refusal),
    Row("ask dated 31 s ahead", "early", _early),
    Row("ask held back for 121 s", "stale", _late),
    Row("ask under an old charter", "charter", _old_charter),
    Row("charter of the intruder's own", "charter", own_charter),
    Row("purpose that does not exist", "purpose", _changed(purpose="curiosity")),
    Row("purpose that does not disclose", "purpose", _by("rui", purpose="register")),
    Row("purpose of another role", "role", _by("rui")),
    Row("purpose of another unit", "unit", _by("cleo")),
    Row("holding that is not the purpose's", "holding", _changed(holding="patients")),
    Row("field that is not the purpose's", "field", _changed(fields=["address"])),
    Row("find by an identifier that is none", "field", lambda scene: scene.ask(scene.intruder.find(scene.find(kind="email"), scene.inners(1)[0]))),
    Row("compartment beside the asked one", "compartment", _compartment_beside),
    Row("compartment instead of the asked one", "compartment", _compartment_instead),
    Row("other record than the asked one", "record", _other_record),
    Row("record beside the asked one", "record", _record_beside),
    Row("record of the ask left out", "record", _record_left_out),
    Row("record in two versions", "record", _two_versions),
    Row("room frozen by its operator", "frozen", _frozen("room")),
    Row("holding frozen by its operator", "frozen", _frozen("holding:residents")),
    Row("reader frozen by its operator", "frozen", _frozen("reader")),
    Row("record that was erased", "erased", _erased),
    Row("epoch without a key", "epoch", _no_epoch),
    Row("batch secret altered", "batch", _batch_altered),
    Row("batch secret of another holding", "batch", _batch_of_another_holding),
    Row("more records than the budget ever holds", "budget", _too_many_at_once),
    Row("one record more than the budget holds", "budget", _one_too_many),
    Row("intake of more than was signed", "budget", _window_too_small),
    Row("intake on after the window is used up", "budget", _window_used_up),
    Row("intake after the window's end", "stale", _window_over),
    Row("intake of an identifier that is none", "field", _window_of_another_kind),
    Row("vault in the operator's place", "operator", as_operator),
    Row("vault in the desk's place", "desk", as_desk),
    Row("reader in a subject's place", "device", as_subject),
    Row("slot relabelled to another person", OPENS_NOTHING, _relabelled),
    Row("slot under another record's handle", OPENS_NOTHING, _other_handle),
    Row("slot under another version", OPENS_NOTHING, _other_version),
    Row("slot under another compartment", OPENS_NOTHING, _other_compartment),
)  # fmt: skip
