"""The vault's store in SQLite: sealed records, blind tokens, the ledger's mirror, jobs (SPEC.md sections 3 to 5).

Nothing in it is readable without the keyholder. It says nothing of the order in which records came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Self

from strongroom.errors import StoreError
from strongroom.store import levels, problems, removal
from strongroom.store.database import Database, script, statements
from strongroom.store.jobs import Jobs
from strongroom.store.mirror import Mirror
from strongroom.store.notes import Notes
from strongroom.store.rows import BatchRow, HoldingRow, RecordRow, RowError, Stored, placed_tokens, split_tokens

__all__ = ["VaultStore"]

_SQL = statements("vault.sql")
_APPLICATION = 0x53525661  # "SRVa"
_VERSION = 2
_PAGE = 500
_BATCH_ORDER = attrgetter("batch", "handle")


class VaultStore:
    """One open ``vault.db``. ``holding`` below is the number that ``add_holding`` gives.

    Several processes may hold the same file open, each with an object of its own; an object belongs to the thread that
    made it. Every method that writes has written to disk when it returns, or has changed nothing and raised StoreError.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open; with ``create``, make it first where it is missing (mode 0600). StoreError with the mend."""
        self._db = Database(Path(path), _APPLICATION, _VERSION, script("vault_schema.sql"), create=create)
        self.mirror = Mirror(self._db)
        self.jobs = Jobs(self._db)
        self.notes = Notes(self._db)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Holdings and their epoch keys

    def add_holding(self, id: bytes, name: str) -> int:
        """The number of a holding, new or known. StoreError when id (16 bytes) or name belongs to another."""
        with self._db.transaction():
            self._db.run(_SQL["add_holding"], (id, name))
            found = self._db.one(_SQL["holding_number"], (id, name))
            if found is None:
                raise StoreError(f"holding {name}: its name or id is already that of another. Was the room changed?")
        return int(found[0])

    def holdings(self) -> list[HoldingRow]:
        """All holdings with their counts, which cost nothing to read."""
        return [HoldingRow(*values) for values in self._db.all(_SQL["holdings"])]

    def put_epoch(self, holding: int, epoch: int, public: bytes, signature: bytes) -> None:
        """Keep an epoch's public key (1216 bytes) and the keyholder's signature (64). The first one stays.

        StoreError when another key is known for it: a keyholder that gives two has lost its state.
        """
        with self._db.transaction():
            self._db.run(_SQL["put_epoch"], (holding, epoch, public, signature))
            known = self.epoch(holding, epoch)
            if known is None or known[0] != public:
                raise StoreError("epoch: another public key is known for it. Ask the keyholder's operator why")

    def renew_epoch(self, holding: int, epoch: int, public: bytes, signature: bytes) -> None:
        """Put another key in the place of the one that is known: its keyholder was recovered, and has lost it."""
        with self._db.transaction():
            self._db.run(_SQL["renew_epoch"], (holding, epoch, public, signature))

    def epoch(self, holding: int, epoch: int) -> tuple[bytes, bytes] | None:
        """(public, signature), if known."""
        found = self._db.one(_SQL["epoch"], (holding, epoch))
        return (found[0], found[1]) if found else None

    def epochs(self, holding: int) -> list[int]:
        """The epochs (days) whose public key is known, ascending."""
        return [epoch for (epoch,) in self._db.all(_SQL["epochs"], (holding,))]

    # Batches and records

    def batches(self) -> Iterator[BatchRow]:
        """Every batch, by id, streamed."""
        after = b""
        while page := self._db.all(_SQL["batches"], (after, _PAGE)):
            yield from (BatchRow(*values) for values in page)
            after = page[-1][0]

    def count_batches(self) -> int:
        return self._db.number(_SQL["count_batches"])

    def together(self) -> AbstractContextManager[None]:
        """What is stored within is stored in one transaction: a page that several chunks touch is written once, and there is
        one wait for the disk. All of it or nothing."""
        return self._db.together()

    def put_chunk(
        self,
        holding: int,
        rows: Sequence[RecordRow],
        batches: Sequence[BatchRow] = (),
        *,
        job: bytes | None = None,
        chunk: int = 0,
        errors: Iterable[RowError] = (),
        besides: int = 0,
        cursor: str | None = None,
    ) -> None:
        """Store records with their batches and tokens, the bad rows, and the mark that chunk ``chunk`` of ``job`` is done
        (``besides``: it took so many rows more, which are no records; ``cursor``: how far the job has come), all or nothing.

        A row of version 1 is a new record. A later version is one more than the stored one, its tokens take the place of
        that one's, and it is ``unsettled``. StoreError when a version is there already or not the next, when a row's
        batch is not among ``batches`` or one of these has no row, or when the chunk or the whole job is done: then
        nothing has changed.
        """
        # In the order of each table, so that a page is touched once. Rows of one batch come in that order already.
        fresh = sorted((row for row in rows if row.version == 1), key=_BATCH_ORDER)
        later = sorted(row for row in rows if row.version != 1)
        handles = sorted([row.handle + row.batch for row in fresh])
        tokens = sorted(placed_tokens(fresh))
        if {row.batch for row in rows} != {row.batch for row in batches} or any(row[1] != holding for row in batches):
            raise StoreError("record: want the batches of these records, of this holding, and no others beside them")
        with self._db.transaction():
            self._db.run_many(_SQL["put_batch"], batches)
            if job is not None:
                if not self._db.run(_SQL["put_chunk"], (job, chunk, len(rows) + besides, not rows)):
                    raise StoreError("job: there is none of this name that still takes rows")
                if cursor is not None:
                    self._db.run(_SQL["move_job"], (job, cursor, 0))
                self._db.run_many(_SQL["put_error"], ((job, *error) for error in errors))
            # As bare tuples: of a named one SQLite's module fetches each value through the sequence protocol (0.7 us a row).
            self._db.run_many(_SQL["put_record"], map(tuple, fresh))
            stored = self._db.number(_SQL["stored"], (holding,))
            level = levels.level_of(stored, len(fresh))
            self._put_column("put_handles", holding, handles, level)
            self._put_column("put_tokens", holding, tokens, level)
            for row in later:
                self._replace(holding, row)
            self._db.run(_SQL["count_records"], (holding, len(fresh), len(rows)))
            if fresh:
                # A batch's id is random, and so the slice another one each time.
                levels.gather(self._db, holding, stored, len(fresh), int.from_bytes(fresh[0].batch))

    def _put_column(self, statement: str, holding: int, values: list[bytes], level: int) -> None:
        if {*map(len, values)} - {32}:
            raise StoreError("record: want a handle and a batch of 16 bytes")
        if values:
            self._db.run(_SQL[statement], (holding, b"".join(values), level))

    def _replace(self, holding: int, row: RecordRow) -> None:
        found = self._db.one(_SQL["last_tokens"], (holding, row.handle))
        if found is None or found[0] != row.version - 1 or found[1] is None:
            raise StoreError("record: its new version is not the next one. Another writer was first; read it again")
        before, after = set(split_tokens(found[1])), set(split_tokens(row.tokens))
        self._db.run(_SQL["put_record"], row)
        self._db.run(_SQL["put_handle"], (holding, *row[:3]))
        self._db.run(_SQL["put_unsettled"], (holding, *row[:2]))
        self._db.run_many(_SQL["drop_token"], ((holding, token, row.handle) for token in sorted(before - after)))
        self._db.run_many(_SQL["put_token"], ((holding, token, row.handle) for token in sorted(after - before)))

    def handles_of_token(self, holding: int, token: bytes) -> list[bytes]:
        """The records whose latest version has this token (16 bytes), by handle."""
        return [handle for (handle,) in self._db.all(_SQL["handles_of_token"], (holding, token))]

    def handles_of_tokens(self, holding: int, tokens: Iterable[bytes]) -> dict[bytes, list[bytes]]:
        """``handles_of_token`` of many; a token that no record has is left out."""
        found = {token: self.handles_of_token(holding, token) for token in tokens}
        return {token: handles for token, handles in found.items() if handles}

    def latest(self, holding: int, handles: Iterable[bytes]) -> list[Stored]:
        """The latest version of each record, in the order of ``handles``; one that has none here is left out."""
        return self._stored("latest", holding, handles)

    def at_version(self, holding: int, handles: Iterable[bytes], version: int) -> list[Stored]:
        """That version of each record, latest or not, in the order of ``handles``; one that is not here is left out."""
        return self._stored("at_version", holding, handles, version)

    def _stored(self, name: str, holding: int, handles: Iterable[bytes], *more: int) -> list[Stored]:
        named = list(handles)
        if any(len(handle) != 16 for handle in named):
            raise StoreError("handle: want 16 bytes")  # joined, a shorter one would shift the others
        found = {row[0]: Stored(*row) for row in self._db.all(_SQL[name], (holding, b"".join(named), *more))}
        return [found[handle] for handle in named if handle in found]

    def latest_versions(self, holding: int, handles: Iterable[bytes]) -> dict[bytes, int]:
        """The number of the latest version of each record; one that has none here is left out."""
        found = ((handle, self._db.one(_SQL["last_tokens"], (holding, handle))) for handle in handles)
        return {handle: last[0] for handle, last in found if last is not None and last[1] is not None}

    def handles(self, holding: int, after: bytes, limit: int) -> list[bytes]:
        """The records past ``after`` that have a latest version, in order: for jobs that go through all of them."""
        return [handle for (handle,) in self._db.all(_SQL["page_of_handles"], (holding, after, limit))]

    def records(self, holding: int) -> Iterator[Stored]:
        """Every version of every record by handle and version, streamed: memory stays flat and writers go on."""
        after: tuple[bytes, int] = (b"", 0)
        while page := self._db.all(_SQL["page_of_records"], (holding, *after, _PAGE)):
            yield from (Stored(*values) for values in page)
            after = page[-1][:2]

    # Later versions, of which the keyholder is to be told

    def unsettled(self, holding: int, limit: int) -> list[tuple[bytes, int]]:
        """(handle, version) of which the keyholder has not been told, the first ones."""
        return [(handle, version) for handle, version in self._db.all(_SQL["unsettled"], (holding, limit))]

    def settle(self, holding: int, pairs: Iterable[tuple[bytes, int]]) -> None:
        """The keyholder has been told of these."""
        with self._db.transaction():
            self._db.run_many(_SQL["drop_unsettled"], ((holding, *pair) for pair in pairs))

    def unsettle(self, holding: int) -> None:
        """All of them are to be told again, each record's newest: the keyholder has lost what it knew (SPEC.md 8.10)."""
        with self._db.transaction():
            self._db.run(_SQL["unsettle"], (holding,))

    # Resealing, erasing, expiring (SPEC.md section 3.7; what stays of a record is said in ``store.removal``)

    def aging(self, holding: int, before: int, today: int) -> Iterator[BatchRow]:
        """Batches sealed to an epoch before ``before`` that have not expired on ``today`` (days), oldest epoch first,
        streamed: resealing them meanwhile is no harm."""
        after: tuple[int, int, bytes] = (0, 0, b"")
        while page := self._db.all(_SQL["aging"], (holding, before, today, *after, _PAGE)):
            yield from (BatchRow(*values) for values in page)
            after = (page[-1][2], page[-1][3], page[-1][0])

    def lives(self, holding: int) -> dict[tuple[int, int], int]:
        """How many batches have which (epoch, expiry), in days: told by the index alone."""
        return {(epoch, expires): count for epoch, expires, count in self._db.all(_SQL["batch_lives"], (holding,))}

    def members(self, batch: bytes) -> list[tuple[bytes, int, bytes]]:
        """(handle, version, delta) of a batch's records, by handle and version; the delta is empty where there is none."""
        return [(handle, version, delta) for handle, version, delta in self._db.all(_SQL["members"], (batch,))]

    def put_resealed(
        self,
        batch: bytes,
        epoch: int,
        members_hash: bytes,
        sealed: bytes,
        kept: list[tuple[bytes, int, bytes]] | None,
    ) -> None:
        """A batch's secret as it was resealed to ``epoch``. ``kept``: None where it is the same one; otherwise another,
        for these records and their deltas: the rest was erased and goes, and with nothing kept so does the batch.

        StoreError when its records are not those that it was resealed for: then nothing has changed.
        """
        removal.put_resealed(self._db, batch, epoch, members_hash, sealed, kept)

    def purge(self, holding: int, today: int, limit: int) -> int:
        """Remove batches that expired on ``today`` (days) or before, whole: one at least, and more up to ``limit``
        versions. How many versions went; 0 when there is nothing more to do."""
        return removal.purge(self._db, holding, today, limit)

    def withdraw(self, holding: int, handles: Iterable[bytes]) -> None:
        """These records were erased: from now on nothing finds them, and they have no latest version. Their rows go when
        their batches are resealed, for which the keyholder must still be told of them. Again, it changes nothing."""
        removal.withdraw(self._db, holding, handles)

    def withdrawn(self, holding: int, handles: Iterable[bytes]) -> set[bytes]:
        """Which of these are still named here and have no latest version, as after ``withdraw``."""
        found = ((handle, self._db.one(_SQL["last_tokens"], (holding, handle))) for handle in handles)
        return {handle for handle, last in found if last is not None and last[1] is None}

    def empty_log(self) -> None:
        """Overwrite what was removed in the write-ahead log too; at the end of whatever removes."""
        self._db.empty_log()

    def tidy(self) -> bool:
        """Have the file forget in which order records came, where it is small enough to be written anew: people taken in one by
        one would lie there in the order of the day, in each holding. Whether that was done. In any case all come to rest."""
        try:
            for row in self.holdings():
                levels.rest(self._db, row.number)
        except StoreError:
            return False  # somebody writes, or there is no room on the disk: the next time
        return self._db.tidy()

    # What belongs to asks

    def put_private(self, commitment: bytes, sealed: bytes) -> None:
        """Keep a sealed private half under its commitment (32 bytes). Putting it again changes nothing."""
        self.put_privates([(commitment, sealed)])

    def put_privates(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """``put_private`` of several (commitment, sealed), all or nothing."""
        with self._db.transaction():
            self._db.run_many(_SQL["put_private"], rows)

    def private(self, commitment: bytes) -> bytes | None:
        """The sealed private half, if it is here."""
        found = self._db.one(_SQL["private"], (commitment,))
        return found[0] if found else None

    def put_roster(self, hash_: bytes, roster: bytes) -> None:
        """Keep the roster whose hash (32 bytes) stands in a charter."""
        with self._db.transaction():
            self._db.run(_SQL["put_meta"], (f"roster:{hash_.hex()}", roster))

    def roster(self, hash_: bytes) -> bytes | None:
        """The roster of that hash, if it is here."""
        found = self._db.one(_SQL["meta"], (f"roster:{hash_.hex()}",))
        return bytes(found[0]) if found else None

    # The whole

    def keep_pages(self, megabytes: int) -> None:
        """How much of the file this object may keep in memory. What writes a whole import wants more than one of many readers."""
        self._db.all(f"PRAGMA cache_size = -{megabytes * 1024}")

    def problems(self) -> list[str]:
        """What is wrong with the store as a store, one line each; empty when it is whole. Reads all of it.

        What lies inside the rows (bodies, entries, tiles) is for the caller, who has their formats.
        """
        with self._db.snapshot():
            found = [*self._db.damage(), *problems.of_tables(self._db)]
            for batch in self.batches():
                found += problems.of_batch(self._db, batch)
            for row in self.holdings():
                found += problems.of_holding(self._db, row)
            if self._db.number(_SQL["count_entries"]) != self.mirror.size():
                found.append("mirror: an entry is missing")
        return found
