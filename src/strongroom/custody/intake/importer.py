"""Taking records in from a source: the whole import, from its first pass to its report (DESIGN sections 4 and 6).

An import has a name by which it is found again: the keyholder's token of the content's hash. So the same command goes
on where it stopped, and nobody who steals the vault can try a guessed file against the name.

Nothing here says of a row whether its person was known: a report counts rows taken and rows not taken, alike with and
without an upsert. Otherwise whoever may take records in could try out who is here.
"""

from __future__ import annotations

import fcntl
import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from strongroom.canonical import encode
from strongroom.catalog.model import Holding
from strongroom.catalog.types import identifier_kinds
from strongroom.custody import newest
from strongroom.custody.intake import rows
from strongroom.custody.intake import source as sources
from strongroom.custody.intake.badrows import SideFile
from strongroom.custody.intake.chunk import Taker
from strongroom.custody.intake.crew import Alone, Crew, Processes
from strongroom.custody.intake.feed import Eraser, Feed
from strongroom.custody.intake.made import Done, Errands
from strongroom.custody.intake.matching import mixed, placed
from strongroom.custody.intake.report import Progress, Report, Watch
from strongroom.custody.intake.source import Records, Source
from strongroom.custody.intake.values import Layout
from strongroom.custody.intake.window import Errand, Window, Windows
from strongroom.custody.room import Room
from strongroom.errors import InputError
from strongroom.seal.label import label
from strongroom.seal.mac import mac

__all__ = ["Feed", "Progress", "Report", "Source", "Watch", "check_file", "import_file"]

_IMPORT = label("import")
_DETAIL = encode({"rows": rows.MAX_ROWS, "v": 1}).decode()
_FEW_BYTES = 4 << 20  # less than that is done before a second process has started


def check_file(
    room: Room,
    source: Source,
    holding: str,
    *,
    upsert: str = "",
    op: str = "",
    bad_rows: Path | None = None,
    progress: Watch = lambda _: None,
) -> Report:
    """Go through a source as ``import_file`` would, and store nothing. No keyholder is needed.

    Raises ``InputError``, ``CatalogError`` when the source cannot be taken in at all.
    """
    taken = bad = 0
    odd: Counter[tuple[str, str]] = Counter()
    with _run(room, source, holding, upsert, op, progress) as run, _side_file(run.records, bad_rows) as side:
        for done in run.go(Alone(Taker(room, run.errands(b""))), set(), lambda _: None):
            side.add(done.errors)
            taken, bad = taken + done.taken, bad + done.bad
            odd += done.odd
        return replace(run.report(taken, bad, side.finish()), odd=dict(odd))


def import_file(
    room: Room,
    source: Source,
    holding: str,
    errand: Errand,
    *,
    upsert: str = "",
    feed: Feed | None = None,
    verify: bool = False,
    ready: Callable[[Records], None] = lambda _: None,
    bad_rows: Path | None = None,
    workers: int = 2,
    again: bool = False,
    progress: Watch = lambda _: None,
) -> Report:
    """Take the records of a file or a table into a holding; go on with it, where an earlier run stopped.

    The same content read in the same way is the same import; rows that were mended belong into a file of their own.
    ``upsert`` names an identifier field: a row whose value there one record has, about the same persons, becomes that
    record's next version, whole, so that a field which no column fills is empty in it; its purpose must tell them
    (docs/decisions/0006-imports-tell-nothing.md).
    ``feed``: the rows of an upsert are a change feed, in order; what it deletes is erased, after its chunk's records are
    stored. ``verify``: each chunk is read back and opened before its secret is forgotten, which takes twice as long.
    ``ready`` is shown the records before any is taken, and may refuse them.
    ``again``: take the same in once more, though it was complete. ``workers``: processes, for a source worth it; an
    upsert has one, so that of two rows with one identifier the later one stays. Each opens the vault for itself and
    goes to the keyholder over HTTP: a room with another transport wants 1.

    Raises ``Refused`` by gate or keyholder, ``KeyholderUnavailable``, ``StoreError``, ``InputError``, ``CatalogError``,
    ``KeyboardInterrupt``: rows of finished chunks are stored, bad ones listed, and the same call goes on.
    """
    if upsert or feed:
        _telling(room, errand.purpose)
    with (
        _run(room, source, holding, upsert, feed.column if feed else "", progress) as run,
        _only_import(room),
        _side_file(run.records, bad_rows) as side,
    ):
        ready(run.records)
        jobs, number = room.store.jobs, room.holding(holding)
        eraser = Eraser(room, holding, feed.erase) if feed else None
        windows = Windows(room, holding, errand, run.most())
        job, entries = run.name(windows, again=again)
        jobs.start(job, number, _DETAIL)
        newest.tell(room, holding)  # what an earlier run, or a correction, did not come to tell
        before, finished = jobs.get(job), jobs.chunks(job)
        if before.done:
            verified = not before.unverified
            return run.report(before.rows, before.bad, None, job, entries, already=True, verified=verified)
        try:
            crew = run.crew(run.errands(job, verify=verify), workers, eraser)
            with closing(run.go(crew, finished, windows.get)) as outcomes:
                entries += [entry for done in outcomes for entry in done.entries]
        finally:
            # Interrupted or not: the bad rows so far are for the user to mend meanwhile.
            side.add(jobs.errors(job))
            written = side.finish()
        # The side file is on disk, so the vault may forget. Killed in between, the next run writes it again, and ends.
        jobs.finish(job)
        room.store.tidy()
        after = jobs.get(job)
        verified = not after.unverified
        return run.report(after.rows, after.bad, written, job, entries, resumed=bool(finished), verified=verified)


