"""The charters of a ledger, in order, and which of them is in force when (SPEC.md sections 5.4, 6.1 and 6.2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.catalog.successor import follow
from strongroom.errors import EntryError, NoteError, PolicyError, StrongroomError
from strongroom.ledger import policy as policies
from strongroom.ledger.entry import CharterEntry
from strongroom.ledger.key import unbase64
from strongroom.ledger.policy import Policy

_HASH = b"strongroom/v1 charter\0"
_SIGNATURE = b"strongroom/v1 charter-signature\0"


@dataclass(frozen=True, slots=True)
class Known:
    """What the chain needs of one charter; times in POSIX seconds, ``delay`` and ``heartbeat`` in seconds. ``vkeys`` are the
    verifier keys that it states (SPEC.md 5.2); of a charter of another schema there may be none, and no heartbeat. ``policy``: whose
    cosignatures it wants, at most ``fresh`` seconds old (SPEC.md 5.9); None where another schema does not say."""

    hash: bytes
    version: int
    effective: int
    delay: int
    name: str
    stewards: tuple[bytes, ...]
    vkeys: tuple[str, ...] = ()
    heartbeat: int | None = None
    policy: Policy | None = None
    fresh: int = 0


class Charters:
    """Takes charter entries in ledger order and refuses one that breaks the chain.

    One of our schema is held to all of SPEC.md 6.2 and 6.5. One of a later schema, which this program cannot read, is held to what
    every schema has, so that who watches a ledger can follow it past such charters.
    """

    def __init__(self) -> None:
        self.known: list[Known] = []
        self._schema = 0
        self._ours: Charter | None = None
        self._kept: dict[str, Any] = {}

    def in_force(self, time: int) -> Known | None:
        """The latest version whose ``effective`` is not after ``time``; of two of one ``effective`` the later."""
        return in_force(self.known, time)

    def add(self, entry: CharterEntry) -> Known:
        """Check form, signature, version, previous, what is permanent, steward and delay, and take it in. Raises EntryError."""
        document = entry.document.encode()
        members = _members(document)
        try:
            Ed25519PublicKey.from_public_bytes(entry.steward).verify(entry.signature, _SIGNATURE + document)
        except (InvalidSignature, ValueError):
            raise EntryError("charter: the steward's signature does not verify") from None
        policy, fresh = _witnesses(members)
        found = Known(
            sha256(_HASH + document).digest(),
            members["version"],
            entry.effective,
            members["delay"],
            members["name"],
            tuple(unbase64(one) for one in members["stewards"]),
            _vkeys(members),
            members["heartbeat"] if type(members.get("heartbeat")) is int else None,
            policy,
            fresh,
        )
        last = self.known[-1] if self.known else None
        if found.version != (last.version + 1 if last else 1):
            raise EntryError(f"charter: version {found.version} does not follow {last.version if last else 'none'}")
        if unbase64(members["previous"]) != (last.hash if last else bytes(32)):
            raise EntryError(f"charter: version {found.version} does not name the one before it as previous")
        # The first charter speaks for itself: its hash is agreed at the ceremony. Before it is in force, the last written counts.
        ruling = self.in_force(entry.time) or last or found
        if entry.steward not in ruling.stewards:
            raise EntryError(f"charter: version {found.version} is not signed by a steward of the charter in force")
        if entry.effective < entry.time + (ruling.delay if last else 0):
            raise EntryError(f"charter: version {found.version} takes effect before the public delay has passed")
        if last and (found.name != last.name or found.effective < last.effective):
            raise EntryError(f"charter: version {found.version} has another name or precedes the version before it")
        ours = self._follows(document, members, last)
        self._schema, self._ours = members["v"], ours
        self._kept |= _permanent(members)
        self.known.append(found)
        return found

    def _follows(self, document: bytes, members: dict[str, Any], last: Known | None) -> Charter | None:
        """What of SPEC.md 6.2 and 6.5 can be checked. Returns the charter where it is of our schema."""
        if members["v"] < self._schema:
            raise EntryError(f"charter: version {members['version']} is of an older schema than the one before it")
        try:
            ours = charters.parse(document) if members["v"] == 1 else None
            if ours:
                policies.of_charter(ours)
            if ours and last and self._ours:
                follow(self._ours, last.hash, ours)
        except StrongroomError as error:
            raise EntryError(f"charter: version {members['version']}: {str(error).removeprefix('charter: ')}") from None
        for place, was in self._kept.items():
            if _permanent(members).get(place, was) != was:
                raise EntryError(f"charter: version {members['version']}: {place} is permanent, and is another")
        return ours


def in_force(known: Sequence[Known], time: int) -> Known | None:
    """The last of ``known`` whose ``effective`` is not after ``time``."""
    return next((one for one in reversed(known) if one.effective <= time), None)


def _vkeys(members: dict[str, Any]) -> tuple[str, ...]:
    keyholder, vault = members.get("keyholder"), members.get("vault")
    stated = [keyholder.get("log"), keyholder.get("ml_dsa")] if isinstance(keyholder, dict) else []
    stated += [vault.get("cosigner")] if isinstance(vault, dict) else []
    return tuple(one for one in stated if isinstance(one, str))


def _witnesses(members: dict[str, Any]) -> tuple[Policy | None, int]:
    stated = members.get("witnesses")
    text, fresh = (stated.get("policy"), stated.get("fresh")) if isinstance(stated, dict) else (None, None)
    if not isinstance(text, str) or type(fresh) is not int:
        return None, 0
    try:
        return policies.for_charter(text), fresh
    except PolicyError:
        # Of our own schema that is refused, where it is parsed whole.
        return None, 0


def _permanent(members: dict[str, Any]) -> dict[str, Any]:
    """What no charter changes (SPEC.md 6.5), by its place, of those members that there are."""
    found: dict[str, Any] = {name: members[name] for name in ("room", "name") if name in members}
    for name, parts in (("keyholder", ("log", "message", "ml_dsa")), ("buckets", None)):
        group = members.get(name)
        if isinstance(group, dict):
            found |= {f"{name}.{part}": group[part] for part in parts or group if part in group}
    # A holding may get further identifiers, and so buckets; those it has stay.
    for holding in [
        place for place, group in found.items() if place.startswith("buckets.") and isinstance(group, dict)
    ]:
        found |= {f"{holding}.{kind}": root for kind, root in found.pop(holding).items()}
    return found


def _members(document: bytes) -> dict[str, Any]:
    """The charter as a dict whose members that the chain needs have their types. Raises EntryError.

    Not ``catalog``'s parser: who watches a ledger must be able to follow it past charters of a later schema.
    """
    shapes = {"v": int, "version": int, "delay": int, "name": str, "previous": str, "stewards": list}
    try:
        found = json.loads(document, parse_int=_number, parse_float=_number, parse_constant=_number)
        if not isinstance(found, dict) or any(type(found.get(name)) is not kind for name, kind in shapes.items()):
            raise EntryError("charter: the document lacks v, version, delay, name, previous or stewards")
        for one in [found["previous"], *found["stewards"]]:
            if not isinstance(one, str) or len(unbase64(one)) != 32:
                raise EntryError("charter: previous and stewards are not 32 bytes each")
        # A member twice, or in another order, would be one charter to this program and another to the next.
        if encode(found) != document:
            raise EntryError("charter: the document is not canonical")
    except (ValueError, RecursionError, NoteError):
        raise EntryError("charter: the document does not parse") from None
    if found["v"] < 1:
        raise EntryError("charter: there is no schema before 1")
    return found


def _number(text: str) -> int:
    found = int(text)  # a ValueError for fractions and for NaN
    if not 0 <= found < 2**53:
        raise ValueError("a number is out of range")
    return found
