"""The next charter out of the custodian's own changed YAML: its words are new, the keys and commitments stay (SPEC.md section 6.5)."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.catalog import source as sources
from strongroom.catalog.model import Charter
from strongroom.catalog.source import Source
from strongroom.catalog.types import identifier_kinds
from strongroom.custody import ceremony
from strongroom.custody.buckets import bucket_root
from strongroom.custody.findings import sound
from strongroom.custody.mirror import Enacted
from strongroom.custody.room import Room
from strongroom.errors import InputError


def apply(room: Room, steward: Ed25519PrivateKey, source: Source, progress: Callable[[str], None]) -> Enacted:
    """Make ``source`` the next charter. Returns it with the time it takes effect.

    Raises ``CatalogError`` (a mistake with its line, or a change that would make sealed data unreadable), ``InputError`` when nothing
    changes, ``Refused``.
    """
    sound(source)
    latest = room.mirror.charters()[-1].charter
    if changes(latest, source) == []:
        raise InputError(f"{source.file}: nothing in it differs from charter version {latest.version}")
    buckets = {name: _roots(room, latest, name, source, progress) for name in source.holdings}

    def change(old: Charter) -> Charter:
        return sources.build(
            source,
            version=old.version,
            previous=old.previous,
            room=old.room,
            stewards=old.stewards,
            roster=old.roster,
            auditor=old.auditor,
            vault=old.vault,
            keyholder=old.keyholder,
            buckets=buckets,
        )

    ceremony.amend(room, steward, change, ceremony.latest_roster(room))
    return room.mirror.charters()[-1]


def changes(charter: Charter, source: Source) -> list[str]:
    """Paths of what differs, such as ``purposes.register``; empty when nothing does."""
    members = ("name", "delay", "heartbeat", "merge_units_below", "budgets", "witnesses", "providers", "rules")
    found = [name.replace("_", "-") for name in members if getattr(charter, name) != getattr(source, name)]
    for member, was, becomes in (
        ("holdings", dict(charter.holdings), dict(source.holdings)),
        ("purposes", dict(charter.purposes), dict(source.purposes)),
    ):
        names = sorted(was.keys() | becomes.keys())
        found += [f"{member}.{name}" for name in names if was.get(name) != becomes.get(name)]
    return found


def _roots(
    room: Room, latest: Charter, holding: str, source: Source, progress: Callable[[str], None]
) -> dict[str, bytes]:
    # Drawn before the charter is entered. One that is declared already and has no key has lost it: another in its place
    # would fit neither what is sealed nor the bucket roots.
    keys = room.keys.holding(holding) if holding in latest.holdings else room.keys.draw(holding, room.random)
    known, roots = latest.buckets.get(holding, {}), {}
    for kind in identifier_kinds(source.holdings[holding]):
        if kind not in known:
            progress(f"committing to a million bucket keys: {holding}, {kind}")
        roots[kind] = known.get(kind) or bucket_root(keys, kind)
    return roots
