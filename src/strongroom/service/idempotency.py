"""A request that names itself is done once, however often it comes (SPEC.md section 10.2; the field Idempotency-Key).

What succeeded is kept for a day and answered again. What failed has done nothing, and may be tried again under the same name. Where a
vault stopped in the middle, nobody knows. What rests on an ask that is good once is then tried again, and that ask settles it; of what does
not, that nobody knows is said, and never guessed.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from strongroom.errors import StrongroomError
from strongroom.service.problems import Rejected
from strongroom.store.answers import Answers

T = TypeVar("T")

_NAME = b"strongroom/v1 idempotency\0"
KEPT = 86400
"""Seconds for which an answer is kept."""
_SWEEP = 600
# A name is drawn at random: a number of somebody's, which is shorter, could be tried out against what is stored.
_KEY = re.compile(r'(")?([0-9A-Za-z_-]{22,64})(?(1)")')


class Idempotency:
    """``directory``: the vault's. ``clock``: POSIX seconds. Belongs to one event loop."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = directory / "answers.db", clock
        # The file belongs to one thread, which writes at once what has come while it wrote.
        self._thread = ThreadPoolExecutor(1, "answers")
        self._answers: Answers | None = None
        self._waiting: list[tuple[Callable[[Answers], Any], asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._under_way: dict[bytes, asyncio.Future[None]] = {}
        self._swept = 0.0

    async def close(self) -> None:
        """Once nobody waits any more."""
        if self._writing is not None:
            await self._writing
        if self._answers is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._answers.close)
        self._thread.shutdown()

    async def once(
        self, key: str, path: str, body: bytes, act: Callable[[], Awaitable[tuple[int, bytes]]], *, again: bool = False
    ) -> tuple[int, bytes, bool]:
        """Status and body of ``act``, or of the first time that ``key`` came to ``path``; and whether it was then. ``again``: where
        nobody knows what became of it, it does no harm to try.

        Raises ``Rejected`` (``idempotency``) for another body or what is no key, (``pending``) where nobody knows, and what ``act`` does.
        """
        found = _KEY.fullmatch(key)
        if found is None:
            raise Rejected("idempotency", "an Idempotency-Key is 22 to 64 of A-Z, a-z, 0-9, - and _, drawn at random")
        name = hashlib.sha256(_NAME + f"{path}\0{found[2]}".encode()).digest()
        while (other := self._under_way.get(name)) is not None:
            await asyncio.wait([other])
        done = self._under_way[name] = asyncio.get_running_loop().create_future()
        try:
            # In the body is the salt of an ask's private half: nobody guesses what it was from this.
            return await self._once(name, hashlib.sha256(_NAME + body).digest(), act, again=again)
        finally:
            del self._under_way[name]
            done.set_result(None)

    async def _once(
        self, name: bytes, request: bytes, act: Callable[[], Awaitable[tuple[int, bytes]]], *, again: bool
    ) -> tuple[int, bytes, bool]:
        now = self._clock()
        if now - self._swept > _SWEEP:
            self._swept = now
            await self._do(lambda answers: answers.forget(int(now) - KEPT))
        before = await self._do(lambda answers: answers.begin(name, request, int(now)))
        if before is not None:
            if before[0] != request:
                raise Rejected("idempotency", "this Idempotency-Key came with another body before")
            if before[1]:
                return before[1], before[2], True
            if not again:
                raise Rejected("pending", "the vault stopped while it was under way; look whether it was done")
        try:
            status, body = await act()
        except StrongroomError as error:
            if error.code != "pending":  # of which nobody knows whether it has done nothing
                await self._do(lambda answers: answers.drop(name))
            raise
        await self._do(lambda answers: answers.end(name, status, body))
        return status, body, False

    async def _do(self, work: Callable[[Answers], T]) -> T:
        """``work``, on disk when this returns. Raises ``StoreError``."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="answers")
        return await future

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            works = [work for work, _ in group]
            try:
                found = await asyncio.get_running_loop().run_in_executor(self._thread, self._together, works)
            except Exception as error:  # noqa: BLE001 - each of them is told, and none of it is on disk
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), result in zip(group, found, strict=True):
                    if not future.done():  # whoever sent it has gone
                        future.set_result(result)
        self._writing = None

    def _together(self, works: list[Callable[[Answers], Any]]) -> list[Any]:
        if self._answers is None:
            self._answers = Answers(self._path)
        with self._answers.transaction():
            return [work(self._answers) for work in works]
