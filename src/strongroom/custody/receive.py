"""New records as applications hand them over, under intake asks that readers' devices have signed (SPEC.md sections 2 to 4, 10.1).

The order is the importer's: entry and receipt first, then the records with their batch in one transaction. Killed in between, the
ledger says of identifiers that nobody has stored, which harms nobody. Nobody is told whether somebody was known before.

What several hand over at once is taken in at once: the orders under one ask by one call to the keyholder, and so under one entry,
all records of a holding in one batch, and all of them in one transaction (docs/decisions/0029-intake.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import NamedTuple, TypeAlias

from strongroom.catalog import fields
from strongroom.catalog.columns import Column
from strongroom.catalog.model import Holding
from strongroom.catalog.types import identifier_kinds
from strongroom.client.device import SignedAsk
from strongroom.custody import together
from strongroom.custody.admit import admitting
from strongroom.custody.intake import identifiers
from strongroom.custody.intake.sealing import Records, Sealer, uncollected
from strongroom.custody.intake.window import indexing, rows_a_call
from strongroom.custody.room import Room
from strongroom.custody.steps import Steps
from strongroom.errors import Refused, StrongroomError
from strongroom.gate import ask as asks
from strongroom.seal.batch import MAX_RECORDS, MAX_SECONDS
from strongroom.seal.columns import split
from strongroom.store.rows import RowError, join_tokens

Values: TypeAlias = Mapping[str, Sequence[str | None]]
"""Every field of a holding -> a value a record, as ``parse`` gives them."""

_MOST_WINDOWS = 1000


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


class Order(NamedTuple):
    """Records to be taken in, 1 to 10,000, and the ask for it."""

    signed: SignedAsk
    columns: Values


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
    for name, column in _columns(holding).items():
        columns[name], wrong = column.parse([record.get(name) or "" for record in records])
        for at, reason in wrong:
            bad.append(RowError(first + at, name, reason))
            good[at] = False
    if any(one.needs for one in holding.fields.values()):
        for at in range(len(records)):
            found = fields.missing(holding, {name: column[at] for name, column in columns.items()}) if good[at] else []
            bad += [RowError(first + at, name, reason) for name, reason in found]
            good[at] = not found and good[at]
    kept = columns if all(good) else {name: list(compress(column, good)) for name, column in columns.items()}
    return Parsed(kept, list(compress(range(first, first + len(records)), good)), sorted(bad))


# By the holding's identity, which is kept beside: what a charter says does not change, and to compile it takes longer than to
# look at a record.
_compiled: dict[int, tuple[Holding, dict[str, Column]]] = {}


def _columns(holding: Holding) -> dict[str, Column]:
    found = _compiled.get(id(holding))
    if found is None:
        if len(_compiled) >= 100:
            _compiled.clear()
        found = _compiled[id(holding)] = (holding, {name: Column(one) for name, one in holding.fields.items()})
    return found[1]


@dataclass(slots=True)
class _Open:
    """A window that was let through, when, and how many identifiers are left in it as far as this process knows."""

    signed: SignedAsk
    ask: asks.IntakeAsk
    decided: int
    left: int


@dataclass(frozen=True, slots=True)
class _Indexed:
    """Orders of one ask with what the keyholder gave for them; ``places``: which ones, and where their records end."""

    places: list[tuple[int, int]]
    records: Records = field(repr=False)
    entries: tuple[int, ...]
    receipt: str


Outcomes: TypeAlias = dict[int, "Received | StrongroomError"]


class Receiver:
    """Takes orders into ``room``; of the thread that has that.

    An ask is decided on when its first order comes, and again after a minute: a rule may look at the hour.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._windows: dict[tuple[object, ...], _Open] = {}
        self._sealers: dict[str, tuple[bytes, int, Sealer]] = {}

    def receive(self, orders: Sequence[Order]) -> list[Received | StrongroomError]:
        """What came of each order: ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``SealError``, ``StoreError`` where
        none of its records is stored."""
        if len(self._windows) > _MOST_WINDOWS:
            self._windows.clear()
        by_ask: dict[tuple[object, ...], list[tuple[int, Order]]] = defaultdict(list)
        for at, order in enumerate(orders):
            by_ask[_key(order.signed)].append((at, order))
        found: Outcomes = {}
        ready: dict[str, list[_Indexed]] = defaultdict(list)
        with uncollected(), self._room.steady():
            ended = together.drive(self._room, [self._asking(some, found) for some in by_ask.values()])
            for some, done in zip(by_ask.values(), ended, strict=True):
                if isinstance(done, Exception):
                    raise done  # no StrongroomError, which the steps take themselves
                ready[some[0][1].signed.ask.holding] += done.value
            self._store(ready, found)
        return [found[at] for at in range(len(orders))]

    def _asking(self, orders: Sequence[tuple[int, Order]], found: Outcomes) -> Steps[list[_Indexed]]:
        """Have the identifiers of orders under one ask indexed: all of them at once, if one call and the ask have room for them."""
        key = _key(orders[0][1].signed)
        try:
            one = yield from self._window(key, orders[0][1].signed)
        except StrongroomError as error:
            found |= {at: error for at, _ in orders}
            return []
        done = []
        for part in self._parts(one, orders):
            try:
                done.append((yield from self._indexing(one, part)))
            except StrongroomError as error:
                # A refusal uses a window up, and what else went wrong leaves it unknown how much of it is left.
                self._windows.pop(key, None)
                found |= {at: error for at, _ in part}
        return done

    def _window(self, key: tuple[object, ...], signed: SignedAsk) -> Steps[_Open]:
        """Raises ``Refused``."""
        ask, known, now = signed.ask, self._windows.get(key), self._room.now()
        if not isinstance(ask, asks.IntakeAsk):
            raise Refused("ask", "taking records in wants an ask of that action")
        if (
            known is None
            or ask.charter != self._room.rules().enacted.hash
            or not 0 <= now - known.decided < MAX_SECONDS
        ):
            yield from admitting(self._room, signed)
            known = self._windows[key] = _Open(signed, ask, now, known.left if known else ask.count)
        return known

    def _parts(self, one: _Open, orders: Sequence[tuple[int, Order]]) -> Iterator[list[tuple[int, Order]]]:
        """The orders that go into one call each. More than the ask is for would all be refused together, so what is past that goes alone."""
        kinds = identifier_kinds(self._room.rules().charter.holdings[one.ask.holding]).values()
        named: dict[str, list[bytes]] = {name: [] for names in kinds for name in names} or {"": []}
        most = min(MAX_RECORDS, rows_a_call(self._room, one.ask, named))
        part, rows = list[tuple[int, Order]](), 0
        for at, order in orders:
            count = _count(order.columns)
            if part and rows + count > min(most, one.left // len(named)):
                yield part
                part, rows = [], 0
            part.append((at, order))
            rows += count
        yield part

    def _indexing(self, one: _Open, orders: Sequence[tuple[int, Order]]) -> Steps[_Indexed]:
        room, name = self._room, one.ask.holding
        holding, keys = room.rules().charter.holdings[name], room.keys.holding(name)
        columns = _joined([order.columns for _, order in orders])
        if columns.keys() != holding.fields.keys():
            raise Refused("charter", "the charter has changed since the records were looked at; send them again")
        handles = split(room.random(16 * _count(columns)), 16)
        bound = identifiers.derive(keys, holding, columns).bind(keys, handles)
        # Where nobody can be found by anything the ledger still says that something was taken in.
        sent = bound.sent or {"": [room.random(32)]}
        one.left -= sum(map(len, sent.values()))
        found = yield from indexing(room, one.signed, sent)
        tokens = [found.tokens[name] for name in bound.sent]
        joined = [join_tokens(set(row)) for row in zip(*tokens, strict=True)] or [b""] * len(handles)
        whos = {each.person: bound.whos(keys, each.person, handles) for each in holding.compartments.values()}
        places, end = [], 0
        for at, order in orders:
            end += _count(order.columns)
            places.append((at, end))
        return _Indexed(places, Records(handles, [1] * end, whos, joined, columns), tuple(found.entries), found.receipt)

    def _store(self, ready: Mapping[str, list[_Indexed]], found: Outcomes) -> None:
        made = []
        for name, parts in ready.items():
            for batch in _batches(parts):
                try:
                    sealed = self._sealer(name).seal(_together([part.records for part in batch]))
                    made.append((self._room.holding(name), sealed, batch))
                except StrongroomError as error:
                    _fail(batch, error, found)
        try:
            with self._room.store.together():
                for number, sealed, _ in made:
                    self._room.store.put_chunk(number, sealed.rows, [sealed.batch])
        except StrongroomError as error:
            for _, _, batch in made:
                _fail(batch, error, found)
            return
        for _, _, batch in made:
            for part in batch:
                start = 0
                for at, end in part.places:
                    found[at] = Received(tuple(part.records.handles[start:end]), part.entries, part.receipt)
                    start = end

    def _sealer(self, name: str) -> Sealer:
        """One that knows the epoch's key, as the keyholder gave it within the time that a batch may be open."""
        rules, now = self._room.rules(), self._room.now()
        known = self._sealers.get(name)
        if known is None or known[0] != rules.enacted.hash or not 0 <= now - known[1] < MAX_SECONDS:
            known = rules.enacted.hash, now, Sealer(self._room, name, rules.charter.holdings[name])
            self._sealers[name] = known
        return known[2]


def _key(signed: SignedAsk) -> tuple[object, ...]:
    """Another private half with the same ask, too, is to be decided on."""
    return signed.text, signed.signature, signed.countersignatures, signed.private.commitment()


def _count(columns: Mapping[str, Sequence[object]]) -> int:
    return len(next(iter(columns.values())))


def _joined(parts: Sequence[Values]) -> Values:
    if len(parts) == 1:
        return parts[0]
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


def _batches(parts: Iterable[_Indexed]) -> Iterator[list[_Indexed]]:
    """Together as many as a batch may have."""
    batch, count = list[_Indexed](), 0
    for part in parts:
        rows = len(part.records.handles)
        if batch and count + rows > MAX_RECORDS:
            yield batch
            batch, count = [], 0
        batch.append(part)
        count += rows
    if batch:
        yield batch


def _together(parts: Sequence[Records]) -> Records:
    if len(parts) == 1:
        return parts[0]
    return Records(
        [handle for part in parts for handle in part.handles],
        [version for part in parts for version in part.versions],
        {person: [who for part in parts for who in part.whos[person]] for person in parts[0].whos},
        [tokens for part in parts for tokens in part.tokens],
        _joined([part.values for part in parts]),
    )


def _fail(batch: Iterable[_Indexed], error: StrongroomError, found: Outcomes) -> None:
    for part in batch:
        for at, _ in part.places:
            found[at] = error
