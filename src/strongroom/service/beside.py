"""Processes beside the server, which take in what is posted in batches: sealing a hundred records is work for another core, and the
server's threads share one (docs/decisions/0029-intake.md).

Each has the vault open for itself, and ends when the server does, however that ends.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeAlias

from strongroom.custody.intake.crew import Failure, end_with_parent
from strongroom.custody.receive import Order, Received, Receiver
from strongroom.custody.room import Room
from strongroom.errors import StrongroomError
from strongroom.service.problems import Rejected

Outcome: TypeAlias = Received | StrongroomError


class Beside:
    """``workers`` at most, started when they are first needed, and again when one was killed."""

    def __init__(self, directory: Path, workers: int) -> None:
        self._directory, self._workers = directory, workers
        self._pool: ProcessPoolExecutor | None = None

    async def receive(self, orders: Sequence[Order]) -> list[Outcome]:
        """As ``Receiver.receive``. Raises ``Rejected`` (``pending``) when nobody knows what became of them."""
        if self._pool is None:
            # Spawned, not forked: nothing of the server's memory goes along.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=(self._directory,))
        pool = self._pool
        try:
            found = await asyncio.get_running_loop().run_in_executor(pool, _receive, list(orders))
        except BrokenProcessPool:
            if self._pool is pool:
                self._pool = None
            # Nobody knows what became of what it had in hand.
            raise Rejected("pending", "what sealed these records was killed; look whether they were stored") from None
        return [one.error() if isinstance(one, Failure) else one for one in found]

    def close(self) -> None:
        """Once what is under way has ended."""
        if self._pool is not None:
            self._pool.shutdown()


_PAGES_MB = 16

_receiver: Receiver | None = None


def _begin(directory: Path) -> None:
    global _receiver  # noqa: PLW0603 - the process has one task, and nowhere else to keep it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server is told, and tells us
    threading.Thread(target=end_with_parent, daemon=True).start()
    room = Room(directory)
    room.store.keep_pages(_PAGES_MB)
    _receiver = Receiver(room)


def _receive(orders: list[Order]) -> list[Received | Failure]:
    assert _receiver is not None
    return [Failure.of(one) if isinstance(one, StrongroomError) else one for one in _receiver.receive(orders)]
