"""What all openings share: the slots, the request, the receipt, the door, and whose it was (SPEC.md sections 3, 8.1, 8.2).

The order is the promise: nothing is opened before the receipt is verified against the vault's own mirror, and nothing is
handed on before it is sure that the persons concerned are those who were told.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from strongroom.catalog import fields as types
from strongroom.catalog.model import Holding
from strongroom.client.device import SignedAsk
from strongroom.custody import alone
from strongroom.custody.admit import Admitted
from strongroom.custody.receipt import verify_entry
from strongroom.custody.room import Room
from strongroom.custody.steps import Say, Steps, of_ask
from strongroom.errors import CommitmentError, EntryError, FormatError, InputError, SealError
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.seal import body, columns, person
from strongroom.seal.cleartext import open_column
from strongroom.seal.person import HoldingKeys
from strongroom.store.rows import Stored

Fields: TypeAlias = dict[str, str | None]
Piece: TypeAlias = tuple[Stored, body.Slot]
"""A slot, in the version it is of."""

Written = TypeVar("Written", entry.DisclosureEntry, entry.CheckEntry, entry.CorrectionEntry, entry.ExportEntry)


@dataclass(frozen=True)
class Opened:
    """``values``: handle -> all fields of its compartments that were opened; fields declared since then are not among
    them, which is to say null. ``index``: of the entry that ``receipt`` (a C2SP tlog-proof) proves."""

    values: dict[bytes, Fields] = field(repr=False)
    index: int
    receipt: str


def rows(room: Room, holding: str, handles: Sequence[bytes], version: int = 0) -> list[Stored]:
    """The newest version of each record, or that old one, ordered by handle. Raises ``InputError`` when one is not here."""
    number = room.holding(holding)
    found = room.store.at_version(number, handles, version) if version else room.store.latest(number, handles)
    if len(found) != len(handles):
        missing = f"{len(handles) - len(found)} of the records named"
        raise InputError(f"without a version {version}: {missing}" if version else f"not in {holding}: {missing}")
    return sorted(found, key=lambda row: row.handle)


def pieces(found: Iterable[Stored], compartments: Iterable[int]) -> list[Piece]:
    """The slots of these compartments in rows ordered by handle. A row of before a compartment was declared is without
    it. Raises ``InputError`` when it has none of them: nobody could be told of a read that opens nothing."""
    wanted, made = frozenset(compartments), []
    for row in found:
        slots = [(row, slot) for slot in body.parse(row.body) if slot.compartment in wanted]
        if not slots:
            raise InputError(
                f"record {row.handle.hex()} was taken in before the fields asked for were declared, and has none of their "
                "compartments. Bring the records up to the catalog: strongroom catalog migrate"
            )
        made += slots
    return made


def slots(pieces: Sequence[Piece]) -> dict[str, Any]:
    """The members of a request that tell the keyholder which slots (SPEC.md section 8.1)."""
    batches: dict[bytes, Stored] = {}
    for row, _ in pieces:
        batches.setdefault(row.batch, row)
    place = {name: at for at, name in enumerate(batches)}
    deltas = [row.delta for row, _ in pieces]
    return {
        "batches": [row.sealed for row in batches.values()],
        "epochs": [row.epoch for row in batches.values()],
        "expires": [row.expires for row in batches.values()],
        "members": b"".join(row.members for row in batches.values()),
        "handles": b"".join([row.handle for row, _ in pieces]),
        "versions": columns.put_u32s([row.version for row, _ in pieces]),
        "compartments": columns.put_u16s([slot.compartment for _, slot in pieces]),
        "masked": b"".join([slot.masked for _, slot in pieces]),
        "batch": columns.put_u16s([place[row.batch] for row, _ in pieces]),
        "deltas": b"".join(delta or bytes(32) for delta in deltas) if any(deltas) else b"",
    }


def request(known: Mapping[str, Any], signed: SignedAsk, pieces: Sequence[Piece], fresh: bytes) -> protocol.Disclose:
    """``known``: ``Room.common``; ``fresh``: HPKE public key (1216 bytes) that the answer is sealed to."""
    return protocol.Disclose(**known, **of_ask(signed), **slots(pieces), fresh=fresh)


def tags(holding: Holding, pieces: Sequence[Piece]) -> int:
    """How many tags the entry must have: one for each person that the opened compartments of a record name, whether or not
    two of these are the same."""
    about = {one.number: one.person for one in holding.compartments.values()}
    return len({(row.handle, about[slot.compartment]) for row, slot in pieces})


def opened(room: Room, signed: SignedAsk, admitted: Admitted, kind: type[Written], pieces: Sequence[Piece]) -> Opened:
    """``opening`` for one who asks alone. What is kept of the ask is kept before."""
    return alone.drive(room, opening(room, signed, admitted, kind, pieces), keep=False)


def opening(
    room: Room, signed: SignedAsk, admitted: Admitted, kind: type[Written], pieces: Sequence[Piece]
) -> Steps[Opened]:
    """Have the keyholder give the shares of ``pieces``, and open them.

    Raises ``Refused``, ``LedgerError`` when the receipt is not good, ``SealError`` (``CommitmentError``) when a record was
    tampered with. Then nothing is returned.
    """
    given = yield Say(signed, protocol.Disclose, slots(pieces))
    count, index = len({row.handle for row, _ in pieces}), given.index
    written = verify_entry(room, index, signed.text, admitted.line, kind, count, len(signed.countersignatures))
    if written.compartments != sorted({slot.compartment for _, slot in pieces}):
        raise EntryError(f"entry {index} names other compartments than were asked for")
    shares, whos = columns.split(given.shares, 32), columns.split(given.whos, 16)
    if not len(shares) == len(whos) == len(pieces):
        raise FormatError("the keyholder's answer has not one share and one person for each slot")
    keys, holding = room.keys.holding(signed.ask.holding), admitted.charter.holdings[signed.ask.holding]
    if len(written.tags) != tags(holding, pieces):
        raise EntryError(
            f"entry {index} has not one tag for each person of each record: somebody would not find this read"
        )
    values = _open(keys, holding, pieces, shares)
    _verify_persons(keys, holding, values, pieces, whos)
    return Opened(values, index, given.receipt)


def _open(keys: HoldingKeys, holding: Holding, pieces: Sequence[Piece], shares: Sequence[bytes]) -> dict[bytes, Fields]:
    enums = [name for name, item in holding.fields.items() if item.type == "enum"]
    places = [(row.handle, row.version, slot.compartment) for row, slot in pieces]
    blobs = [slot.blob for _, slot in pieces]
    try:
        values = open_column(keys, shares, places, blobs, enums)
    except SealError:
        # One after the other, to say of which record it is.
        values = [_open_one(keys, *one, enums) for one in zip(shares, places, blobs, strict=True)]
    found: dict[bytes, Fields] = {}
    for (row, _), one in zip(pieces, values, strict=True):
        if found.setdefault(row.handle, one) is not one:
            found[row.handle] |= one
    return found


def _open_one(
    keys: HoldingKeys, share: bytes, place: tuple[bytes, int, int], blob: bytes, enums: Sequence[str]
) -> Fields:
    try:
        return open_column(keys, [share], [place], [blob], enums)[0]
    except CommitmentError:
        raise CommitmentError(
            f"record {place[0].hex()} does not open with the share of its person: it was tampered with. The read is in the ledger"
        ) from None


def _verify_persons(
    keys: HoldingKeys,
    holding: Holding,
    values: Mapping[bytes, Fields],
    pieces: Sequence[Piece],
    whos: Sequence[bytes],
) -> None:
    """All that is about one person of a record must have been tagged on one chain; and where their identifier was opened,
    on that very person's: whoever had the vault at intake may have sealed a record under somebody else's. Raises
    ``SealError``."""
    about = {one.number: one.person for one in holding.compartments.values()}
    persons = [(row.handle, about[slot.compartment]) for row, slot in pieces]
    # What was told of each, and in its place what its identifier says where that was opened; every slot must say the same.
    wanted = dict(zip(persons, whos, strict=True))
    for name in {name for _, name in wanted}:
        handles = [handle for handle, one in wanted if one == name and (not name or name in values[handle])]
        wanted |= zip([(handle, name) for handle in handles], _whos(keys, holding, name, handles, values), strict=True)
    if not hmac.compare_digest(b"".join([wanted[one] for one in persons]), b"".join(whos)):
        handle = next(one[0] for one, who in zip(persons, whos, strict=True) if wanted[one] != who)
        raise SealError(
            f"record {handle.hex()} is sealed under another person than its identifier names, who will not find this "
            "read. It was so taken in; take it in anew"
        )


def _whos(
    keys: HoldingKeys, holding: Holding, name: str, handles: Sequence[bytes], values: Mapping[bytes, Fields]
) -> list[bytes]:
    """``who`` (16 bytes) of the person named by the field ``name`` in each record; of nobody where it is empty."""
    if not name:
        return [person.who_of_handle(keys, handle) for handle in handles]
    declared = holding.fields[name]
    kind = types.kind(name, declared)
    given = {handle: value for handle in handles if (value := values[handle][name])}
    normal = types.normals(declared, list(given.values()))
    inner = dict(zip(given, person.inners(keys, kind, normal), strict=True))
    if len(inner) < len(handles):
        absent = [handle for handle in handles if handle not in inner]
        inner |= zip(absent, person.no_value(keys, kind, name, absent), strict=True)
    return [person.who_of_inner(inner[handle]) for handle in handles]
