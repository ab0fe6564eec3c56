"""What the client says to the vault's HTTP API and takes from it: each answer of the shape, and of the records and fields, that were asked
for (SPEC.md section 10.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from strongroom.api import facts, reads, writes
from strongroom.canonical import encode
from strongroom.catalog.model import Charter, Holding
from strongroom.client.answers import Values
from strongroom.client.device import SignedAsk
from strongroom.client.flow import Answer, Call
from strongroom.client.handle import Handle, HandleLike
from strongroom.client.problems import problem
from strongroom.client.rules import compartments, most
from strongroom.errors import EntryError, FormatError, InputError, KeyholderUnavailable, NoteError
from strongroom.gate import ask as asks

T = TypeVar("T")

_MOST_SENT = 60 * 2**20
"""Bytes of records in one request, of the 64 MiB that the vault takes."""


def _one(kind: type[T]) -> Callable[[Answer], T]:
    """Raises ``FormatError``, which quotes nothing of the answer."""
    decoder = msgspec.json.Decoder(kind)

    def decode(answer: Answer) -> T:
        if answer.status not in (200, 201):
            raise problem(answer)
        try:
            return decoder.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise FormatError("the vault's answer is none of its API. Is it of a later release?") from None

    return decode


found, disclosed, checked = _one(reads.Found), _one(reads.Disclosed), _one(reads.Checked)
stored, corrected, erased = _one(writes.Stored), _one(writes.Corrected), _one(writes.Erased)
receipt, charters, budgets = _one(facts.ReceiptOf), _one(facts.Charters), _one(facts.Budgets)
_entries = msgspec.json.Decoder(facts.LedgerEntry)
_line: msgspec.json.Decoder[writes.ExportLine] = msgspec.json.Decoder(writes.ExportLine)


def entries(answer: Answer, first: int) -> list[bytes]:
    """A page of the ledger from ``first`` on."""
    if answer.status != 200:
        raise problem(answer)
    try:
        found = _entries.decode_lines(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormatError("the vault's answer is none of its API. Is it of a later release?") from None
    if [one.entry for one in found] != list(range(first, first + len(found))):
        raise EntryError("the vault shows other entries than were asked for")
    return [one.text.encode() for one in found]


def note(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NoteError("what the vault shows is no note") from None


# --- what is said -----------------------------------------------------------------------------------------------------
def evidence(signed: SignedAsk) -> asks.Evidence:
    return asks.Evidence(
        ask=signed.text.decode(),
        countersignatures=list(signed.countersignatures),
        private=encode(signed.private).decode(),
        signature=signed.signature,
    )


def post(path: str, body: bytes, signed: SignedAsk) -> Call:
    """The ask's hash names the request: the same ask sent again is the same request."""
    key = asks.ask_hash(signed.text).hex()
    return Call("POST", path, body, {"content-type": "application/json", "idempotency-key": f'"{key}"'})


def parts(records: Iterable[Mapping[str, str | None]]) -> Iterator[list[dict[str, str | None]]]:
    """As many at once as one request takes, in records and in bytes."""
    part: list[dict[str, str | None]] = []
    size = 0
    for record in records:
        one = dict(record)
        # A character is six bytes at the most, as \\uXXXX.
        more = sum(6 * len(value or "") + len(name) + 8 for name, value in one.items())
        if part and (len(part) == writes.MOST_RECORDS or size + more > _MOST_SENT):
            yield part
            part, size = [], 0
        part.append(one)
        size += more
    if part:
        yield part


def cursor_text(cursor: str) -> str:
    if not cursor.isascii() or not cursor.replace("-", "").replace("_", "").isalnum():
        raise FormatError("the vault's cursor is none")
    return cursor


def name_text(text: str) -> str:
    """Of a purpose or holding, as it stands in an address. Raises ``InputError``."""
    if not text.isascii() or not text.replace("-", "").isalnum():
        raise InputError("a name is lower-case letters, digits and -")
    return text


# --- what is asked for, and what came ---------------------------------------------------------------------------------
def handles_of(records: Iterable[HandleLike]) -> list[Handle]:
    """Sorted, each once, as an ask has them."""
    if isinstance(records, str | bytes):
        raise InputError("give a list of handles, if only of one")
    return sorted({Handle(one) for one in records})


def plain(handles: Iterable[Handle]) -> list[bytes]:
    """As an ask is written: the encoder takes bytes, and nothing that is made of them."""
    return [bytes(one) for one in handles]


def names_of(fields: Iterable[str]) -> list[str]:
    if isinstance(fields, str):
        raise InputError("give a list of fields, if only of one")
    return sorted(set(fields))


def holding_of(charter: Charter, name: str) -> Holding:
    found = charter.holdings.get(name)
    if found is None:
        raise InputError(f"the charter has no such holding; it has: {', '.join(sorted(charter.holdings))}")
    return found


def fits(charter: Charter, holding: str, fields: list[str] | None, handles: Sequence[Handle]) -> None:
    """A holding or field that there is not is for the gate to refuse, and for the ledger to show."""
    limit = most(charter.holdings.get(holding), fields)
    if len(handles) > limit:
        raise InputError(
            f"{len(handles):,} records are named, and one ask is of at most {limit:,} here: ask for them in parts"
        )


def opened_by(charter: Charter, holding: str, fields: Sequence[str]) -> frozenset[int]:
    return compartments(holding_of(charter, holding), fields)


def same_records(asked: Sequence[Handle], given: Sequence[Handle]) -> None:
    if list(asked) != list(given):
        raise FormatError(
            "the vault's answer is not of the records that were asked for: one is missing, twice, or another"
        )


def same_fields(asked: Sequence[str], given: Iterable[Values]) -> None:
    wanted = set(asked)
    if any(one.keys() != wanted for one in given):
        raise FormatError("the vault's answer has not the fields that were asked for")


def export_line(line: bytes | None) -> writes.ExportLine:
    if line is None:
        raise KeyholderUnavailable("the export was cut short. What was given before stands in the ledger")
    try:
        return _line.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormatError("a line of the export is none of the vault's API") from None
