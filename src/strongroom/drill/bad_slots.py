"""Slots that are not the asker's: the table that says what must come of each is ``checks_attacked``."""

from __future__ import annotations

from dataclasses import replace

from strongroom.drill.scene import Outcome, Scene
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


def batch_altered(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    sealed = bytearray(pieces[0].sealed)
    sealed[600] ^= 1
    return scene.shares(signed, [replace(pieces[0], sealed=bytes(sealed))])


def batch_of_another_holding(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    patient = scene.stage.truth[scene.stage.handles("patients")[0]].stored
    return scene.shares(signed, [replace(pieces[0], sealed=patient.sealed)])


def under_two_persons(scene: Scene) -> Outcome:
    """Name and telephone are one person's. Root puts the telephone down to somebody else, whose chain would have the read."""
    handles = scene.handles()
    name, phone = scene.pieces(handles, [1, 3])
    shift = columns.xor(scene.stage.truth[handles[0]].who, scene.stage.truth[scene.handles()[0]].who)
    blamed = replace(phone, masked=columns.xor(phone.masked, shift))
    return scene.shares(scene.stage.ask(handles, ("name", "phone"), "reach"), [name, blamed])


# --- batches, and what was given beside a row when its batch got another secret ---------------------------------------
def members_of_another_batch(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    other = scene.stage.truth[scene.corrected[0]].stored
    return scene.shares(signed, [replace(pieces[0], members=other.members)])


def later_expiry(scene: Scene) -> Outcome:
    """The same batch, said to expire a month later."""
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], expires=pieces[0].expires + 30)])


def in_another_batch(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    other = scene.stage.truth[scene.corrected[0]].stored
    moved = replace(pieces[0], epoch=other.epoch, expires=other.expires, members=other.members, sealed=other.sealed)
    return scene.shares(signed, [replace(moved, delta=b"")])


def deltas_short(scene: Scene) -> Outcome:
    signed, pieces = scene.good(2)
    return scene.shares(signed, pieces, deltas=pieces[0].delta)


def delta_of_another(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], delta=scene.pieces(scene.handles())[0].delta)])


def delta_left_out(scene: Scene) -> Outcome:
    signed, pieces = scene.good()
    return scene.shares(signed, [replace(pieces[0], delta=b"")])


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
