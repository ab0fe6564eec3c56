"""One leaf of the ledger: what was done, never to whom (SPEC.md section 5.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec

from strongroom.canonical import U32, Bytes12, Bytes16, Bytes32, Bytes64, Codec, Name, Number, Record
from strongroom.canonical import encode as canonical
from strongroom.catalog.text import clean
from strongroom.errors import EntryError, ValueRejected

MAX_BYTES = 65_535
MAX_TAGS = 1_000

Numbers: TypeAlias = Annotated[
    list[Annotated[int, msgspec.Meta(ge=1, le=2**16 - 1)]], msgspec.Meta(min_length=1, max_length=2**16 - 1)
]
Epochs: TypeAlias = Annotated[list[U32], msgspec.Meta(max_length=1000)]
Tags: TypeAlias = Annotated[list[Bytes16], msgspec.Meta(max_length=MAX_TAGS)]
SomeTags: TypeAlias = Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=MAX_TAGS)]
Scope: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^(room|reader|holding:[a-z][a-z0-9-]{0,39})?\Z")]


# Of flat lists, texts and numbers no cycle can be made: the collector need not look at entries.
class _Entry(Record, frozen=True, kw_only=True, tag_field="type", gc=False):
    v: Literal[1]
    time: Number


class _Asked(_Entry, frozen=True, kw_only=True):
    asker: Bytes12
    charter: Bytes32
    commitment: Bytes32
    countersigners: Annotated[list[Bytes12], msgspec.Meta(max_length=8)]
    # Names, which ``check`` looks at: there are few, and msgspec would run the pattern for each of them anew.
    holding: str
    purpose: str
    role: str
    unit: str


class CharterEntry(_Entry, frozen=True, kw_only=True, tag="charter"):
    """A charter's text, in force from ``effective`` (POSIX seconds) until the next one is."""

    document: str
    effective: Number
    signature: Bytes64
    steward: Bytes32


class IntakeEntry(_Asked, frozen=True, kw_only=True, tag="intake"):
    """``count`` identifiers may be indexed; ``tags`` of whom they are, where the purpose tells them."""

    count: Number
    tags: Tags


class FindEntry(_Asked, frozen=True, kw_only=True, tag="find"):
    """Somebody asked whether a person is here."""

    count: Literal[1]
    tags: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=1)]


class _Opened(_Asked, frozen=True, kw_only=True):
    compartments: Numbers
    count: Number
    tags: SomeTags


class DisclosureEntry(_Opened, frozen=True, kw_only=True, tag="disclosure"):
    """``count`` records were opened, in these compartments, about the persons of these tags."""


class CheckEntry(_Opened, frozen=True, kw_only=True, tag="check"):
    """The same, and the reader was told of each no more than whether a test holds."""


class CorrectionEntry(_Opened, frozen=True, kw_only=True, tag="correction"):
    """The same, to be sealed anew with other values; the reader was shown nothing."""


class ExportEntry(_Opened, frozen=True, kw_only=True, tag="export"):
    """The same: one batch of an export."""


class RefusalEntry(_Asked, frozen=True, kw_only=True, tag="refusal"):
    by: Literal["vault", "keyholder"]
    code: Name


class ErasureEntry(_Asked, frozen=True, kw_only=True, tag="erasure"):
    """``count`` records are opened no more; the keyholder knows their handles again by ``marks``. It is final when the
    keys of all ``epochs`` (days, ascending) are destroyed: every key that the holding had then."""

    count: Number
    epochs: Epochs
    marks: SomeTags
    tags: SomeTags


class ExpiryEntry(_Entry, frozen=True, kw_only=True, tag="expiry"):
    """The private key of a holding's epoch (days) is destroyed; ``key`` is the hash of its public half (SPEC 5.4)."""

    epoch: U32
    holding: Name
    key: Bytes32


class HoldEntry(_Entry, frozen=True, kw_only=True, tag="hold"):
    """No key of the holding is destroyed before ``until`` (POSIX seconds), by order of ``authority``. A later one of
    the same authority takes its place; one that ends at its own time lifts it."""

    authority: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    holding: Name
    until: Number


class NoticeEntry(_Entry, frozen=True, kw_only=True, tag="notice"):
    code: Literal["freeze", "thaw", "start", "generation"]
    scope: Scope


class HeartbeatEntry(_Entry, frozen=True, kw_only=True, tag="heartbeat"):
    """The ledger is alive and has nothing else to say."""


