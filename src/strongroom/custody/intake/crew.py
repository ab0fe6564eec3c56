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
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from strongroom.custody.intake.chunk import Done, Errands, Taker
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
class _Failure:
    """An exception on its way between processes: pickle would call its class with its text alone."""

    kind: type[StrongroomError]
    args: tuple[str, ...]

    @classmethod
    def of(cls, error: StrongroomError) -> _Failure:
        if isinstance(error, Refused):
            return cls(Refused, (error.code, error.detail))
        if isinstance(error, CatalogError):
            return cls(CatalogError, (error.place, error.problem, error.mend))
        return cls(type(error), (str(error),))

    def error(self) -> StrongroomError:
        return self.kind(*self.args)


class Processes:
    """``workers`` processes on the vault at ``directory``. At most one chunk more than they are lies ready."""

    def __init__(self, workers: int, directory: Path, errands: Errands) -> None:
        self._workers = workers
        # Spawned, not forked: nothing of this process's memory, an open database or a device's key, goes along.
        self._pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(directory, errands)
        )
        self._under_way: deque[Future[Done | _Failure]] = deque()

    def hand_in(self, chunk: Chunk, window: Window | None) -> Iterator[Done]:
        try:
            self._under_way.append(self._pool.submit(_take, chunk, window))
        except BrokenProcessPool:
            raise StoreError(_DIED) from None
        while self._under_way and (len(self._under_way) > self._workers + 1 or self._under_way[0].done()):
            yield self._next()

    def rest(self) -> Iterator[Done]:
        while self._under_way:
            yield self._next()

    def _next(self) -> Done:
        found = _outcome(self._under_way.popleft())
        if isinstance(found, Done):
            return found
        # A refusal uses the window up, and what other workers had in hand is then refused for that: not the reason.
        others = [_outcome(future) for future in self._under_way if not future.cancel()]
        failures = [found, *(other for other in others if isinstance(other, _Failure))]
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


def _outcome(future: Future[Done | _Failure]) -> Done | _Failure:
    try:
        return future.result()
    except BrokenProcessPool:
        raise StoreError(_DIED) from None


def _begin(directory: Path, errands: Errands) -> None:
    global _taker  # noqa: PLW0603 - a worker process has one task, and nowhere else to keep it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the importer is told, and tells us
    threading.Thread(target=_end_with_importer, daemon=True).start()
    _taker = Taker(Room(directory), errands)


def _end_with_importer() -> None:
    importer = multiprocessing.parent_process()
    assert importer is not None
    connection.wait([importer.sentinel])
    # SQLite rolls back what is not committed; there is nothing else to put in order.
    os._exit(1)


def _take(chunk: Chunk, window: Window | None) -> Done | _Failure:
    assert _taker is not None
    try:
        return _taker.take(chunk, window)
    except StrongroomError as error:
        return _Failure.of(error)
