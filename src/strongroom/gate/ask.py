"""What a reader wants, signed by the reader's own device (SPEC.md sections 7.1 and 7.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import U32, Bytes16, Bytes32, Bytes64, Codec, Name, Number, Record, encode
from strongroom.catalog.model import RosterLine, Test
from strongroom.errors import CommitmentError, FormatError, Refused
from strongroom.seal import ed25519

_ASK = b"strongroom/v1 ask\0"
_ASK_HASH = b"strongroom/v1 ask-hash\0"
_COUNTERSIGN = b"strongroom/v1 countersign\0"
_PRIVATE = b"strongroom/v1 private\0"
_READER = b"strongroom/v1 reader\0"


VALUES, MAP = "values", "map"
"""What a correction writes (SPEC 7.1): values as typed, or what a migration's map makes of the record."""


class Queried(Record):
    """What is asked by value, as the reader typed it: of a find the identifier, under its kind (SPEC 1.4); of a check
    what the field is compared with, under the field's name; of a correction what it writes, as ``VALUES`` (canonical JSON
    of field -> text or null) or ``MAP`` (the map's text)."""

    kind: str
    value: str


class PrivateHalf(Record):
    """What stays with the vault, sealed to the auditor; the ask carries only its commitment."""

    case: str
    reader: Bytes16
    reason: str
    salt: Bytes32
    subject: Queried | None

    def commitment(self) -> bytes:
        """32 bytes; the salt keeps them from being guessed at (SPEC 7.1)."""
        return hashlib.sha256(_PRIVATE + encode(self)).digest()


class Countersignature(Record):
    """A second reader's word for an ask: ``signature`` by the device of ``reader`` (SPEC 7.4)."""

    reader: Bytes16
    signature: Bytes64


class Evidence(Record):
    """What the vault keeps of an ask, sealed to the auditor: who asked, for what, who countersigned, and their
    devices' signatures under it."""

    ask: str
    countersignatures: list[Countersignature]
    private: str
    signature: Bytes64


class _Ask(Record, tag_field="action"):
    v: Literal[1]
    charter: Bytes32
    commitment: Bytes32
    holding: Name
    nonce: Bytes16
    purpose: Name
    reader: Bytes16
    room: Bytes16
    time: Number


Records = Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=1000)]
Fields = Annotated[list[Name], msgspec.Meta(min_length=1, max_length=256)]


class FindAsk(_Ask, tag="find"):
    """Is this person here? One value of one ``kind``; the value stands in the private half alone."""

    kind: str


class DiscloseAsk(_Ask, tag="disclose"):
    """Show these fields of these records. ``records`` are 16-byte handles; both columns sorted, distinct. ``version``:
    0 for the newest, otherwise that old version of each."""

    fields: Fields
    records: Records
    version: U32


class CheckAsk(_Ask, tag="check"):
    """Does ``test`` hold of this field of these records? The value to compare with stands in the private half alone."""

    field: Name
    records: Records
    test: Test


class CorrectAsk(_Ask, tag="correct"):
    """Seal a new version of these records, with other values in ``fields``; nobody is shown what they hold. The values
    stand in the private half alone."""

    fields: Fields
    records: Records


class EraseAsk(_Ask, tag="erase"):
    """Give no share of these records again, and let them be unreadable for good once their keys have changed."""

    records: Records


