"""Filling new fields from old ones in records that are there: many corrections, a page of records at a time (SPEC.md section 6.9).

Each record is opened once by a signed ask, tagged, and sealed as its next version; nobody is shown what it holds. How far it has come
is noted in the transaction that stores a page's versions. So a job that was stopped goes on with the next page, and no record is
migrated twice; a page that was opened and not stored is opened again, and the persons concerned see both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from strongroom.canonical import Codec, Number, Record, encode
from strongroom.catalog.migration import Migration, Rejected
from strongroom.catalog.types import identifier_kinds
from strongroom.custody import asking, correct
from strongroom.custody.asking import Mandate
from strongroom.custody.correct import Step
from strongroom.custody.intake.window import Errand
from strongroom.custody.keydays import KeyDays
from strongroom.custody.pace import Pace, of_corrections
from strongroom.custody.room import Room
from strongroom.errors import InputError, Refused, SealError, StoreError, naming
from strongroom.seal.label import label
from strongroom.seal.mac import mac

Progress = Callable[[int, int], None]
Sleep = Callable[[float], None]

_MIGRATION = label("migration")
_DETAIL = "a migration"
_DAY = 86400
_OF_A_RECORD = ("erased", "expired", "epoch", "batch", "version", "person")
"""Codes by which one record can be the reason that a page is refused."""


class _Cursor(Record):
    """``after``: the last handle gone through; ``page``: how many pages are; the rest counts records."""

    after: bytes
    bad: Number
    expired: Number
    migrated: Number
    page: Number
    same: Number


_cursor: Codec[_Cursor] = Codec(_Cursor, "a migration's cursor", StoreError)
_BEGIN = _Cursor(after=b"", bad=0, expired=0, migrated=0, page=0, same=0)


@dataclass(frozen=True)
class Migrated:
    """Of all runs of this migration: records ``migrated``, those that were so already (``same``), those that the map does not fit
    or that cannot be opened (``bad``, listed in ``bad_file``), those past their day (``expired``). ``left``: records still to go. ``resume_at``: budgets are
    spent until then (POSIX second), 0 where all is done. ``already``: it was complete before. ``seconds``: of a dry run, how long the
    rest takes at the least."""

    migrated: int
    same: int
    bad: int
    expired: int
    left: int
    resume_at: int = 0
    already: bool = False
    bad_file: Path | None = None
    entries: tuple[int, ...] = ()
    seconds: int = 0


@dataclass(frozen=True)
class Work:
    """``intake``: the purpose under which identifiers are indexed anew, where it is another one. ``bad``: where records are listed that
    were left as they are. ``again``: go through all once more, though it was complete."""

    room: Room
    mandate: Mandate
    map: Migration
    bad: Path
    intake: str = ""
    again: bool = False


def look(work: Work) -> Migrated:
    """How much there is to do. Nothing is opened and nobody asked, so which records will differ is not known."""
    run = _Run(work)
    left = 0 if run.already else run.left()
    return replace(run.report(left), already=run.already, seconds=run.pace.least_seconds(left))


def migrate(work: Work, progress: Progress = lambda *_: None, wait: Sleep | None = None) -> Migrated:
    """Go through all records, on from where an earlier run stopped. Where budgets are spent: end, and say when to go on; or with
    ``wait`` (which sleeps so many seconds) do so then.

    Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError``, ``StoreError`` (another writer was first: run it again); the pages
    before are done.
    """
    run = _Run(work)
    run.begin()
    if run.already:
        return replace(run.report(0), already=True)
    total, done, limit = run.left(), 0, run.size
    while handles := run.next(limit):
        progress(done, total)
        if (seconds := run.pace.wait(len(handles), run.now())) > 0:
            if wait is None:
                return replace(run.report(total - done), resume_at=run.now() + seconds)
            wait(seconds)
            continue
        try:
            run.page(handles)
        except (Refused, SealError) as error:
            if isinstance(error, Refused) and error.code == "budget":
                # Others draw on the same budgets, or an earlier run did.
                run.pace.refused(run.now())
                continue
            if isinstance(error, Refused) and error.code not in _OF_A_RECORD:
                raise
            if len(handles) > 1:
                limit = len(handles) // 2  # one of them is the reason: closer to it
                continue
            run.leave(handles[0], error)
        done += len(handles)
        limit = min(2 * limit, run.size)
    progress(done, total)
    run.room.store.jobs.finish(run.job)
    return run.report(0)


class _Run:
    """One run, and where it is."""

    def __init__(self, work: Work) -> None:
        self.room, self._mandate, self._work = work.room, work.mandate, work
        charter = self.room.rules().charter
        declared = charter.holdings[work.mandate.holding]
        identifiers = sum(map(len, identifier_kinds(declared).values()))
        self._readable()
        self._intake = work.intake or work.mandate.purpose
        self.pace: Pace = of_corrections(charter, work.mandate.holding, work.mandate.purpose, self._intake, identifiers)
        if not self.pace.most:
            raise InputError("a budget of the charter never allows even one record; have the next charter raise it")
        self.size = min(asking.most(declared, None), asking.AT_ONCE, self.pace.most)
        self._number = self.room.holding(work.mandate.holding)
        self._days, self._bad, self._entries = KeyDays(self.room), _BadFile(work.bad), list[int]()
        self.job = self._name()
        self.already = self._done(self.job)
        self._at = self._cursor()

    def _readable(self) -> None:
        """Whoever reads the new field reads the old one in it. Raises ``InputError``."""
        m = self._mandate
        purpose = self.room.rules().charter.purposes.get(m.purpose)
        # A purpose that is none, or not for this, is for the gate to refuse, and for the ledger to show.
        if purpose is None or "correct" not in purpose.actions or m.holding not in purpose.reads:
            return
        if unread := self._work.map.unread(purpose.reads[m.holding]):
            raise InputError(
                f"{m.purpose} does not read clear what the map fills fields from: {', '.join(unread)}. Name a purpose that does, "
                "or have the next charter add it to its reads"
            )

    def _name(self) -> bytes:
        """Of the last run of this migration; of the next, where it is to be done again."""
        key, turn = self.room.keys.holding(self._mandate.holding).key, 0
        while True:
            told = {"holding": self._mandate.holding, "map": self._work.map.document(), "turn": turn}
            job = mac(key, _MIGRATION + encode(told))[:16]
            if not (self._work.again and self._done(job)):
                return job
            turn += 1

    def _done(self, job: bytes) -> bool:
        return job in self.room.store.jobs.all() and self.room.store.jobs.get(job).done

    def _cursor(self) -> _Cursor:
        known = self.job in self.room.store.jobs.all()
        text = self.room.store.jobs.get(self.job).cursor if known else ""
        return _cursor.parse(text.encode()) if text else _BEGIN

    def begin(self) -> None:
        self.room.store.jobs.start(self.job, self._number, _DETAIL)

    def now(self) -> int:
        return self.room.now()

    def next(self, limit: int) -> list[bytes]:
        return self.room.store.handles(self._number, self._at.after, limit)

    def left(self) -> int:
        """Records still to go through."""
        found, after = 0, self._at.after
        while page := self.room.store.handles(self._number, after, 10_000):
            found, after = found + len(page), page[-1]
        return found

    def page(self, handles: Sequence[bytes]) -> None:
        """Migrate these, which are the next ones. Raises as ``correct.revise``."""
        living, expired, lost = self._living(handles)
        after = msgspec.structs.replace(
            self._at, after=handles[-1], page=self._at.page + 1, expired=self._at.expired + expired
        )
        found = dict.fromkeys(("migrated", "same"), 0)
        lines = [(handle, "", "its key is destroyed: nobody can open it") for handle in lost]

        def outcome(handle: bytes, how: bool | Rejected) -> None:
            if isinstance(how, Rejected):
                lines.append((handle, how.field, how.reason))
            else:
                found["migrated" if how else "same"] += 1

        def cursor() -> str:
            # The list is on the disk before the page counts as done.
            self._bad.add(lines)
            counts = {name: getattr(self._at, name) + number for name, number in found.items()}
            return encode(msgspec.structs.replace(after, bad=self._at.bad + len(lines), **counts)).decode()

        if living:
            m = self._mandate
            # A charter may have come into force meanwhile, under which asks are signed from now on.
            asker = asking.asker(self.room, m.asker.device)
            self._readable()
            ask = asker.migrate(m.holding, m.purpose, living, self._work.map, m.case, m.reason, self.now())
            errand = Errand(asker, self._intake, m.case, m.reason, m.seconds)
            done = correct.revise(self.room, m.signed(ask), errand, Step(self.job, self._at.page, outcome, cursor))
            self.pace.spend(len(living), self.now())
            self._entries.append(done.index)
        else:
            self.room.store.jobs.move(self.job, cursor())
        self._at = self._cursor()

    def _living(self, handles: Sequence[bytes]) -> tuple[list[bytes], int, list[bytes]]:
        """Those that can be opened, how many have expired, and those whose key was destroyed before their day."""
        today, days = self.now() // _DAY, self._days.of(self._mandate.holding)
        rows = self.room.store.latest(self._number, handles)
        living = [row for row in rows if row.expires > today]
        lost = [row.handle for row in living if row.epoch in days.destroyed]
        gone = frozenset(lost)
        return [row.handle for row in living if row.handle not in gone], len(rows) - len(living), lost

    def leave(self, handle: bytes, why: Exception) -> None:
        """Go on without a record that cannot be opened."""
        self._bad.add([(handle, "", str(why))])
        after = msgspec.structs.replace(self._at, after=handle, page=self._at.page + 1, bad=self._at.bad + 1)
        self.room.store.jobs.move(self.job, encode(after).decode())
        self._at = after

    def report(self, left: int) -> Migrated:
        at = self._at
        return Migrated(
            migrated=at.migrated,
            same=at.same,
            bad=at.bad,
            expired=at.expired,
            left=left,
            bad_file=self._work.bad if at.bad else None,
            entries=tuple(self._entries),
        )


class _BadFile:
    """Records that were left as they are: handle, field, reason; never a value. A page that is done again lists them once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, lines: Sequence[tuple[bytes, str, str]]) -> None:
        if not lines:
            return
        text = self._path.read_text() if self._path.exists() else ""
        known = set(text.splitlines())
        fresh = [f"{handle.hex()},{field},{_quoted(reason)}" for handle, field, reason in lines]
        number = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with naming(self._path), os.fdopen(number, "a") as file:
            # Cut short by a crash, the last line is written once more on a line of its own.
            file.write("\n" if text and not text.endswith("\n") else "")
            file.writelines(f"{line}\n" for line in fresh if line not in known)
            file.flush()
            os.fsync(file.fileno())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(one in text for one in ',"\n') else text
