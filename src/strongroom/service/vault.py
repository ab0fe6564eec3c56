"""The vault's work. Reads go together at the ``counter``, in the loop's own thread; what takes longer goes to threads.

Each of them has the room open for itself: a room belongs to the thread that opened it, and so does everything of it. What comes back are plain
values.
"""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from strongroom.client.device import SignedAsk
from strongroom.custody import alone, asking, check, correct, erase, read, receive, takeout
from strongroom.custody.check import Checked
from strongroom.custody.correct import Corrected
from strongroom.custody.erase import Erased
from strongroom.custody.read import Disclosed, Found
from strongroom.custody.receive import Order, Parsed, Received, Receiver
from strongroom.custody.room import Room
from strongroom.custody.steps import Steps
from strongroom.custody.takeout import Given, Plan
from strongroom.errors import InputError, Refused, StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import client
from strongroom.keyholder.aioclient import AioClient
from strongroom.ledger import entry
from strongroom.service.beside import Beside
from strongroom.service.counter import Counter
from strongroom.service.intake import Intake, Outcome, rows
from strongroom.service.problems import Told

T = TypeVar("T")

WORKERS = 4
PAGES_MB = 16
"""Of the store's file, for each thread: what more it reads is in the system's own cache."""
_FEW = 20
"""Records that are looked at in less time than it takes to hand them to another thread."""
_MANY = 50
"""Records of one request from which on a process beside the server takes them in."""
_BESIDE = 2
"""Processes: while one waits for the keyholder or the disk the other seals. Each has half of what comes together, which costs a seventh more."""
_UNWRITTEN = frozenset({"ask", "room", "reader", "signature", "used", "early", "stale", "malformed"})
"""Codes of refusals that the ledger does not say (SPEC.md 8.4)."""


class Vault:
    """One room, on the network. Its methods raise what custody raises; a refusal that the ledger has as ``Told``."""

    def __init__(self, directory: Path, *, workers: int = WORKERS, transport: client.Transport | None = None) -> None:
        self._directory, self._transport, self._count = directory, transport, workers
        self._local = threading.local()
        self._threads = ThreadPoolExecutor(workers, "vault")
        self._counter: Counter | None = None
        self._counting: Room | None = None
        self._line: AioClient | None = None
        self._intake = Intake(self._receive)
        self._beside = Beside(directory)
        self._bulk = Intake(self._receive_beside, lines=_BESIDE)

    async def run(self, work: Callable[[Room], T]) -> T:
        """``work`` with a room, on one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._room()))

    async def close(self) -> None:
        """Once what is under way has ended. Each thread closes what it has opened."""
        await self._intake.close()
        await self._bulk.close()
        self._beside.close()
        if self._counter is not None:
            await self._counter.close()
            assert self._line is not None
            assert self._counting is not None
            await self._line.close()
            self._counting.close()
        together = threading.Barrier(self._count)

        def end() -> None:
            together.wait()  # none takes two of these
            room: Room | None = getattr(self._local, "room", None)
            if room is not None:
                room.close()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*[loop.run_in_executor(self._threads, end) for _ in range(self._count)])
        self._threads.shutdown()

    def _room(self) -> Room:
        found: Room | None = getattr(self._local, "room", None)
        if found is None:
            found = self._local.room = Room(self._directory, transport=self._transport)
            found.store.keep_pages(PAGES_MB)
        return found

    # --- reads -----------------------------------------------------------------------------------------------------
    async def find(self, signed: SignedAsk) -> Found:
        return await self._read(signed, read.finding)

    async def disclose(self, signed: SignedAsk) -> Disclosed:
        return await self._read(signed, read.disclosing)

    async def check(self, signed: SignedAsk) -> Checked:
        return await self._read(signed, check.checking)

    async def _read(self, signed: SignedAsk, steps: Callable[[Room, SignedAsk], Steps[T]]) -> T:
        """Together with what else arrives; alone on one of the threads where there is no line, but a transport of the caller's."""
        if self._transport is not None:
            return await self.run(
                lambda room: told(room, signed, lambda room, signed: alone.drive(room, steps(room, signed)))
            )
        try:
            return await self._at_counter().ask(lambda room: _sized(room, signed, steps))
        except Refused as refusal:
            if refusal.entry is None:
                raise
            raise Told(refusal, refusal.entry) from None

    def _at_counter(self) -> Counter:
        # Opened in the loop's own thread, to which its room belongs from then on.
        if self._counter is None:
            self._counting = room = Room(self._directory)
            room.store.keep_pages(PAGES_MB)
            self._line = AioClient(room.address, room.voice, room.keys.message, tls=room.tls)
            self._counter = Counter(room, self._line, lambda: self.run(Room.sync))
            self._counter.start()
        return self._counter

    # --- changes ---------------------------------------------------------------------------------------------------
    async def correct(self, signed: SignedAsk, intake: SignedAsk | None) -> Corrected:
        """``intake``: the ask under which identifiers are indexed anew, where the holding has any."""
        return await self.run(
            lambda room: told(room, signed, lambda room, signed: correct.revise(room, signed, intake))
        )

    async def erase(self, signed: SignedAsk) -> Erased:
        return await self.run(lambda room: told(room, signed, erase.erase))

    async def parse(self, holding: str, records: Sequence[Mapping[str, str | None]], first: int = 1) -> Parsed:
        """Raises ``InputError`` for a holding that there is not."""

        def work(room: Room) -> Parsed:
            declared = room.rules().charter.holdings.get(holding)
            if declared is None:
                raise InputError("the charter has no such holding")
            return receive.parse(declared, records, first)

        if self._transport is None and len(records) <= _FEW:
            self._at_counter().look()
            assert self._counting is not None
            return work(self._counting)
        return await self.run(work)

    async def receive(self, signed: SignedAsk, columns: Mapping[str, Sequence[str | None]]) -> Received:
        """``columns``: as ``parse`` gave them."""
        order = Order(signed, columns)
        if self._transport is None and rows(order) >= _MANY:
            return await self._bulk.take(order)
        return await self._intake.take(order)

    async def _receive(self, orders: Sequence[Order]) -> list[Outcome]:
        return await self.run(lambda room: _received(self._receiver(room), room, orders))

    async def _receive_beside(self, orders: Sequence[Order]) -> list[Outcome]:
        have = await self.run(lambda room: room.mirror.size)
        found = await self._beside.receive(orders)
        if any(isinstance(one, Refused) for one in found):
            return await self.run(lambda room: _all_placed(room, orders, found, have))
        return found

    def _receiver(self, room: Room) -> Receiver:
        found: Receiver | None = getattr(self._local, "receiver", None)
        if found is None:
            found = self._local.receiver = Receiver(room)
        return found

    # --- exports ---------------------------------------------------------------------------------------------------
    async def plan(self, signed: SignedAsk, records: Sequence[bytes] | None) -> Plan:
        return await self.run(lambda room: told(room, signed, lambda room, signed: takeout.plan(room, signed, records)))

    async def give(self, signed: SignedAsk, part: Sequence[bytes]) -> Given:
        return await self.run(lambda room: told(room, signed, lambda room, signed: takeout.give(room, signed, part)))


