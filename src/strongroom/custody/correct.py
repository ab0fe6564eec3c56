"""A correction: the record as it is, with other values in some fields, sealed as its next version (SPEC.md sections 3.1, 7.2).

Nobody is shown what it held. The order is the promise: both asks are decided before anything is opened, the new version is
in the store before the keyholder is told of it, and whatever fails before that leaves the record as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from strongroom.catalog import fields as types
from strongroom.catalog import migration
from strongroom.catalog.migration import Rejected
from strongroom.catalog.model import Holding
from strongroom.catalog.types import identifier_kinds
from strongroom.client.device import SignedAsk
from strongroom.custody import newest, opening
from strongroom.custody.admit import admit, keep_private
from strongroom.custody.asking import Mandate
from strongroom.custody.intake import identifiers
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.custody.intake.window import Errand, Window, admitted, index, open_window
from strongroom.custody.opening import Fields
from strongroom.custody.room import Room
from strongroom.errors import InputError, KeyholderUnavailable, Refused, ValueRejected
from strongroom.gate import ask as asks
from strongroom.ledger import entry
from strongroom.seal.epoch import expiry_of
from strongroom.store.rows import BatchRow, RecordRow, Stored, join_tokens

_DAY = 86400

Change: TypeAlias = Callable[[bytes, Fields], Fields | None]
"""(handle, every declared field of the record) -> the same fields as they are to be; None: the record stays as it is."""


class Step(NamedTuple):
    """Of a job that corrects many records: noted in the transaction that stores their versions. ``outcome`` is told of each
    record: whether it changes, or why it is left as it is. ``cursor`` is asked for once all changes are made."""

    job: bytes
    number: int
    outcome: Callable[[bytes, bool | Rejected], None]
    cursor: Callable[[], str]


@dataclass(frozen=True)
class Corrected:
    """``versions``: the one each record has now. ``index``: of the correction's entry, proved by ``receipt``; ``indexed``:
    of those that say that identifiers were indexed. ``settled``: the keyholder knows that older versions are old; if it
    could not be told, the next command that reaches it does."""

    handles: tuple[bytes, ...]
    versions: tuple[int, ...]
    index: int
    receipt: str
    indexed: tuple[int, ...]
    settled: bool


def correct(
    room: Room, mandate: Mandate, records: Sequence[bytes], changes: Mapping[str, str | None], intake: str = ""
) -> Corrected:
    """Give these fields of these records other values, as written; None empties a field. ``intake``: the purpose under
    which the identifiers are indexed anew (default: the same one).

    Raises ``InputError`` for a value that does not fit, ``Refused``, and all that ``revise`` does.
    """
    declared = room.rules().charter.holdings.get(mandate.holding)
    if declared is not None:
        _parsed(declared, changes)
    m = mandate
    signed = m.signed(m.asker.correct(m.holding, m.purpose, records, changes, m.case, m.reason, room.now()))
    errand = Errand(m.asker, intake or m.purpose, m.case, m.reason, m.seconds)
    return revise(room, signed, errand)


def _parsed(holding: Holding, changes: Mapping[str, str | None]) -> Fields:
    """A field that there is not is for the gate to refuse, and for the ledger to show. Raises ``InputError``."""
    found: Fields = {}
    for name, text in changes.items():
        if name in holding.fields:
            try:
                found[name] = types.parse(holding.fields[name], text or "")
            except ValueRejected as reason:
                raise InputError(f"{name}: {reason}") from None
    return found


def _agreed(holding: Holding, signed: SignedAsk, step: Step | None) -> Change:
    """What the ask commits to, and who countersigned saw, and nothing else. Raises ``InputError``."""
    values, subject = asks.written(signed.private), signed.private.subject
    if values is not None:
        return lambda handle, record: _amended(holding, handle, record, values)
    assert subject is not None
    found = migration.load(subject.value, "the map", holding)

    def filled(handle: bytes, record: Fields) -> Fields | None:
        try:
            made = found.apply(record)
        except Rejected as reason:
            if step is None:
                raise InputError(f"record {handle.hex()}: {reason}; nothing was changed") from None
            step.outcome(handle, reason)
            return None
        if step is not None:
            step.outcome(handle, made is not None)
        return made

    return filled


def _amended(holding: Holding, handle: bytes, record: Fields, values: Mapping[str, str | None]) -> Fields:
    """Raises ``InputError`` where it would be about somebody else, or lack what it must have; of the other fields' values
    that tells as little as it can."""
    named = f"record {handle.hex()}"
    made = record | _parsed(holding, values)
    for name in values:
        if holding.fields[name].identifier == "primary" and record[name] is not None:
            raise InputError(
                f"{named}: {name} has a value, which says whom the record is about, and stays; nothing was changed. If it is "
                "wrong, erase the record and take it in anew: both persons are told"
            )
    lacking = frozenset(types.lacking(holding, made))
    for name in values:
        if made[name] is None and name in lacking:
            raise InputError(f"{named}: {name} may not be empty there; nothing was changed. Give it a value")
        beside = [one for one, needing in holding.fields[name].needs.items() if made[name] in needing]
        if lacking.intersection(beside):
            raise InputError(
                f"{named}: what {name} is to say needs {' and '.join(beside)}; nothing was changed. Give that as well"
            )
    if lacking:
        raise InputError(f"{named}: it lacks what the catalog wants of it by now; nothing was changed. Mend that first")
    return made


def revise(room: Room, signed: SignedAsk, errand: Errand | SignedAsk | None, step: Step | None = None) -> Corrected:
    """Open the records of a correction whole and seal what its private half makes of them as their next versions. They
    expire when they would have, or sooner: nothing is kept longer for having been corrected. ``errand``: who has their
    identifiers indexed anew, or the intake ask signed for that; None where the holding has none. ``step``: of which job it is one.

    Raises ``Refused``, ``InputError`` for a record that is not here or would lack what it must have, ``StoreError`` when
    another writer was first; ``LedgerError`` and ``SealError`` as ``opening.opened``.
    """
    ask = signed.ask
    assert isinstance(ask, asks.CorrectAsk)
    granted = admit(room, signed)
    holding = room.rules().charter.holdings[ask.holding]
    change = _agreed(holding, signed, step)
    rows = opening.rows(room, ask.holding, ask.records)
    pieces = opening.pieces(rows, granted.grant.compartments)
    inners = sum(map(len, identifier_kinds(holding).values())) * len(rows)
    window = _window(room, ask.holding, errand, inners) if inners else None
    keep_private(room, signed)
    opened = opening.opened(room, signed, granted, entry.CorrectionEntry, pieces)
    changed, made = [], []
    for row in rows:
        record = change(row.handle, {name: opened.values[row.handle].get(name) for name in holding.fields})
        if record is not None:
            changed.append(row)
            made.append(record)
    columns = {name: [record[name] for record in made] for name in holding.fields}
    indexed = _store(room, ask.holding, holding, changed, columns, window, step)
    try:
        newest.tell(room, ask.holding)
        settled = True
    except (KeyholderUnavailable, Refused):
        settled = False
    new = {row.handle for row in changed}
    versions = tuple(row.version + (row.handle in new) for row in rows)
    return Corrected(tuple(ask.records), versions, opened.index, opened.receipt, indexed, settled)


def _window(room: Room, holding: str, errand: Errand | SignedAsk | None, inners: int) -> Window:
    if isinstance(errand, Errand):
        return open_window(room, holding, errand, inners)
    if errand is None or not isinstance(errand.ask, asks.IntakeAsk) or errand.ask.holding != holding:
        raise InputError(f"a correction in {holding} needs an intake ask of the same holding, for {inners} identifiers")
    # Too small a window would be found out when the records are open already.
    if errand.ask.count < inners:
        raise InputError(f"the intake ask is for {errand.ask.count} identifiers, and these records have {inners}")
    return admitted(room, errand)


def _store(
    room: Room,
    name: str,
    holding: Holding,
    rows: Sequence[Stored],
    columns: Mapping[str, Sequence[str | None]],
    window: Window | None,
    step: Step | None,
) -> tuple[int, ...]:
    """Index, seal and store the next versions in one transaction. The entries that say so."""
    if not rows:
        if step is not None:
            room.store.jobs.move(step.job, step.cursor())
        return ()
    keys, handles = room.keys.holding(name), [row.handle for row in rows]
    bound = identifiers.derive(keys, holding, columns).bind(keys, handles)
    tokens = [b""] * len(rows)
    indexed: tuple[int, ...] = ()
    if window is not None:
        found = index(room, window, bound.sent)
        tokens = [join_tokens(set(row)) for row in zip(*found.tokens.values(), strict=True)]
        indexed = tuple(found.entries)
    persons = {one.person for one in holding.compartments.values()}
    whos = {person: bound.whos(keys, person, handles) for person in persons}
    expiry = expiry_of(room.now() // _DAY, holding.retention)
    days: dict[int, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        days[min(row.expires, expiry)].append(at)
    sealer = Sealer(room, name, holding)
    made: list[RecordRow] = []
    batches: list[BatchRow] = []
    for expires, places in days.items():
        sealed = sealer.seal(
            Records(
                [handles[at] for at in places],
                [rows[at].version + 1 for at in places],
                {person: [column[at] for at in places] for person, column in whos.items()},
                [tokens[at] for at in places],
                {field: [column[at] for at in places] for field, column in columns.items()},
            ),
            expires,
        )
        made += sealed.rows
        batches.append(sealed.batch)
    of_job: dict[str, Any] = {} if step is None else {"job": step.job, "chunk": step.number, "cursor": step.cursor()}
    room.store.put_chunk(room.holding(name), made, batches, **of_job)
    return indexed
