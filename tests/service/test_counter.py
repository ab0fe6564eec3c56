"""Asks that arrive together go together, against a keyholder that is a process of its own (SPEC.md 8.11)."""

from __future__ import annotations

import asyncio
import functools
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import world
from tests.houses import Houses, peopled  # noqa: F401 - a fixture
from tests.keyholder.served import Served

from strongroom.canonical import encode
from strongroom.client import device
from strongroom.client.device import Asker, SignedAsk
from strongroom.custody import check, read
from strongroom.custody.read import Disclosed
from strongroom.custody.room import Room
from strongroom.errors import FormatError, InputError, KeyholderUnavailable, Refused, StoreError
from strongroom.keyholder.aioclient import AioClient
from strongroom.ledger import entry, note, proof
from strongroom.service.counter import Counter
from strongroom.store.vault import VaultStore

REASON = "confirming an application for a passport"


def running(story: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(story)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(story(*given, **named))

    return run


@dataclass
class Desk:
    """A room at whose counter a test stands."""

    room: Room
    line: AioClient
    counter: Counter
    asker: Asker
    handles: list[bytes]
    served: Served
    sent: list[bytes]
    under_way: asyncio.Event

    def ask(self, *records: int, fields: tuple[str, ...] = ("name",), purpose: str = "confirm") -> SignedAsk:
        named = sorted(self.handles[one] for one in records)
        return self.asker.disclose("residents", purpose, named, fields, "case-7", REASON, int(time.time()))

    async def disclose(self, signed: SignedAsk) -> Disclosed:
        return await self.counter.ask(lambda room: read.disclosing(room, signed))

    def entries(self, since: int) -> list[entry.Entry]:
        self.room.sync()
        return [entry.parse(data) for data in self.room.mirror.entries(since, self.room.mirror.size)]


@pytest.fixture
def served(peopled: Path, tmp_path: Path) -> Iterator[Served]:  # noqa: F811
    world.copy(peopled, tmp_path / "room").close()
    made = Served(tmp_path / "room")
    yield made
    if made.process.poll() is None:
        made.stop()


@asynccontextmanager
async def standing(served: Served, most_waiting: int = 100) -> AsyncIterator[Desk]:
    room = Room(served.root / "vault")
    room.sync()
    line = AioClient(room.address, room.voice, room.keys.message, tls=room.tls)
    counter = Counter(room, line, lambda: asyncio.to_thread(_synced, served.root), most_waiting)
    sent: list[bytes] = []
    under_way = asyncio.Event()
    honest = line.send

    async def send(path: str, body: bytes) -> bytes:
        sent.append(body)
        under_way.set()
        return await honest(path, body)

    line.send = send  # type: ignore[method-assign]
    reader = device.load(served.root / "people" / "ana.device")
    asker = Asker(reader, room.keys.room, room.rules().enacted.hash, os.urandom)
    handles = sorted(row.handle for row in room.store.records(room.holding("residents")))
    counter.start()
    try:
        yield Desk(room, line, counter, asker, handles, served, sent, under_way)
    finally:
        await counter.close()
        await line.close()
        room.close()


def _synced(root: Path) -> None:
    room = Room(root / "vault")
    try:
        room.sync()
    finally:
        room.close()


@running
async def test_concurrent_asks_go_together_and_each_gets_its_own(served: Served) -> None:
    async with standing(served) as desk:
        before = desk.room.mirror.size
        asked = [desk.ask(one % 12) for one in range(40)]
        found = await asyncio.gather(*[desk.disclose(one) for one in asked])
        assert [one.handles for one in found] == [tuple(one.ask.records) for one in asked]  # type: ignore[union-attr]
        assert sorted(one.index for one in found) == list(range(before, before + 40))
        # All of the first who came together, and never one by one.
        assert len(desk.sent) < 10
        log = note.verifier(desk.room.anchors.log)
        for one, signed in zip(found, asked, strict=True):
            written = desk.room.mirror.entry(one.index)
            proof.verify(proof.parse(one.receipt), written, [log])
            item = entry.parse(written)
            assert isinstance(item, entry.DisclosureEntry)
            assert desk.room.store.private(item.commitment) is not None
            alone = await asyncio.to_thread(_alone, desk.served.root, signed)
            assert alone == "used"


def _alone(root: Path, signed: SignedAsk) -> str:
    room = Room(root / "vault")
    try:
        read.disclose(room, signed)
    except Refused as refusal:
        return refusal.code
    finally:
        room.close()
    return ""


@running
async def test_each_error_is_of_its_own_ask_alone(served: Served) -> None:
    async with standing(served) as desk:
        before = desk.room.mirror.size
        other = desk.asker.disclose("residents", "confirm", [bytes(16)], ["name"], "case-7", REASON, int(time.time()))
        late = desk.asker.disclose(
            "residents", "confirm", desk.handles[:1], ["name"], "c-1", REASON, int(time.time()) - 500
        )
        blank = desk.asker.disclose("residents", "confirm", desk.handles[:1], ["name"], "c-1", "test", int(time.time()))
        asked = [desk.ask(0), other, late, blank, desk.ask(1, purpose="reach", fields=("phone",)), desk.ask(2)]
        found = await asyncio.gather(*[desk.disclose(one) for one in asked], return_exceptions=True)
        kinds = [type(one) for one in found]
        assert kinds == [Disclosed, InputError, Refused, Refused, Disclosed, Disclosed]
        codes = [(one.code, one.entry is not None) for one in found if isinstance(one, Refused)]
        assert codes == [("stale", False), ("reason", True)]
        written = desk.entries(before)
        assert sum(isinstance(one, entry.DisclosureEntry) for one in written) == 3
        (refused,) = [one for one in found if isinstance(one, Refused) and one.entry is not None]
        assert refused.entry is not None
        said = entry.parse(desk.room.mirror.entry(refused.entry))
        assert isinstance(said, entry.RefusalEntry)
        assert (said.by, said.code) == ("vault", "reason")


@running
async def test_what_the_keyholder_refuses_says_where_the_ledger_has_it(served: Served) -> None:
    async with standing(served) as desk:
        # 50 a day under this purpose.
        asked = [desk.ask(*range(12), purpose="reach", fields=("phone",)) for _ in range(5)]
        found = await asyncio.gather(*[desk.disclose(one) for one in asked], return_exceptions=True)
        (refused,) = [one for one in found if isinstance(one, Refused)]
        assert refused.code == "budget"
        assert refused.entry is not None
        said = entry.parse(desk.room.mirror.entry(refused.entry))
        assert isinstance(said, entry.RefusalEntry)
        assert (said.by, said.code) == ("keyholder", "budget")


@running
async def test_finds_and_checks_beside_disclosures(served: Served) -> None:
    async with standing(served) as desk:
        now = int(time.time())
        find = desk.asker.find("residents", "confirm", "phone", "13912345678", "case-7", REASON, now)
        question = desk.asker.check(
            "residents", "verify", desk.handles[:2], "born", "adult", None, "case-7", REASON, now
        )
        found, checked, shown = await asyncio.gather(
            desk.counter.ask(lambda room: read.finding(room, find)),
            desk.counter.ask(lambda room: check.checking(room, question)),
            desk.disclose(desk.ask(0, 1, 2)),
        )
        assert found.handles == ()
        assert len(checked.answers) == 2
        assert len(shown.values) == 3


@running
async def test_the_identical_ask_is_answered_again_and_is_one_read(served: Served) -> None:
    async with standing(served) as desk:
        signed = desk.ask(3)
        first, twin = await asyncio.gather(desk.disclose(signed), desk.disclose(signed))
        await desk.disclose(desk.ask(4))
        again = await desk.disclose(signed)
        assert first.index == twin.index == again.index
        assert first.values == again.values
        log = note.verifier(desk.room.anchors.log)
        proof.verify(proof.parse(again.receipt), desk.room.mirror.entry(again.index), [log])


@running
async def test_whoever_is_cancelled_harms_no_other(served: Served) -> None:
    async with standing(served) as desk:
        before = desk.room.mirror.size
        tasks = [asyncio.create_task(desk.disclose(desk.ask(one))) for one in range(8)]
        await asyncio.sleep(0)
        early = [tasks[1], tasks[2]]
        for one in early:
            one.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [
            asyncio.CancelledError if task in early else Disclosed for task in tasks
        ]
        # Nothing was asked for those who went before it was on its way.
        assert len(desk.entries(before)) == 6
        # Later: the ask is made, its answer dropped.
        desk.under_way.clear()
        gone, stays = asyncio.create_task(desk.disclose(desk.ask(1))), asyncio.create_task(desk.disclose(desk.ask(2)))
        await desk.under_way.wait()
        gone.cancel()
        assert isinstance(await stays, Disclosed)
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert len(desk.entries(before)) == 8


@running
async def test_a_keyholder_that_is_gone_is_said_at_once_and_one_that_is_back_answers(served: Served) -> None:
    async with standing(served) as desk:
        await desk.disclose(desk.ask(0))
        served.process.kill()
        served.process.wait()
        asked = [desk.ask(one) for one in range(4)]
        found = await asyncio.gather(*[desk.disclose(one) for one in asked], return_exceptions=True)
        assert [type(one) for one in found] == [KeyholderUnavailable] * 4
        served.restart()
        # The same signed asks: none of them was used.
        assert [type(one) for one in await asyncio.gather(*[desk.disclose(one) for one in asked])] == [Disclosed] * 4


@running
async def test_a_keyholder_killed_in_mid_flight_loses_and_doubles_nothing(served: Served) -> None:
    async with standing(served) as desk:
        before = desk.room.mirror.size
        asked = [desk.ask(one % 12) for one in range(64)]
        tasks = [asyncio.create_task(desk.disclose(one)) for one in asked]
        await desk.under_way.wait()
        served.process.kill()
        first = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, Disclosed | KeyholderUnavailable) for one in first)
        served.restart()
        again = await asyncio.gather(*[desk.disclose(one) for one in asked])
        assert all(isinstance(one, Disclosed) for one in again)
        for one, other in zip(first, again, strict=True):
            assert not isinstance(one, Disclosed) or one.index == other.index
        named = [one.commitment for one in desk.entries(before) if isinstance(one, entry.DisclosureEntry)]
        assert len(named) == len(set(named)) == 64


