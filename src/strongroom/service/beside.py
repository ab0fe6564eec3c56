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
from concurrent.futures import Future, ProcessPoolExecutor
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
    """One process for each call that is under way, started when it is first needed, and again when one was killed.

    Each in a pool of its own: a pool that lost one of several ends the others by a signal that these do not heed, and waits for them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._idle: list[ProcessPoolExecutor] = []

    async def receive(self, orders: Sequence[Order]) -> list[Outcome]:
        """As ``Receiver.receive``. Raises ``Rejected`` (``pending``) when nobody knows what became of them."""
        pool, given = self._given(list(orders))
        try:
            found = await asyncio.wrap_future(given)
        except BrokenProcessPool:
            # Nobody knows what became of what it had in hand.
            raise Rejected("pending", "what sealed these records was killed; look whether they were stored") from None
        except BaseException:
            self._idle.append(pool)
            raise
        self._idle.append(pool)
        return [one.error() if isinstance(one, Failure) else one for one in found]

    def close(self) -> None:
        """Once nothing is under way any more."""
        for pool in self._idle:
            pool.shutdown()

    def _given(self, orders: list[Order]) -> tuple[ProcessPoolExecutor, Future[list[Received | Failure]]]:
        while self._idle:
            pool = self._idle.pop()
            try:
                return pool, pool.submit(_receive, orders)
            except BrokenProcessPool:
                continue  # killed while it had nothing in hand
        pool = self._started()
        return pool, pool.submit(_receive, orders)

    def _started(self) -> ProcessPoolExecutor:
        # Spawned, not forked: nothing of the server's memory goes along.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, initializer=_begin, initargs=(self._directory,))


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
