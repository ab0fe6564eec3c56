"""Imports, exports and migrations that can stop anywhere and go on: which chunks are done, and which rows were bad.

A chunk's row is written by ``VaultStore.put_chunk``, in one transaction with its records; and so is the cursor of a job
that goes through the store and changes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.errors import StoreError
from strongroom.store.database import Database, statements
from strongroom.store.rows import Job, RowError

__all__ = ["Jobs"]

_SQL = statements("vault.sql")
_PAGE = 1000


class Jobs:
    """The jobs inside a vault's store; had from ``VaultStore.jobs``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def start(self, job: bytes, holding: int, detail: str) -> None:
        """Note a job under a name (16 bytes) that is found again. StoreError when it means another one."""
        with self._db.transaction():
            self._db.run(_SQL["start_job"], (job, holding, detail))
            found = self.get(job)
            if found.holding != holding or found.detail != detail:
                raise StoreError("job: there is another of this name. Give the source that it was begun with")

    def get(self, job: bytes) -> Job:
        """StoreError when there is none."""
        found = self._db.one(_SQL["job"], (job,))
        if found is None:
            raise StoreError("job: there is none of this name")
        holding, detail, done, rows, bad, cursor, unverified = found
        return Job(holding, detail, bool(done), rows, bad, cursor, unverified)

    def all(self) -> list[bytes]:
        """The names of all jobs."""
        return [job for (job,) in self._db.all(_SQL["jobs"])]

    def chunks(self, job: bytes) -> set[int]:
        """The chunks that are done; none of a finished job, which keeps its totals only."""
        return {chunk for (chunk,) in self._db.all(_SQL["chunks"], (job,))}

    def move(self, job: bytes, cursor: str, rows: int = 0) -> None:
        """``rows`` more are done, and the job goes on at ``cursor``. StoreError when it is finished or not there."""
        with self._db.transaction():
            if not self._db.run(_SQL["move_job"], (job, cursor, rows)):
                raise StoreError("job: there is none of this name that goes on")

    def verify(self, job: bytes, chunk: int) -> None:
        """What was stored of a chunk was read back and is what it should be. StoreError when the chunk is not done."""
        with self._db.transaction():
            if not self._db.run(_SQL["verify_chunk"], (job, chunk)):
                raise StoreError("job: there is no such chunk")

    def finish(self, job: bytes) -> None:
        """Every chunk is done: keep the totals, and overwrite what says which chunk had how many rows, good and bad.

        Whoever wants the bad rows has them by now. Again, it changes nothing. StoreError when there is no such job.
        """
        with self._db.transaction():
            found = self.get(job)
            self._db.run(_SQL["finish_job"], (job, found.rows, found.bad, found.unverified))
            self._db.run(_SQL["drop_chunks"], (job,))
            self._db.run(_SQL["drop_errors"], (job,))
        self._db.empty_log()

    def errors(self, job: bytes) -> Iterator[RowError]:
        """The bad rows by number, streamed; none of a finished job."""
        after = (-1, "")
        while page := self._db.all(_SQL["page_of_errors"], (job, *after, _PAGE)):
            yield from (RowError(*values) for values in page)
            after = page[-1][:2]