class IntakeAsk(_Ask, tag="intake"):
    """Let me index up to ``count`` identifiers until the POSIX second ``until``."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
    until: Number


class ExportAsk(_Ask, tag="export"):
    """Let me take out these fields of up to ``count`` records, newest versions, until the POSIX second ``until``."""

    count: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
    fields: Fields
    until: Number


Ask: TypeAlias = FindAsk | DiscloseAsk | CheckAsk | CorrectAsk | EraseAsk | IntakeAsk | ExportAsk
Opening: TypeAlias = DiscloseAsk | CheckAsk | CorrectAsk | ExportAsk
"""Asks that shares are given for."""
Windowed: TypeAlias = IntakeAsk | ExportAsk
"""Asks that stay open for several calls, until their count or their time is used up."""

_codec: Codec[Ask] = Codec(FindAsk | DiscloseAsk | CheckAsk | CorrectAsk | EraseAsk | IntakeAsk | ExportAsk, "ask")
_private_half: Codec[PrivateHalf] = Codec(PrivateHalf, "private half")
_evidence: Codec[Evidence] = Codec(Evidence, "evidence")
_values: Codec[dict[str, str | None]] = Codec(dict[str, str | None], "values of a correction")

WINDOW_DAYS = 7


def parse(text: bytes) -> Ask:
    """Accept exactly a canonical ask. Raises ``Refused`` with code ``ask``."""
    try:
        ask = _codec.parse(text)
    except Exception as error:
        raise Refused("ask", str(error)) from None
    for column in (getattr(ask, "fields", ()), getattr(ask, "records", ())):
        if len(column) > 1 and any(a >= b for a, b in pairwise(column)):
            raise Refused("ask", "fields and records must be sorted and distinct")
    if isinstance(ask, Windowed) and not ask.time < ask.until <= ask.time + WINDOW_DAYS * 86400:
        raise Refused("ask", f"until must be within {WINDOW_DAYS} days after time")
    return ask


def parse_private(text: bytes) -> PrivateHalf:
    """Accept exactly a canonical private half. Raises ``Refused`` with code ``ask``."""
    try:
        return _private_half.parse(text)
    except Exception as error:
        raise Refused("ask", str(error)) from None


def written(private: PrivateHalf) -> dict[str, str | None] | None:
    """What a correction of ``VALUES`` writes: field -> as typed, None to empty it. None of any other. Raises ``Refused``
    (``ask``)."""
    if private.subject is None or private.subject.kind != VALUES:
        return None
    try:
        return _values.parse(private.subject.value.encode())
    except FormatError as error:
        raise Refused("ask", str(error)) from None


def reader_id(device: bytes) -> bytes:
    """16 bytes that name a reader, from the 32-byte Ed25519 key of the device (SPEC.md 1.4)."""
    return hashlib.sha256(_READER + device).digest()[:16]


def readers(roster: Iterable[RosterLine]) -> dict[bytes, RosterLine]:
    """Reader -> line of the roster. Raises ``FormatError`` when two keys make one reader: one could ask as the other."""
    lines = list(roster)
    found = {reader_id(line.key): line for line in lines}
    if len(found) != len(lines):
        raise FormatError("roster: two keys make one reader; one of them must draw another")
    return found


def ask_hash(text: bytes) -> bytes:
    """32 bytes that name an ask, by which it is used once (SPEC.md 7.2)."""
    return hashlib.sha256(_ASK_HASH + text).digest()


def parse_evidence(data: bytes, hash_: bytes) -> tuple[Ask, PrivateHalf, Evidence]:
    """What an auditor opened, held against the ask hash (32 bytes) that the entry commits to. Whose key signed the ask is for the caller to
    verify with the roster of its time. Raises ``FormatError``, ``Refused`` (``ask``) or ``CommitmentError``."""
    evidence = _evidence.parse(data)
    ask, private = parse(evidence.ask.encode()), _private_half.parse(evidence.private.encode())
    if (
        ask_hash(evidence.ask.encode()) != hash_
        or private.commitment() != ask.commitment
        or private.reader != ask.reader
    ):
        raise CommitmentError("evidence: not what the entry commits to")
    return ask, private, evidence


def sign(text: bytes, device: Ed25519PrivateKey) -> bytes:
    """The device's 64-byte signature of an ask's canonical text (SPEC.md 7.2)."""
    return device.sign(_ASK + text)


def verify(text: bytes, signature: bytes, device: bytes) -> None:
    """Raises ``Refused`` (code ``signature``) unless the 32-byte key ``device`` signed ``text``."""
    try:
        ed25519.public_key(device).verify(signature, _ASK + text)
    except (InvalidSignature, ValueError):
        raise Refused("signature", "the ask is not signed by this reader's device") from None


def countersign(text: bytes, device: Ed25519PrivateKey) -> Countersignature:
    """A second reader's signature of an ask's canonical text (SPEC.md 7.4)."""
    return Countersignature(
        reader=reader_id(device.public_key().public_bytes_raw()), signature=device.sign(_COUNTERSIGN + text)
    )


def verify_countersignature(text: bytes, signature: bytes, device: bytes) -> None:
    """Raises ``Refused`` (code ``countersign``) unless the 32-byte key ``device`` countersigned ``text``."""
    try:
        ed25519.public_key(device).verify(signature, _COUNTERSIGN + text)
    except (InvalidSignature, ValueError):
        raise Refused("countersign", "the ask is not countersigned by this reader's device") from None
