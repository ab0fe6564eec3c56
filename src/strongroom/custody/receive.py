"""New records as an application hands them over, under an intake ask that a reader's device has signed (SPEC.md sections 2 to 4, 10.1).

The order is the importer's: entry and receipt first, then the records with their batch in one transaction. Nobody is told
whether somebody was known before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from strongroom.catalog import fields
from strongroom.catalog.model import Holding
from strongroom.client.device import SignedAsk
from strongroom.custody.intake import identifiers
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.custody.intake.window import admitted, index
from strongroom.custody.room import Room
from strongroom.errors import ValueRejected
from strongroom.gate import ask as asks
from strongroom.seal.columns import split
from strongroom.store.rows import RowError, join_tokens


@dataclass(frozen=True)
class Parsed:
    """``columns``: every field of the holding, a value for each record that fits it; ``rows``: the numbers of these, in order.
    ``bad``: of the others what is wrong, never with a value."""

    columns: dict[str, list[str | None]] = field(repr=False)
    rows: list[int]
    bad: list[RowError]


@dataclass(frozen=True)
class Received:
    """A handle for each record, in order; the entries that say that their identifiers were indexed, of which ``receipt``
    proves the last."""

    handles: tuple[bytes, ...]
    entries: tuple[int, ...]
    receipt: str


def parse(holding: Holding, records: Sequence[Mapping[str, str | None]], first: int = 1) -> Parsed:
    """``records`` (field -> as written, null or absent for none) against the holding; the first has the number ``first``."""
    bad: list[RowError] = []
    good = [True] * len(records)
    for at, record in enumerate(records):
        if not record.keys() <= holding.fields.keys():
            # Its name is the sender's text.
            bad.append(RowError(first + at, "", "has a field that the holding does not declare"))
            good[at] = False
    columns: dict[str, list[str | None]] = {}
    for name, declared in holding.fields.items():
        parse_value, column = fields.parser(declared), []
        for at, record in enumerate(records):
            value = None
            try:
                value = parse_value(record.get(name) or "")
            except ValueRejected as reason:
                bad.append(RowError(first + at, name, str(reason)))
                good[at] = False
            column.append(value)
        columns[name] = column
    if any(one.needs for one in holding.fields.values()):
        for at in range(len(records)):
            found = fields.missing(holding, {name: column[at] for name, column in columns.items()}) if good[at] else []
            bad += [RowError(first + at, name, reason) for name, reason in found]
            good[at] = not found and good[at]
    kept = columns if all(good) else {name: list(compress(column, good)) for name, column in columns.items()}
    return Parsed(kept, list(compress(range(first, first + len(records)), good)), sorted(bad))


def receive(room: Room, signed: SignedAsk, columns: Mapping[str, Sequence[str | None]]) -> Received:
    """Take the records in whose ``columns`` ``parse`` gave: 1 to 10,000 of them.

    Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``StoreError``: then none is stored.
    """
    ask = signed.ask
    assert isinstance(ask, asks.IntakeAsk)
    window = admitted(room, signed)
    holding, keys = room.rules().charter.holdings[ask.holding], room.keys.holding(ask.holding)
    handles = split(room.random(16 * len(next(iter(columns.values())))), 16)
    bound = identifiers.derive(keys, holding, columns).bind(keys, handles)
    # Where nobody can be found by anything the ledger still says that something was taken in.
    found = index(room, window, bound.sent or {"": [room.random(32)]})
    tokens = [found.tokens[name] for name in bound.sent]
    joined = [join_tokens(set(row)) for row in zip(*tokens, strict=True)] or [b""] * len(handles)
    whos = {one.person: bound.whos(keys, one.person, handles) for one in holding.compartments.values()}
    records = Records(handles, [1] * len(handles), whos, joined, columns)
    sealed = Sealer(room, ask.holding, holding).seal(records)
    room.store.put_chunk(room.holding(ask.holding), sealed.rows, [sealed.batch])
    return Received(tuple(handles), tuple(found.entries), found.receipt)