@running
async def test_too_many_who_wait_are_told_to_try_again(served: Served) -> None:
    async with standing(served, most_waiting=3) as desk:
        found = await asyncio.gather(*[desk.disclose(desk.ask(one)) for one in range(6)], return_exceptions=True)
        assert [type(one) for one in found] == [Disclosed] * 3 + [KeyholderUnavailable] * 3
        assert isinstance(await desk.disclose(desk.ask(5)), Disclosed)


@running
async def test_who_waits_is_answered_before_the_end_and_nobody_after_it(served: Served) -> None:
    async with standing(served) as desk:
        tasks = [asyncio.create_task(desk.disclose(desk.ask(one))) for one in range(3)]
        await asyncio.sleep(0)
        await desk.counter.close()
        assert [type(one) for one in await asyncio.gather(*tasks)] == [Disclosed] * 3
        with pytest.raises(KeyholderUnavailable):
            await desk.disclose(desk.ask(5))


@running
async def test_an_answer_that_is_not_the_keyholders_opens_nothing(served: Served) -> None:
    async with standing(served) as desk:
        honest = desk.line.send
        bodies: list[bytes] = []

        async def another(path: str, body: bytes) -> bytes:
            """The answer to somebody else's group."""
            bodies.append(body)
            answer = await honest(path, body)
            return answer if len(bodies) == 1 else answers[0]

        answers = [await honest("/v1/together", await _body(desk))]
        desk.line.send = another  # type: ignore[method-assign]
        await desk.disclose(desk.ask(1))
        with pytest.raises(Exception, match="something else"):
            await desk.disclose(desk.ask(2))


