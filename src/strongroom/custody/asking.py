"""Asking on behalf of a reader whose device is here: which holding, in how many asks, under which charter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strongroom.client.device import Asker, Device
from strongroom.custody import read
from strongroom.custody.read import Disclosed, Found
from strongroom.custody.room import Room
from strongroom.errors import InputError

AT_ONCE = 1000
"""Records in one ask (SPEC.md 7.2)."""


def asker(room: Room, device: Device) -> Asker:
    """``device`` asking under the charter in force. Raises ``InputError`` when it is not in the roster, naming what to do."""
    rules = room.rules()
    if device.reader not in rules.roster:
        latest = room.mirror.charters()[-1]
        later = latest.hash != rules.enacted.hash and "; a charter that is not in force yet may add it"
        raise InputError(
            f"the device {device.name} is not in the roster in force{later or ''}. See strongroom reader list"
        )
    return Asker(device, room.keys.room, rules.enacted.hash, room.random)


def holding_of(room: Room, purpose: str, given: str | None) -> str:
    """The holding a purpose is about, where there is only one. Raises ``InputError`` naming those to choose from."""
    if given is not None:
        return given
    charter = room.rules().charter
    # An unknown purpose is for the gate to refuse, and for the ledger to show.
    named = charter.purposes[purpose].reads if purpose in charter.purposes else charter.holdings
    if len(named) != 1:
        raise InputError(f"{purpose} is about several holdings; name one with --holding: {', '.join(sorted(named))}")
    return next(iter(named))


def find(room: Room, who: Asker, holding: str, purpose: str, kind: str, value: str, case: str, reason: str) -> Found:
    """One find. Raises as ``read.find``."""
    return read.find(room, who.find(holding, purpose, kind, value, case, reason, room.now()))


def disclose(
    room: Room,
    who: Asker,
    holding: str,
    purpose: str,
    handles: Sequence[bytes],
    fields: Sequence[str],
    case: str,
    reason: str,
    at_once: int = AT_ONCE,
) -> Iterator[Disclosed]:
    """As many asks as the records need, one after the other. Raises as ``read.disclose``: what came before stays read."""
    distinct = sorted(set(handles))
    if not distinct:
        raise InputError("no record is named, so nothing was asked")
    for start in range(0, len(distinct), at_once):
        part = distinct[start : start + at_once]
        yield read.disclose(room, who.disclose(holding, purpose, part, fields, case, reason, room.now()))


def masks(room: Room, purpose: str, holding: str) -> dict[str, str]:
    """Field -> mask of what a purpose reads there."""
    found = room.rules().charter.purposes.get(purpose)
    return dict(found.reads.get(holding, {})) if found else {}
