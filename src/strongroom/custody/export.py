"""Taking records out into a file: in batches, each with an entry and a receipt of its own (SPEC.md sections 7.2 and 8.5).

Killed anywhere, it goes on: a batch is noted as done after it is on the disk. What was given and not yet written is asked
for again, and the persons concerned are told again: nobody knows what became of the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from strongroom.canonical import Bytes16, Codec, Number, Record, encode
from strongroom.client.device import SignedAsk
from strongroom.custody import asking, opening, read
from strongroom.custody.admit import Admitted, admit, keep_private
from strongroom.custody.asking import Mandate
from strongroom.custody.keydays import KeyDays
from strongroom.custody.outfile import Form, Outfile
from strongroom.custody.room import Room
from strongroom.errors import InputError, StoreError
from strongroom.ledger import entry

AT_ONCE = 500
# What is exported is said in the file alone: a digest of the handles, kept in the vault, would tell whoever has the handles.
_DETAIL = "export"
_PAST_ALL = b"\xff" * 16
_SECONDS, _MARGIN = 3600, 300
_DAY = 86400
_PAGE = 1000


class _Cursor(Record):
    """How far an export is: the last record written, the file's size then, how many are in it."""

    after: Bytes16
    size: Number
    written: Number


_cursor: Codec[_Cursor] = Codec(_Cursor, "an export's cursor", StoreError)


@dataclass(frozen=True)
class Wanted:
    """``records``: handles, or None for all of the holding; ``count``: at most so many of these, None for each of them."""

    path: Path
    form: Form
    fields: tuple[str, ...]
    records: tuple[bytes, ...] | None
    count: int | None


@dataclass(frozen=True)
class Exported:
    """``entries``: indexes of all batches that were given, in order; ``expired``: records left out since their day has
    come; ``before``: records that an earlier run had written."""

    records: int
    entries: tuple[int, ...]
    expired: int
    before: int


def export(
    room: Room, mandate: Mandate, wanted: Wanted, progress: Callable[[int, int], None] = lambda *_: None
) -> Exported:
    """Write the newest versions of the records to the file, by handle, masked as the purpose says.

    Raises ``Refused`` (more records than the purpose may export: before anything opens), ``InputError``,
    ``KeyholderUnavailable``, ``LedgerError``, ``SealError``, ``OSError``: then the file has what was written up to there,
    and the same call goes on.
    """
    found, expired, missing = targets(room, mandate.holding, mandate.purpose, wanted.records, wanted.count)
    fields = sorted(set(wanted.fields))
    digest = None if wanted.records is None else hashlib.sha256(b"".join(sorted(set(wanted.records)))).hexdigest()
    head = {
        "count": wanted.count,
        "export": room.random(16).hex(),
        "fields": fields,
        "form": wanted.form,
        "holding": mandate.holding,
        "purpose": mandate.purpose,
        "records": digest,
    }
    with closing(Outfile(wanted.path, wanted.form, fields, head)) as out:
        job = bytes.fromhex(out.head["export"])
        number = room.holding(mandate.holding)
        known = job in room.store.jobs.all()
        at = room.store.jobs.get(job) if known else None
        cursor = _cursor.parse(at.cursor.encode()) if at and at.cursor else None
        before = cursor.written if cursor else 0
        if at and at.done:
            return _exported(out, before, expired, before)
        if missing and not before:
            # Later it was erased since the export began, which then goes on without it.
            raise InputError(f"not in {mandate.holding}: {missing} of the records named")
        out.resume(cursor.size if cursor else 0)
        left = [handle for handle in found if cursor is None or handle > cursor.after]
        if wanted.count is not None:
            left = left[: wanted.count - before]
        written, total = before, before + len(left)
        window = _Window(room, mandate, fields)
        for part in parts(room, mandate.holding, fields, left):
            progress(written, total)
            signed, admitted = window.get(total - written)
            rows = opening.rows(room, mandate.holding, part)
            pieces = opening.pieces(rows, admitted.grant.compartments)
            opened = opening.opened(room, signed, admitted, entry.ExportEntry, pieces)
            out.add_receipt(opened.index, len(part), opened.receipt, room.mirror.entry(opened.index))
            declared = room.rules().charter.holdings[mandate.holding]
            values = read.shown(declared, admitted.grant, [opened.values[one] for one in part])
            size = out.write(zip(part, values, strict=True))
            written += len(part)
            if not known:
                room.store.jobs.start(job, number, _DETAIL)
                known = True
            moved = encode(_Cursor(after=part[-1], size=size, written=written)).decode()
            room.store.jobs.move(job, moved, len(part))
        if not known:
            raise InputError(
                f"{mandate.holding} has no record to export{f'; {expired} have expired' if expired else ''}"
            )
        progress(written, total)
        _forget(room, job)
        room.store.jobs.finish(job)
        return _exported(out, written, expired, before)