async def _body(desk: Desk) -> bytes:
    await desk.disclose(desk.ask(0))
    return desk.sent[-1]


@running
async def test_a_false_answer_harms_none_of_those_who_come_next(served: Served) -> None:
    async with standing(served) as desk:
        honest, released = desk.line.send, asyncio.Event()

        async def false_at_first(path: str, body: bytes) -> bytes:
            first_of_all = not desk.sent
            answer = await honest(path, body)
            await released.wait()
            return answer[:-2] + b"x}" if first_of_all else answer

        desk.line.send = false_at_first  # type: ignore[method-assign]
        first = asyncio.create_task(desk.disclose(desk.ask(0)))
        await desk.under_way.wait()
        second = asyncio.create_task(desk.disclose(desk.ask(1)))
        await asyncio.sleep(0)
        released.set()
        with pytest.raises(FormatError):
            await first
        assert isinstance(await second, Disclosed)


@running
async def test_while_one_far_behind_catches_up_others_are_answered(served: Served) -> None:
    """More is missing than one answer brings: who else asks does not wait for that."""
    async with standing(served) as desk:
        honest, caught_up, released = desk.line.send, asyncio.Event(), asyncio.Event()
        catch_up = desk.counter._catch_up

        async def slow() -> None:
            caught_up.set()
            await released.wait()
            await catch_up()

        async def cut(path: str, body: bytes) -> bytes:
            """As a mirror that is over a thousand entries behind is answered: without the last of them."""
            first_of_all = not desk.sent
            answer = await honest(path, body)
            if not first_of_all:
                return answer
            said = msgspec.json.decode(answer)
            return encode(said | {"entries": []})

        desk.line.send, desk.counter._catch_up = cut, slow  # type: ignore[method-assign]
        first = asyncio.create_task(desk.disclose(desk.ask(0)))
        await caught_up.wait()
        assert isinstance(await desk.disclose(desk.ask(1)), Disclosed)
        assert not first.done()
        released.set()
        assert isinstance(await first, Disclosed)

        desk.sent.clear()

        async def gone() -> None:
            raise KeyholderUnavailable("the keyholder does not answer")

        desk.counter._catch_up = gone
        with pytest.raises(KeyholderUnavailable):
            await desk.disclose(desk.ask(2))
        assert isinstance(await desk.disclose(desk.ask(3)), Disclosed)


