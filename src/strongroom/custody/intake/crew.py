"""The importer's workers: processes that each open the vault for themselves and take chunks in, in parallel.

They get rows, and windows that somebody else signed; no device's key. They end when the importer does, however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from strongroom.custody.intake.chunk import Taker
from strongroom.custody.intake.made import Done, Errands
from strongroom.custody.intake.rows import Chunk
from strongroom.custody.intake.window import Window
from strongroom.custody.room import Room
from strongroom.errors import CatalogError, Refused, StoreError, StrongroomError


class Crew(Protocol):
    """Takes chunks and gives their outcomes back in the order they were handed in."""

    def hand_in(self, chunk: Chunk, window: Window | None) -> Iterator[Done]:
        """Have ``chunk`` taken in; what is done so far. Raises what taking it raised."""
        ...

    def rest(self) -> Iterator[Done]:
        """What is still to come."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Alone:
    """A crew of none: this process does it."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker

    def hand_in(self, chunk: Chunk, window: Window | None) -> Iterator[Done]:
        yield self._taker.take(chunk, window)

    def rest(self) -> Iterator[Done]:
        return iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception on its way between processes: pickle would call its class with its text alone."""

    kind: type[StrongroomError]
    args: tuple[Any, ...]

    @classmethod
    def of(cls, error: StrongroomError) -> Failure:
        if isinstance(error, Refused):
            return cls(Refused, (error.code, error.detail, error.entry, error.after))
        if isinstance(error, CatalogError):
            return cls(CatalogError, (error.place, error.problem, error.mend))
        return cls(type(error), (str(error),))

    def error(self) -> StrongroomError:
        return self.kind(*self.args)


_GROUP = 30_000
"""Rows that a worker seals and then stores in one transaction. Handles and tokens are spread over whole tables: of 10,000 rows each
has pages to write for itself alone, of more they share them (measured at 600,000 records: 19 us a record to store, 13 so)."""


class Processes:
    """``workers`` processes on the vault at ``directory``. At most one group of chunks more than they are lies ready."""

    def __init__(self, workers: int, directory: Path, errands: Errands, rows: int) -> None:
        """``rows``: at most so many are to come; of few each worker gets some."""
        self._workers, self._left, self._submitted = workers, rows, 0
        context = multiprocessing.get_context("spawn")
        # Spawned, not forked: nothing of this process's memory, an open database or a device's key, goes along.
        self._pool = ProcessPoolExecutor(
            workers, context, initializer=_begin, initargs=(directory, errands, context.Lock())
        )
        self._group: list[tuple[Chunk, Window | None]] = []
        self._under_way: deque[Future[list[Done] | Failure]] = deque()

    def hand_in(self, chunk: Chunk, window: Window | None) -> Iterator[Done]:
        self._group.append((chunk, window))
        if sum(len(chunk.records) for chunk, _ in self._group) >= self._enough():
            self._submit()
        while self._under_way and (len(self._under_way) > self._workers + 1 or self._under_way[0].done()):
            yield from self._next()

    def rest(self) -> Iterator[Done]:
        self._submit()
        while self._under_way:
            yield from self._next()

    def _enough(self) -> int:
        """Rows of the next group. The first worker gets few, so that not all come to the store at once, and of the last rows each gets some."""
        return 1 if not self._submitted else min(_GROUP, self._left // (2 * self._workers))

    def _submit(self) -> None:
        group, self._group = self._group, []
        self._left -= sum(len(chunk.records) for chunk, _ in group)
        self._submitted += 1
        try:
            if group:
                self._under_way.append(self._pool.submit(_take, group))
        except BrokenProcessPool:
            raise StoreError(_DIED) from None

    def _next(self) -> list[Done]:
        found = _outcome(self._under_way.popleft())
        if not isinstance(found, Failure):
            return found
        # A refusal uses the window up, and what other workers had in hand is then refused for that: not the reason.
        others = [_outcome(future) for future in self._under_way if not future.cancel()]
        failures = [found, *(other for other in others if isinstance(other, Failure))]
        raise min(failures, key=lambda failure: failure.args[0] == "used").error()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What a worker has in hand it finishes: it is stored or it is not, and in both cases nothing is half-done.
        self._pool.shutdown(wait=True, cancel_futures=True)


_DIED = (
    "a worker of the import was killed or ran out of memory. Start the same import again: it goes on where it stopped"
)

_taker: Taker | None = None


def _outcome(future: Future[list[Done] | Failure]) -> list[Done] | Failure:
    try:
        return future.result()
    except BrokenProcessPool:
        raise StoreError(_DIED) from None


def _begin(directory: Path, errands: Errands, turn: AbstractContextManager[object]) -> None:
    global _taker  # noqa: PLW0603 - a worker process has one task, and nowhere else to keep it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the importer is told, and tells us
    threading.Thread(target=end_with_parent, daemon=True).start()
    # One writes at a time anyway, and SQLite would have the other ask again and again.
    _taker = Taker(Room(directory), errands, turn=turn)


def end_with_parent() -> None:
    """Ends this process when the one that started it has ended, however that did."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    # SQLite rolls back what is not committed; there is nothing else to put in order.
    os._exit(1)


def _take(group: list[tuple[Chunk, Window | None]]) -> list[Done] | Failure:
    assert _taker is not None
    try:
        return _taker.take_all(group)
    except StrongroomError as error:
        return Failure.of(error)