def told(room: Room, signed: SignedAsk, act: Callable[[Room, SignedAsk], T]) -> T:
    """What ``act`` gives. A refusal says where the ledger has it, if it can be told."""
    _verify_size(room, signed.ask)
    have = room.mirror.size
    try:
        return act(room, signed)
    except Refused as refusal:
        raise _placed(room, signed, refusal, have) from None


def _received(receiver: Receiver, room: Room, orders: Sequence[Order]) -> list[Outcome]:
    """What came of each order, refusals as ``told`` tells them."""
    have = room.mirror.size
    return _all_placed(room, orders, receiver.receive(orders), have)


def _all_placed(room: Room, orders: Sequence[Order], found: Sequence[Outcome], have: int) -> list[Outcome]:
    return [
        _placed(room, order.signed, one, have) if isinstance(one, Refused) else one
        for order, one in zip(orders, found, strict=True)
    ]


def _placed(room: Room, signed: SignedAsk, refusal: Refused, have: int) -> Refused | Told:
    """The refusal with its place in the ledger, where it has one that is found from ``have`` on."""
    index = refusal.entry
    if index is None and refusal.code not in _UNWRITTEN:
        index = _entry_of(room, signed, have)
    return refusal if index is None else Told(refusal, index)


def _sized(room: Room, signed: SignedAsk, steps: Callable[[Room, SignedAsk], Steps[T]]) -> Steps[T]:
    _verify_size(room, signed.ask)
    return (yield from steps(room, signed))


def _verify_size(room: Room, ask: asks.Ask) -> None:
    """An entry has a tag for each person of each record, and a request so many slots. Raises ``InputError``."""
    holding = room.rules().charter.holdings.get(ask.holding)
    if holding is None or not isinstance(ask, asks.DiscloseAsk | asks.CheckAsk | asks.CorrectAsk | asks.EraseAsk):
        return
    fields = (
        ask.fields if isinstance(ask, asks.DiscloseAsk) else [ask.field] if isinstance(ask, asks.CheckAsk) else None
    )
    most = asking.most(holding, fields)
    if len(ask.records) > most:
        raise InputError(f"one ask may be of at most {most} records of {ask.holding} with these fields; split it")


def _entry_of(room: Room, signed: SignedAsk, have: int) -> int | None:
    """The index of the refusal of this ask, among the entries from ``have`` on."""
    hash_ = asks.ask_hash(signed.text)
    words = b64encode(hash_)
    for fetch in (False, True):
        try:
            if fetch:
                # A refusal of the keyholder's comes without its entry.
                room.sync()
            for index, data in enumerate(room.mirror.entries(have, room.mirror.size), have):
                if words in data and isinstance(found := entry.parse(data), entry.RefusalEntry):
                    assert found.commitment == hash_
                    return index
        except StrongroomError:
            return None  # the refusal stands all the same
    return None
