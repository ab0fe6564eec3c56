"""Orders that arrive together are one group, and who was answered is waited for a moment, never for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from strongroom.custody.receive import Order, Received
from strongroom.errors import StoreError
from strongroom.service.intake import Intake, Outcome

ORDER = Order(cast("Any", None), {"name": ["Ana"]})
GIVEN = Received((bytes(16),), (0,), "")


class Desk:
    """Takes groups in at once, and remembers how large they were."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.fails = False

    async def receive(self, orders: Sequence[Order]) -> list[Outcome]:
        self.groups.append(len(orders))
        await asyncio.sleep(0)
        if self.fails:
            raise StoreError("the disk is full")
        return [GIVEN] * len(orders)


async def client(intake: Intake, times: int) -> None:
    for _ in range(times):
        assert await intake.take(ORDER) == GIVEN


def test_who_comes_again_goes_together() -> None:
    async def story() -> list[int]:
        desk = Desk()
        intake = Intake(desk.receive)
        await asyncio.gather(*[client(intake, 10) for _ in range(8)])
        await intake.close()
        return desk.groups

    groups = asyncio.run(story())
    assert sum(groups) == 80
    # The first goes alone, since nobody was there before it; then nearly all of them each time.
    assert groups[0] == 1
    assert min(groups[1:-1]) >= 7


def test_nobody_waits_for_one_who_does_not_come_again() -> None:
    async def story() -> list[int]:
        desk = Desk()
        intake = Intake(desk.receive)
        await asyncio.gather(*[client(intake, 1) for _ in range(7)], client(intake, 3))
        await intake.close()
        return desk.groups

    groups = asyncio.run(story())
    assert sum(groups) == 10
    assert groups[-1] == 1


def test_what_waits_for_company_is_taken_in_before_the_end() -> None:
    async def story() -> list[int]:
        desk = Desk()
        intake = Intake(desk.receive)
        await asyncio.gather(*[intake.take(ORDER) for _ in range(4)])
        last = asyncio.create_task(intake.take(ORDER))
        await asyncio.sleep(0)
        await intake.close()
        assert await last == GIVEN
        return desk.groups

    assert sum(asyncio.run(story())) == 5


def test_a_group_that_fails_holds_up_nobody() -> None:
    async def story() -> None:
        desk = Desk()
        intake = Intake(desk.receive)
        desk.fails = True
        found = await asyncio.gather(*[intake.take(ORDER) for _ in range(4)], return_exceptions=True)
        assert [type(one) for one in found] == [StoreError] * 4
        desk.fails = False
        assert await intake.take(ORDER) == GIVEN
        await intake.close()

    asyncio.run(story())


def test_who_is_alone_goes_at_once() -> None:
    async def story() -> list[int]:
        desk = Desk()
        intake = Intake(desk.receive)
        await client(intake, 5)
        await intake.close()
        return desk.groups

    assert asyncio.run(story()) == [1] * 5