@running
async def test_answers_that_cross_are_both_taken(served: Served) -> None:
    """Two requests are under way at once; the second's answer has the entries of the first's too, and may come before it."""
    async with standing(served) as desk:
        honest, released = desk.line.send, asyncio.Event()
        before = desk.room.mirror.size

        async def crossing(path: str, body: bytes) -> bytes:
            first_of_all = not desk.sent
            answer = await honest(path, body)
            if first_of_all:
                await released.wait()
            return answer

        desk.line.send = crossing  # type: ignore[method-assign]
        first = asyncio.create_task(desk.disclose(desk.ask(0)))
        await desk.under_way.wait()
        second = asyncio.create_task(desk.disclose(desk.ask(1)))
        third = await desk.disclose(desk.ask(2))
        assert isinstance(await second, Disclosed)
        assert not first.done()
        assert desk.room.mirror.size == before + 3
        released.set()
        log = note.verifier(desk.room.anchors.log)
        for one in (await first, await second, third):
            proof.verify(proof.parse(one.receipt), desk.room.mirror.entry(one.index), [log])


@running
async def test_a_disk_that_fails_once_undoes_no_answer(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered and the evidence of those who ask next are stored in one transaction: where it fails, each for itself."""
    async with standing(served) as desk:
        honest, released = desk.line.send, asyncio.Event()

        async def slow(path: str, body: bytes) -> bytes:
            answer = await honest(path, body)
            await released.wait()
            return answer

        desk.line.send = slow  # type: ignore[method-assign]
        first = asyncio.create_task(desk.disclose(desk.ask(0)))
        await desk.under_way.wait()
        desk.under_way.clear()
        beside = asyncio.create_task(desk.disclose(desk.ask(2)))
        await desk.under_way.wait()
        signed = desk.ask(1)
        second = asyncio.create_task(desk.disclose(signed))
        await asyncio.sleep(0)
        put, failures = VaultStore.put_privates, [2]

        def full(store: VaultStore, rows: list[tuple[bytes, bytes]]) -> None:
            if failures[0]:
                failures[0] -= 1
                raise StoreError("the disk is full")
            put(store, rows)

        monkeypatch.setattr(VaultStore, "put_privates", full)
        released.set()
        assert isinstance(await first, Disclosed)
        assert isinstance(await beside, Disclosed)
        with pytest.raises(StoreError):
            await second
        # Nothing was asked for it: it is good still, and the mirror goes on.
        assert isinstance(await desk.disclose(signed), Disclosed)
        assert desk.room.mirror.size == len(desk.room.mirror.entries(0, desk.room.mirror.size))