def _forget(room: Room, job: bytes) -> None:
    """Which record was the last one is needed no more."""
    kept = room.store.jobs.get(job).cursor
    if not kept:
        return  # broken off before the first mark, and since then all that was left has been erased
    last = _cursor.parse(kept.encode())
    room.store.jobs.move(job, encode(_Cursor(after=_PAST_ALL, size=last.size, written=last.written)).decode())


def _exported(out: Outfile, written: int, expired: int, before: int) -> Exported:
    return Exported(written, tuple(out.entries()), expired, before)


def targets(
    room: Room, holding: str, name: str, records: Sequence[bytes] | None, count: int | None
) -> tuple[list[bytes], int, int]:
    """The records to export for the purpose ``name``, by handle; how many have expired, and how many of those named are
    not here. Of a holding that has more than the purpose may export, one more than that: its ask is refused."""
    number, purpose = room.holding(holding), room.rules().charter.purposes.get(name)
    most, held = (purpose.most if purpose else 0) + 1, False
    if purpose and purpose.held:
        # What has expired is given only while a legal hold stands, and one refusal would end the whole ask.
        held = KeyDays(room).of(holding).held_until(room.now()) is not None
    limit, handles = min(most, count or most), _all(room, number)
    if records is not None:
        limit, handles = len(records), iter(sorted(set(records)))
    today = room.now() // _DAY
    found: list[bytes] = []
    expired = missing = 0
    while len(found) < limit and (handle := next(handles, None)) is not None:
        row = next(iter(room.store.latest(number, [handle])), None)
        if row is None:
            missing += 1
        elif row.expires <= today and not held:
            expired += 1
        else:
            found.append(handle)
    return found, expired, missing


def _all(room: Room, number: int) -> Iterator[bytes]:
    after = b""
    while page := room.store.handles(number, after, _PAGE):
        yield from page
        after = page[-1]


def parts(room: Room, holding: str, fields: Sequence[str], handles: Sequence[bytes]) -> Iterator[list[bytes]]:
    """``handles`` in the batches they are given in."""
    declared = room.rules().charter.holdings[holding]
    size = min(AT_ONCE, asking.most(declared, fields))
    yield from (list(handles[start : start + size]) for start in range(0, len(handles), size))


class _Window:
    """The signed ask under which batches are taken; another one when it nears its end."""

    def __init__(self, room: Room, mandate: Mandate, fields: Sequence[str]) -> None:
        self._room, self._mandate, self._fields = room, mandate, fields
        self._open: tuple[SignedAsk, Admitted] | None = None
        self._until = 0

    def get(self, count: int) -> tuple[SignedAsk, Admitted]:
        """For ``count`` more records. Raises ``Refused``."""
        room, m = self._room, self._mandate
        if self._open is None or room.now() > self._until - _MARGIN:
            now = room.now()
            self._until = now + _SECONDS
            signed = m.signed(
                m.asker.export(m.holding, m.purpose, self._fields, count, self._until, m.case, m.reason, now)
            )
            admitted = admit(room, signed)
            keep_private(room, signed)
            self._open = signed, admitted
        return self._open
