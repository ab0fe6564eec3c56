"""The charter's document: its bytes, hash, signature and roster (SPEC.md sections 6.1 to 6.3)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from itertools import pairwise

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.canonical import Codec, encode
from strongroom.catalog.model import OTHER, Charter, RosterLine
from strongroom.catalog.successor import follow
from strongroom.catalog.types import identifier_kinds
from strongroom.catalog.validate import problems
from strongroom.errors import CatalogError, FormatError, Refused

MAX_BYTES = 60_000  # as a JSON string, quotes escaped: so it stands in its entry, which has at most 65,535

_CHARTER = b"strongroom/v1 charter\0"
_SIGNATURE = b"strongroom/v1 charter-signature\0"
_ROSTER = b"strongroom/v1 roster\0"

_charter: Codec[Charter] = Codec(Charter, "charter")
_roster: Codec[list[RosterLine]] = Codec(list[RosterLine], "roster")


def document(charter: Charter) -> bytes:
    """Canonical JSON of ``charter``. Raises what ``parse`` raises: nothing is written that would not be read."""
    written = encode(charter)
    parse(written)
    return written


def parse(document: bytes) -> Charter:
    """The charter that ``document`` is, with all that SPEC.md 6.2 asks of it.

    Raises ``FormatError`` when it is not canonical JSON of the schema or too long, ``CatalogError`` (``place`` a path
    of members) when its members do not fit each other.
    """
    if len(document) > MAX_BYTES:
        raise _too_long(len(document))
    charter = _charter.parse(document)
    if (written := len(encode(document.decode()))) > MAX_BYTES:
        raise _too_long(written)
    for problem in problems(charter):
        raise CatalogError(f"charter: {'.'.join(problem.path)}", problem.text, problem.mend)
    _keys(charter)
    return charter


def charter_hash(document: bytes) -> bytes:
    """32 bytes that name a charter."""
    return hashlib.sha256(_CHARTER + document).digest()


def sign(document: bytes, steward: Ed25519PrivateKey) -> bytes:
    """The steward's 64-byte signature."""
    return steward.sign(_SIGNATURE + document)


def verify(document: bytes, signature: bytes, steward: bytes) -> None:
    """Raises ``Refused`` (code ``charter``) unless the 32-byte key ``steward`` signed ``document``. Whether that key
    may sign is the caller's to ask of the charter in force."""
    try:
        Ed25519PublicKey.from_public_bytes(steward).verify(signature, _SIGNATURE + document)
    except (InvalidSignature, ValueError):
        raise Refused("charter", "the charter is not signed by this steward's key") from None


def successor(old: Charter, old_document: bytes, new: Charter) -> None:
    """Raises ``CatalogError`` unless ``new`` may follow ``old``, whose bytes are ``old_document`` (SPEC.md 6.5).
    Both are parsed already; whether a steward of ``old`` signed is ``verify``'s and the caller's to say."""
    follow(old, charter_hash(old_document), new)


def roster_bytes(lines: Iterable[RosterLine]) -> bytes:
    """Canonical roster of ``lines``, sorted by key. Raises ``FormatError`` when a key stands in it twice."""
    written = encode(sorted(lines, key=lambda line: line.key))
    parse_roster(written)
    return written


def parse_roster(roster: bytes) -> list[RosterLine]:
    """The lines of a canonical roster. Raises ``FormatError``."""
    lines = _roster.parse(roster)
    if any(a.key >= b.key for a, b in pairwise(lines)):
        raise FormatError("roster: lines must be sorted by key, each key once")
    if any(line.unit == OTHER for line in lines):
        raise FormatError(f"roster: {OTHER} is what the ledger calls a unit too small to name; rename the unit")
    return lines


def roster_hash(roster: bytes) -> bytes:
    """32 bytes, the charter's ``roster``."""
    return hashlib.sha256(_ROSTER + roster).digest()


def _too_long(found: int) -> FormatError:
    return FormatError(f"charter: has {found:,} bytes as it stands in its entry, over the {MAX_BYTES:,} that fit")


def _keys(charter: Charter) -> None:
    if (charter.version == 1) != (charter.previous == bytes(32)) or charter.version == 0:
        problem = "the first is version 1 with 32 zero bytes as previous, and no other is"
        raise CatalogError("charter: version", problem, "Count on by one")
    if not charter.stewards or len(set(charter.stewards)) < len(charter.stewards):
        raise CatalogError("charter: stewards", "want at least one steward, each once", "Name the steward's key")
    origin = f"{charter.name}/ledger"
    _vkey("keyholder.log", charter.keyholder.log, origin, 1, 32)
    _vkey("keyholder.ml_dsa", charter.keyholder.ml_dsa, f"{origin}/ml-dsa", 6, 1312)
    _vkey("vault.cosigner", charter.vault.cosigner, f"{origin}/vault", 4, 32)
    if charter.buckets.keys() != charter.holdings.keys():
        raise CatalogError("charter: buckets", "want one member for each holding", "Add or remove it")
    for name, holding in charter.holdings.items():
        if charter.buckets[name].keys() != identifier_kinds(holding).keys():
            mend = f"Give one bucket root for each of: {', '.join(identifier_kinds(holding)) or 'none'}"
            raise CatalogError(f"charter: buckets.{name}", "the kinds are not those of the holding's identifiers", mend)


def _vkey(place: str, text: str, name: str, algorithm: int, length: int) -> None:
    try:
        key = base64.b64decode(text.rpartition(f"{name}+")[2][9:], validate=True)
    except ValueError:
        key = b""
    key_id = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    whole = f"{name}+{key_id}+{base64.b64encode(key).decode()}"
    if key[:1] != bytes([algorithm]) or len(key) != 1 + length or text != whole:
        mend = f"Write the verifier key of {name}, type {algorithm:#04x} (SPEC.md 5.2)"
        raise CatalogError(f"charter: {place}", "not the verifier key that should stand here", mend)