Entry: TypeAlias = (
    CharterEntry
    | IntakeEntry
    | FindEntry
    | DisclosureEntry
    | CheckEntry
    | CorrectionEntry
    | ExportEntry
    | RefusalEntry
    | ErasureEntry
    | ExpiryEntry
    | HoldEntry
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
    _check(entry)
    return entry


def parse_all(data: Sequence[bytes]) -> list[Entry]:
    """As ``parse`` of each, in half the time: whole columns are looked at. Raises EntryError as ``parse`` of the first that is wrong."""
    try:
        if max(map(len, data), default=0) > MAX_BYTES:
            raise EntryError("an entry is too long")
        found = _codec.parse_lines(data)
        for kind, those in by_kind(found).items():
            _check_kind(kind, those)
    except EntryError:
        return [parse(one) for one in data]
    return found


def by_kind(entries: Sequence[Entry]) -> dict[type[Entry], list[Entry]]:
    """The entries of each type, in their order."""
    return {kind: [one for one in entries if type(one) is kind] for kind in set(map(type, entries))}


def _check(entry: Entry) -> None:
    """What the types above do not say. Raises EntryError."""
    # Mostly there are none or one: to call for these would cost more than all else that is looked at here.
    if isinstance(entry, _Asked):
        _check_names(_names_of(entry))
        if len(entry.countersigners) > 1:
            _check_rising("countersigners", entry.countersigners)
    if len(tags := entry_tags(entry)) > 1:
        _check_rising("tags", tags)
    if isinstance(entry, _Opened):
        if len(entry.compartments) > 1:
            _check_rising("compartments", entry.compartments)
    elif isinstance(entry, ErasureEntry):
        _check_rising("marks", entry.marks)
        _check_rising("epochs", entry.epochs)
        if entry.count != len(entry.marks):
            raise EntryError("entry: the count of an erasure is that of its marks")
    elif isinstance(entry, HoldEntry):
        if not _is_clean(entry.authority):
            raise EntryError("entry: an authority is text without controls, needless spaces and loose accents")
    elif isinstance(entry, NoticeEntry) and (entry.code in ("start", "generation")) != (entry.scope == ""):
        raise EntryError("entry: the scope of a notice is empty for start and generation, and only then")


def _check_kind(kind: type[Entry], entries: Sequence[Entry]) -> None:
    """As ``_check`` of each, all being of one type. Raises EntryError."""
    if not issubclass(kind, _Asked) or kind is ErasureEntry:
        for one in entries if kind is not HeartbeatEntry else ():
            _check(one)
        return
    # Names and compartments are the same few again and again.
    for names in set(map(_names_of, entries)):
        _check_names(names)
    if issubclass(kind, _Opened):
        for numbers in {tuple(one) for one in map(_compartments_of, entries)}:
            _check_rising("compartments", list(numbers))
    for lists_of in (_countersigners_of, _tags_of) if kind is not RefusalEntry else (_countersigners_of,):
        for one in map(lists_of, entries):
            if len(one) > 1:
                _check_rising("", one)


def entry_tags(entry: Entry) -> list[bytes]:
    """The tags an entry carries, 16 bytes each: by these the persons concerned find it."""
    return entry.tags if isinstance(entry, _TAGGED) else []


_TAGGED = (IntakeEntry, FindEntry, _Opened, ErasureEntry)


def charter_hash_of(entry: Entry) -> bytes | None:
    """The 32-byte hash of the charter an entry was made under, where it names one."""
    return entry.charter if isinstance(entry, _Asked) else None


def charter_hashes_of(kind: type[Entry], entries: Iterable[Entry]) -> set[bytes]:
    """Those that entries of one type name; none where that type names none."""
    return set(map(_charter_of, entries)) if issubclass(kind, _Asked) else set()


_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")  # canonical.Name
_names_of = attrgetter("holding", "purpose", "role", "unit")
_charter_of, _compartments_of, _countersigners_of, _tags_of = map(
    attrgetter, ("charter", "compartments", "countersigners", "tags")
)


@lru_cache(maxsize=4096)
def _check_names(names: tuple[str, ...]) -> None:
    if not all(map(_NAME.fullmatch, names)):
        raise EntryError("entry: a holding, purpose, role or unit is not a name")


def _is_clean(text: str) -> bool:
    try:
        return clean(text) == text
    except ValueRejected:
        return False


_Sorted = TypeVar("_Sorted", bytes, int)


def _check_rising(member: str, values: list[_Sorted]) -> None:
    if sorted(set(values)) != values:
        raise EntryError(f"entry: {member} are not sorted and distinct")
