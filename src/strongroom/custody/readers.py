"""The people who may ask: their device keys, and the roster that says which of them the charter knows (SPEC.md section 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.catalog.model import Charter, RosterLine
from strongroom.client import device as devices
from strongroom.client.device import Device
from strongroom.custody import ceremony
from strongroom.custody.mirror import Enacted
from strongroom.custody.room import Room
from strongroom.errors import InputError, StrongroomError
from strongroom.gate import ask as asks


@dataclass(frozen=True)
class Reader:
    """A line of the roster. ``name`` is that of the device file on this machine, empty where there is none."""

    id: bytes
    name: str
    role: str
    unit: str
    in_force: bool


def add(
    room: Room, steward: Ed25519PrivateKey, path: Path, name: str, role: str, unit: str, random: Callable[[int], bytes]
) -> tuple[Device, Enacted]:
    """Make a reader's device at ``path`` and put its key into the roster by a new charter, which is returned with it.

    A device file that is there already is used, and one that is in the roster so already is left there: an earlier try may have ended
    in between. Raises ``InputError`` for a role or unit that no purpose is for, or a device in the roster as another; ``Refused``.
    """
    _check(room.mirror.charters()[-1].charter, role, unit)
    device = devices.load(path) if path.exists() else devices.create(path, name, random)
    if RosterLine(key=device.public, role=role, unit=unit) not in ceremony.latest_roster(room):
        ceremony.enrol_reader(room, steward, device.public, role, unit)
    return device, room.mirror.charters()[-1]


def listed(room: Room, people: Path) -> list[Reader]:
    """The roster of the latest charter, by role, unit and name."""
    known: dict[bytes, str] = {}
    for path in sorted(people.glob("*.device")):
        try:
            known[devices.load(path).public] = path.stem
        except StrongroomError:
            continue  # somebody else's file beside ours is no reason to list nobody
    current = room.rules().roster
    found = []
    for line in ceremony.latest_roster(room):
        reader = asks.reader_id(line.key)
        found.append(Reader(reader, known.get(line.key, ""), line.role, line.unit, reader in current))
    return sorted(found, key=lambda one: (one.role, one.unit, one.name, one.id))


def _check(charter: Charter, role: str, unit: str) -> None:
    # Some only countersign: a judge asks for nothing.
    lines = [(one.roles, one.units) for purpose in charter.purposes.values() for one in (purpose, purpose.countersign)]
    roles = sorted({one for named, _ in lines for one in named})
    if role not in roles:
        raise InputError(f"no purpose of the charter is for the role {role}; it has: {', '.join(roles)}")
    units = sorted({one for named, placed in lines if role in named for one in placed})
    if unit not in units:
        raise InputError(f"no purpose that is for a {role} is for the unit {unit}; it has: {', '.join(units)}")
