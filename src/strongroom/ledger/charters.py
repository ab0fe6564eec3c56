"""The charters of a ledger, in order, and which of them is in force when (SPEC.md sections 5.4, 6.1 and 6.2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.errors import EntryError, NoteError
from strongroom.ledger.entry import CharterEntry
from strongroom.ledger.key import unbase64

_HASH = b"strongroom/v1 charter\0"
_SIGNATURE = b"strongroom/v1 charter-signature\0"


@dataclass(frozen=True, slots=True)
class Known:
    """What the chain needs of one charter; times in POSIX seconds, ``delay`` and ``heartbeat`` in seconds. ``vkeys`` are the
    verifier keys that it states (SPEC.md 5.2); of a charter of another schema there may be none, and no heartbeat."""

    hash: bytes
    version: int
    effective: int
    delay: int
    name: str
    stewards: tuple[bytes, ...]
    vkeys: tuple[str, ...] = ()
    heartbeat: int | None = None


class Charters:
    """Takes charter entries in ledger order and refuses one that breaks the chain."""

    def __init__(self) -> None:
        self.known: list[Known] = []

    def in_force(self, time: int) -> Known | None:
        """The latest version whose ``effective`` is not after ``time``; of two of one ``effective`` the later."""
        return in_force(self.known, time)

    def add(self, entry: CharterEntry) -> Known:
        """Check signature, version, previous, steward and delay, and take it in. Raises EntryError."""
        document = entry.document.encode()
        members = _members(document)
        try:
            Ed25519PublicKey.from_public_bytes(entry.steward).verify(entry.signature, _SIGNATURE + document)
        except (InvalidSignature, ValueError):
            raise EntryError("charter: the steward's signature does not verify") from None
        found = Known(
            sha256(_HASH + document).digest(),
            members["version"],
            entry.effective,
            members["delay"],
            members["name"],
            tuple(unbase64(one) for one in members["stewards"]),
            _vkeys(members),
            members["heartbeat"] if type(members.get("heartbeat")) is int else None,
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
        self.known.append(found)
        return found


def in_force(known: Sequence[Known], time: int) -> Known | None:
    """The last of ``known`` whose ``effective`` is not after ``time``."""
    return next((one for one in reversed(known) if one.effective <= time), None)


def _vkeys(members: dict[str, Any]) -> tuple[str, ...]:
    keyholder, vault = members.get("keyholder"), members.get("vault")
    stated = [keyholder.get("log"), keyholder.get("ml_dsa")] if isinstance(keyholder, dict) else []
    stated += [vault.get("cosigner")] if isinstance(vault, dict) else []
    return tuple(one for one in stated if isinstance(one, str))


def _members(document: bytes) -> dict[str, Any]:
    """The charter as a dict whose members that the chain needs have their types. Raises EntryError.

    Not ``catalog``'s parser: who watches a ledger must be able to follow it past charters of a later schema.
    """
    shapes = {"version": int, "delay": int, "name": str, "previous": str, "stewards": list}
    try:
        found = json.loads(document)
        if not isinstance(found, dict) or any(type(found.get(name)) is not kind for name, kind in shapes.items()):
            raise EntryError("charter: the document lacks version, delay, name, previous or stewards")
        for one in [found["previous"], *found["stewards"]]:
            if not isinstance(one, str) or len(unbase64(one)) != 32:
                raise EntryError("charter: previous and stewards are not 32 bytes each")
    except (ValueError, RecursionError, NoteError):
        raise EntryError("charter: the document does not parse") from None
    return found
