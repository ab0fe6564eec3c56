"""Where asks that arrive together go to the keyholder together (SPEC.md section 8.11; docs/decisions/0028-together.md).

While one request is under way, what arrives waits until it is as much, and goes with a second one, which the keyholder finds when it has done with
the first; meanwhile the vault opens what came of the one before. Everything of the room happens in the loop's own thread: handing it to another costs more than the disk's flush that it would hide.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from strongroom.custody.room import Room
from strongroom.custody.steps import Settled, Steps
from strongroom.custody.together import PATH, Asking, Done, Group
from strongroom.errors import KeyholderUnavailable, StoreError, StrongroomError
from strongroom.keyholder.aioclient import AioClient
from strongroom.keyholder.protocol import MAX_PARTS

T = TypeVar("T")

log = logging.getLogger("strongroom.service")

MOST_WAITING = 4096
_MOST_WAITING_BYTES = 64 * 2**20
_MOST_BYTES = 512 * 2**10
"""In one request: more would only make all of them wait for each other."""
_LINES = 2
"""Requests under way at once: one that the keyholder works on, and one that it finds when it has done with that."""
_LOOK_SECONDS = 0.01
"""So long the rules that were looked for last serve all who ask: each look asks the store how far the mirror is."""
_WORK_SECONDS = 0.002
"""After so long the loop is let go on, between one ask and the next."""


class _Waiter:
    def __init__(self, asking: Asking[Any]) -> None:
        self.asking = asking
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @property
    def size(self) -> int:
        """Bytes of what waits to be said."""
        return len(self.asking.said[1]) if self.asking.said else 0


_Opening = list[tuple[_Waiter, Settled | StrongroomError]]
"""What each was answered, to be opened."""


@dataclass(frozen=True)
class _UnderWay:
    waiters: list[_Waiter]
    group: Group
    call: asyncio.Task[bytes]


class Counter:
    """``room`` and ``line`` belong to the running loop's thread, and to nobody else. ``catch_up`` brings the mirror up to the ledger, elsewhere.
    ``start`` first, ``close`` last."""

    def __init__(
        self,
        room: Room,
        line: AioClient,
        catch_up: Callable[[], Awaitable[object]],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._room, self._line, self._catch_up, self._most = room, line, catch_up, most_waiting
        self._waiting: deque[_Waiter] = deque()
        self._bytes = 0
        self._away = 0
        self._changed = asyncio.Event()
        self._lines: list[asyncio.Task[None]] = []
        self._closing = False
        self._looked = 0.0

    def start(self) -> None:
        self._lines = [asyncio.create_task(self._serve(), name=f"counter-{line}") for line in range(_LINES)]

    async def close(self) -> None:
        """Whoever waits is answered first; whoever comes after is not."""
        self._closing = True
        self._changed.set()
        await asyncio.gather(*self._lines)

    async def ask(self, begin: Callable[[Room], Steps[T]]) -> T:
        """What comes of the steps that ``begin`` makes. Raises what they raise, and ``KeyholderUnavailable`` when too many wait already.

        Whoever is cancelled before the request is on its way asks nothing. Afterwards the ask is made, and its answer dropped.
        """
        if self._closing or not self._lines or any(line.done() for line in self._lines):
            raise KeyholderUnavailable("the vault is stopping; try again")
        if len(self._waiting) >= self._most or self._bytes > _MOST_WAITING_BYTES:
            raise KeyholderUnavailable("more asks wait than the vault can take; try again")
        self.look()
        # The vault's own decision at once: while others are under way there is time for it.
        waiter = _Waiter(Asking(begin(self._room)))
        if waiter.asking.said is None:
            _end(waiter)
        else:
            self._wait(waiter)
        found: T = await waiter.future
        return found

    def look(self) -> None:
        """The room's rules as they were a moment ago at most. Raises as ``Room.rules``."""
        now = asyncio.get_running_loop().time()
        if now - self._looked > _LOOK_SECONDS:
            self._room.look()
            self._looked = now

    async def _serve(self) -> None:
        """One line of requests: each is answered before the next of this line goes."""
        while True:
            while not self._due():
                if self._closing and not self._waiting:
                    return
                self._changed.clear()
                await self._changed.wait()
            # Whoever else has come by now goes along.
            await asyncio.sleep(0)
            under_way = self._begun(self._take()) if self._due() else None
            while under_way is not None:
                under_way = await self._turn(under_way)

    def _due(self) -> bool:
        """Whether those who wait go now: at once where none is under way, and beside others once they are as many. So each house has work while
        the other works; were a second request never under way, or of whoever comes first, they would wait for each other."""
        return 0 < len(self._waiting) >= self._away

    def _go(self, waiter: _Waiter, answer: Settled | StrongroomError) -> None:
        waiter.asking.go(answer)
        if waiter.asking.said is None:
            _end(waiter)
        else:
            self._wait(waiter)

    def _wait(self, waiter: _Waiter) -> None:
        self._waiting.append(waiter)
        self._bytes += waiter.size
        self._changed.set()

    def _take(self) -> list[_Waiter]:
        taken: list[_Waiter] = []
        size = 0
        # No more than half of all who are about, that the next request has as many.
        most = min(MAX_PARTS, (len(self._waiting) + self._away + 1) // 2) if self._away else MAX_PARTS
        while self._waiting and len(taken) < most:
            waiter = self._waiting[0]
            size += waiter.size
            if taken and size > _MOST_BYTES:
                break
            self._waiting.popleft()
            self._bytes -= waiter.size
            if not waiter.future.done():
                taken.append(waiter)
        return taken

    async def _turn(self, under_way: _UnderWay) -> _UnderWay | None:
        """Take the keyholder's answer, ask for whoever has come meanwhile, and then open what was given, while the keyholder works on that."""
        try:
            answer = await under_way.call
        except Exception as error:  # noqa: BLE001 - each is told
            self._back(under_way)
            self._fail(under_way.waiters, error)
            return self._begun(self._take()) if self._due() else None
        self._back(under_way)
        taken: list[_Waiter] = []
        try:
            # One wait for the disk: what was answered goes into the mirror with the evidence of those who ask next.
            with self._room.store.together():
                settled = under_way.group.settle(answer, _behind)
                taken = self._take() if self._due() else []
                group = _grouped(self._room, taken)
        except _Behind:
            opening, following = await self._caught_up(under_way, answer), None
        except Exception:  # noqa: BLE001 - of neither is anything stored; whichever it was, each is tried for itself
            self._room.mirror.forget()
            opening, following = self._settled(under_way, answer), self._begun(taken)
        else:
            opening, following = list(zip(under_way.waiters, settled, strict=True)), self._sent(taken, group)
        # The request is on its way before anything else is done.
        await asyncio.sleep(0)
        await self._open(opening)
        return following

    def _back(self, under_way: _UnderWay) -> None:
        self._away -= len(under_way.waiters)
        self._changed.set()

    async def _caught_up(self, under_way: _UnderWay, answer: bytes) -> _Opening:
        """The mirror is further behind than one answer brings, or entries were kept back: nobody else waits for that."""
        try:
            await self._catch_up()
        except Exception as error:  # noqa: BLE001 - each is told
            self._fail(under_way.waiters, error)
            return []
        return self._settled(under_way, answer)

    def _settled(self, under_way: _UnderWay, answer: bytes) -> _Opening:
        try:
            return list(zip(under_way.waiters, under_way.group.settle(answer, _behind), strict=True))
        except Exception as error:  # noqa: BLE001 - each is told
            self._fail(under_way.waiters, error)
            return []

    def _begun(self, taken: list[_Waiter]) -> _UnderWay | None:
        """The request for those who were taken, on its way; None where nobody was, or it could not be made, which they are told."""
        try:
            return self._sent(taken, _grouped(self._room, taken))
        except Exception as error:  # noqa: BLE001 - each is told
            self._fail(taken, error)
            return None

    def _sent(self, taken: list[_Waiter], group: Group | None) -> _UnderWay | None:
        if group is None:
            return None
        self._away += len(taken)
        return _UnderWay(taken, group, asyncio.create_task(self._line.send(PATH, group.body)))

    def _fail(self, waiters: list[_Waiter], error: Exception) -> None:
        if not isinstance(error, StrongroomError):
            log.error("asks could not be made", exc_info=error)
            error = StoreError("the vault could not ask the keyholder; nothing was opened")
        for one in waiters:
            self._go(one, error)

    async def _open(self, opening: _Opening) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time()
        for waiter, answer in opening:
            self._go(waiter, answer)
            if loop.time() - since > _WORK_SECONDS:
                await asyncio.sleep(0)
                since = loop.time()


class _Behind(KeyholderUnavailable):
    """The keyholder gave no entries that its own checkpoint has."""


def _behind(start: int, limit: int) -> list[str]:
    raise _Behind(f"the entries from {start} on are not here yet; try again")


def _grouped(room: Room, taken: list[_Waiter]) -> Group | None:
    return Group(room, [one.asking for one in taken]) if taken else None


def _end(waiter: _Waiter) -> None:
    ended = waiter.asking.ended
    if waiter.future.done():
        return  # nobody waits any more
    if isinstance(ended, Done):
        waiter.future.set_result(ended.value)
    else:
        assert ended is not None
        waiter.future.set_exception(ended)
