"""One leaf of the ledger: what was done, never to whom (SPEC.md section 5.4)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

import msgspec

from strongroom.canonical import Bytes12, Bytes16, Bytes32, Bytes64, Codec, Name, Number, Record
from strongroom.canonical import encode as canonical
from strongroom.errors import EntryError

MAX_BYTES = 65_535
MAX_TAGS = 1_000

Numbers: TypeAlias = Annotated[
    list[Annotated[int, msgspec.Meta(ge=1, le=2**16 - 1)]], msgspec.Meta(min_length=1, max_length=2**16 - 1)
]
Scope: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(room|reader|holding:[a-z][a-z0-9-]{0,39})?\Z")]


class _Entry(Record, frozen=True, kw_only=True, tag_field="type"):
    v: Literal[1]
    time: Number


class _Asked(_Entry, frozen=True, kw_only=True):
    asker: Bytes12
    charter: Bytes32
    commitment: Bytes32
    holding: Name
    purpose: Name
    role: Name
    unit: Name


class CharterEntry(_Entry, frozen=True, kw_only=True, tag="charter"):
    """A charter's text, in force from ``effective`` (POSIX seconds) until the next one is."""

    document: str
    effective: Number
    signature: Bytes64
    steward: Bytes32


class IntakeEntry(_Asked, frozen=True, kw_only=True, tag="intake"):
    """``count`` identifiers may be indexed."""

    count: Number


class FindEntry(_Asked, frozen=True, kw_only=True, tag="find"):
    """Somebody asked whether a person is here."""

    count: Literal[1]
    tags: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=1)]


class DisclosureEntry(_Asked, frozen=True, kw_only=True, tag="disclosure"):
    """``count`` records were opened, in these compartments, about the persons of these tags."""

    compartments: Numbers
    count: Number
    tags: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=MAX_TAGS)]


class RefusalEntry(_Asked, frozen=True, kw_only=True, tag="refusal"):
    by: Literal["vault", "keyholder"]
    code: Name


class ErasureEntry(_Entry, frozen=True, kw_only=True, tag="erasure"):
    """``count`` records of a holding are opened no more; the keyholder knows their handles again by ``marks``."""

    count: Number
    holding: Name
    marks: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=MAX_TAGS)]


class NoticeEntry(_Entry, frozen=True, kw_only=True, tag="notice"):
    code: Literal["freeze", "thaw", "start"]
    scope: Scope


class HeartbeatEntry(_Entry, frozen=True, kw_only=True, tag="heartbeat"):
    """The ledger is alive and has nothing else to say."""


Entry: TypeAlias = (
    CharterEntry
    | IntakeEntry
    | FindEntry
    | DisclosureEntry
    | RefusalEntry
    | ErasureEntry
    | NoticeEntry
    | HeartbeatEntry
)

_codec: Codec[Entry] = Codec(Entry, "entry", EntryError)


def encode(entry: Entry) -> bytes:
    """Canonical bytes. Raises EntryError for whatever ``parse`` would not take back.

    Structures are not checked when they are made, and what is appended once stays for ever.
    """
    data = canonical(entry)
    parse(data)
    return data


def parse(data: bytes) -> Entry:
    """Accept exactly an entry of SPEC.md 5.4. The text of an EntryError names members, never values."""
    if len(data) > MAX_BYTES:
        raise EntryError(f"an entry of {len(data)} bytes is over {MAX_BYTES}")
    entry = _codec.parse(data)
    if isinstance(entry, DisclosureEntry):
        _check_rising("tags", entry.tags)
        _check_rising("compartments", entry.compartments)
    elif isinstance(entry, ErasureEntry):
        _check_rising("marks", entry.marks)
        if entry.count != len(entry.marks):
            raise EntryError("entry: the count of an erasure is that of its marks")
    elif isinstance(entry, NoticeEntry) and (entry.code == "start") != (entry.scope == ""):
        raise EntryError("entry: the scope of a notice is empty for start, and only then")
    return entry


def entry_tags(entry: Entry) -> list[bytes]:
    """The tags an entry carries, 16 bytes each: those of a find or a disclosure."""
    return entry.tags if isinstance(entry, FindEntry | DisclosureEntry) else []


def charter_hash_of(entry: Entry) -> bytes | None:
    """The 32-byte hash of the charter an entry was made under, where it names one."""
    return entry.charter if isinstance(entry, _Asked) else None


def _check_rising(member: str, values: list[bytes] | list[int]) -> None:
    if any(a >= b for a, b in pairwise(values)):  # type: ignore[operator]
        raise EntryError(f"entry: {member} are not sorted and distinct")
