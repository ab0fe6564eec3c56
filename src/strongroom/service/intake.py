"""Where orders that arrive together are taken in together (docs/decisions/0029-intake.md).

While one group is under way what arrives waits, and goes with the next: one call to the keyholder, one batch, one transaction for all
of it. After a group the next waits a moment for as many as that had, since who was answered comes again: else groups of one and of all the
others would alternate. Who comes alone never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from strongroom.custody.receive import Order, Received
from strongroom.errors import KeyholderUnavailable, StrongroomError
from strongroom.seal.batch import MAX_RECORDS

Outcome: TypeAlias = Received | StrongroomError

MOST_WAITING = 4096
_MOST_ORDERS = 512
"""In one group."""
_COMPANY_SECONDS = 0.005
"""Answering eight, and reading what they send next, takes two milliseconds; who then has not come is not waited for."""


class Intake:
    """``receive`` takes a group in, elsewhere than in the loop; ``lines``: how many groups may be under way. With one alone a
    group is larger, and costs less a record than waiting for keyholder and disk does."""

    def __init__(self, receive: Callable[[Sequence[Order]], Awaitable[list[Outcome]]], lines: int = 1) -> None:
        self._receive, self._free = receive, lines
        self._waiting: deque[tuple[Order, asyncio.Future[Received]]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        # How many the next group waits for, while this is set.
        self._expected = 0
        self._moment: asyncio.TimerHandle | None = None

    async def take(self, order: Order) -> Received:
        """Raises what came of the order, and ``KeyholderUnavailable`` when too many wait already."""
        if len(self._waiting) >= MOST_WAITING:
            raise KeyholderUnavailable("more records wait than the vault can take in; try again")
        future: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
        self._waiting.append((order, future))
        if self._moment is None or len(self._waiting) >= self._expected:
            self._go_on()
        return await future

    async def close(self) -> None:
        """Once what waits has been taken in."""
        while self._under_way or self._waiting:
            self._go_on()
            await asyncio.wait(self._under_way)

    def _go_on(self) -> None:
        if self._moment is not None:
            self._moment.cancel()
            self._moment = None
        while self._free and self._waiting:
            self._free -= 1
            task = asyncio.create_task(self._work(self._group()))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _group(self) -> list[tuple[Order, asyncio.Future[Received]]]:
        group, count = [self._waiting.popleft()], 0
        while self._waiting and len(group) < _MOST_ORDERS:
            count += rows(group[-1][0])
            if count + rows(self._waiting[0][0]) > MAX_RECORDS:
                break
            group.append(self._waiting.popleft())
        return group

    async def _work(self, group: list[tuple[Order, asyncio.Future[Received]]]) -> None:
        try:
            outcomes: Sequence[Received | BaseException] = await self._receive([order for order, _ in group])
        except Exception as error:  # noqa: BLE001 - what no order is to blame for; each is told
            outcomes = [error] * len(group)
        finally:
            self._free += 1
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if future.done():
                continue  # whoever posted it has gone; it is stored all the same
            if isinstance(outcome, Received):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        if len(self._waiting) >= len(group):
            self._go_on()
        else:
            self._expected = len(group)
            self._moment = asyncio.get_running_loop().call_later(_COMPANY_SECONDS, self._go_on)


def rows(order: Order) -> int:
    """How many records."""
    return len(next(iter(order.columns.values())))