@dataclass
class _Run:
    """One run over one source."""

    room: Room
    records: Records
    layout: Layout
    holding: str
    progress: Watch
    began: float = field(default_factory=time.monotonic)

    def errands(self, job: bytes, *, verify: bool = False) -> Errands:
        return Errands(self.holding, self.layout, job, verify)

    def crew(self, errands: Errands, workers: int, eraser: Eraser | None) -> Crew:
        if workers <= 1 or self.layout.key or self.records.size < _FEW_BYTES:
            return Alone(Taker(self.room, errands, eraser))
        return Processes(workers, self.room.directory, errands, self.records.rows)

    def go(self, crew: Crew, finished: set[int], window: Callable[[int], Window | None]) -> Generator[Done, None, None]:
        """Hand every chunk that is not finished to ``crew``, and report on the way."""
        gone_through = bad = 0
        identifiers, size = self._identifiers(), self.records.size
        with closing(self.records.chunks()) as chunks, crew:

            def outcomes() -> Iterator[Done]:
                for chunk in chunks:
                    if chunk.number not in finished:
                        yield from crew.hand_in(chunk, window(identifiers * len(chunk.records)))
                yield from crew.rest()

            for done in outcomes():
                gone_through, bad = gone_through + done.taken + done.bad, bad + done.bad
                self.progress(Progress(gone_through, bad, done.end, size, time.monotonic() - self.began))
                yield done

    def most(self) -> int:
        """At most so many identifiers does the source hold."""
        return self.records.rows * self._identifiers()

    def _identifiers(self) -> int:
        """Of a row. To be matched, it has some indexed twice: as the record of its own that it may be, and as the one there."""
        twice = len(placed(self.layout.holding)) if self.layout.key else 0
        return sum(map(len, identifier_kinds(self.layout.holding).values())) + twice

    def name(self, windows: Windows, *, again: bool) -> tuple[bytes, list[int]]:
        """The import's name, 16 bytes, and the entries that it cost."""
        keys, jobs = self.room.keys.holding(self.holding), self.room.store.jobs
        parts = {name: [*part.columns, part.between, part.constant] for name, part in self.layout.map.parts.items()}
        entries: list[int] = []
        while True:
            told = {
                "columns": parts,
                "content": self.records.digest,
                "delimiter": self.layout.delimiter,
                "encoding": self.layout.encoding,
                "format": self.records.format,
                "holding": self.layout.holding,
                "key": self.layout.key,
                "op": self.layout.op,
                "turn": len(entries),
            }
            job, entry = windows.name(mac(keys.key, _IMPORT + encode(told)))
            entries.append(entry)
            if not again or job not in jobs.all() or not jobs.get(job).done:
                return job, entries

    def report(
        self,
        stored: int,
        bad: int,
        bad_rows: Path | None,
        job: bytes = b"",
        entries: Sequence[int] = (),
        *,
        resumed: bool = False,
        already: bool = False,
        verified: bool = False,
    ) -> Report:
        return Report(
            stored + bad,
            stored,
            bad,
            bad_rows,
            job.hex(),
            tuple(entries),
            resumed,
            already,
            time.monotonic() - self.began,
            self.records.encoding,
            self.records.format,
            self.records.order,
            self.records.mark,
            verified=verified,
        )


@contextmanager
def _run(room: Room, source: Source, holding: str, upsert: str, op: str, progress: Watch) -> Iterator[_Run]:
    declared = _declared(room, holding, upsert)
    if both := mixed(declared) if upsert else ():
        raise InputError(
            f"{' and '.join(both)} of {holding} are of one kind, and not all say whom a record is about: no row is matched "
            "to a record there. Take in new records without --upsert, and correct those that are there"
        )
    if op and not upsert:
        raise InputError("the rows of a change feed are matched by an identifier. Name it with --upsert")
    source = replace(source, op=op)
    with sources.records(source, declared) as records:
        if upsert and upsert not in records.map.parts:
            raise InputError(f"rows are matched by {upsert}, but no column fills it")
        layout = Layout(declared, records.map, records.columns, records.delimiter, records.encoding, upsert, op)
        yield _Run(room, records, layout, holding, progress)


def _declared(room: Room, holding: str, upsert: str) -> Holding:
    holdings = room.rules().charter.holdings
    if holding not in holdings:
        raise InputError(f"the charter has no holding {holding}; it has: {', '.join(sorted(holdings))}")
    identifiers = [name for name, one in holdings[holding].fields.items() if one.identifier != "none"]
    if upsert and upsert not in identifiers:
        raise InputError(f"rows are matched by an identifier; {holding} has: {', '.join(identifiers) or 'none'}")
    return holdings[holding]


def _telling(room: Room, name: str) -> None:
    """Whoever's record gets another version is told: no record is emptied unseen. By the purpose alone, so that a refusal
    says nothing of who is here."""
    purpose = room.rules().charter.purposes.get(name)
    # What the charter does not have is for the gate to refuse, and for the ledger to show.
    if purpose is not None and not purpose.tells:
        raise InputError(
            f"{name} does not tell the persons concerned, so it takes in new records alone. Name a purpose of intake with "
            "tells: true, or leave --upsert out"
        )


def _side_file(records: Records, given: Path | None) -> SideFile:
    name = records.mark.path.name if records.mark else re.sub(r"[^\w-]+", ".", records.title).strip(".")
    path = given or Path(f"{name}.bad.csv")
    if records.mark and path.resolve() == records.mark.path.resolve():
        raise InputError(f"{path}: the list of bad rows would take the place of the file itself")
    return SideFile(path)


@contextmanager
def _only_import(room: Room) -> Iterator[None]:
    """One import at a time: of two that match rows to records, neither would see what the other does."""
    with (room.directory / "import.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError("another import into this vault is under way. Wait for it to end") from None
        yield
