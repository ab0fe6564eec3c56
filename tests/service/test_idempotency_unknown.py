"""What becomes of a named request's note when nobody knows what became of the request, or nobody waits any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from strongroom.service.idempotency import Idempotency
from strongroom.service.problems import Rejected

KEY = "nobody-knows-what-became-of-it"


def with_notes(directory: Path, act: Callable[[Idempotency], Awaitable[None]]) -> None:
    async def run() -> None:
        held = Idempotency(directory)
        async with asyncio.timeout(20):
            try:
                await act(held)
            finally:
                await held.close()

    asyncio.run(run())


async def done() -> tuple[int, bytes]:
    return 201, b"{}"


async def killed() -> tuple[int, bytes]:
    raise Rejected("pending", "what sealed these records was killed")


def test_what_nobody_knows_is_not_done_a_second_time(tmp_path: Path) -> None:
    """The records may be there: without the note, a client that sends the same request again would have them stored twice."""

    async def act(held: Idempotency) -> None:
        for what in (killed, done, done):
            with pytest.raises(Rejected) as caught:
                await held.once(KEY, "/v1/records", b"body", what)
            assert caught.value.code == "pending"

    with_notes(tmp_path, act)


def test_those_who_go_away_leave_the_others_their_answers(tmp_path: Path) -> None:
    async def act(held: Idempotency) -> None:
        gone = [asyncio.create_task(held.once(f"{KEY}-{at}", "/v1/records", b"body", done)) for at in range(8)]
        await asyncio.sleep(0)
        for one in gone:
            one.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert await held.once(KEY, "/v1/records", b"body", done) == (201, b"{}", False)

    with_notes(tmp_path, act)
