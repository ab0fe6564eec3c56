"""The vault's work, off the event loop: threads that each have the room open for themselves.

A room belongs to the thread that opened it, and so does everything of it; what comes back are plain values.
"""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from strongroom.catalog.model import RosterLine
from strongroom.client.device import SignedAsk
from strongroom.custody import asking, check, correct, erase, read, receive, takeout
from strongroom.custody.check import Checked
from strongroom.custody.correct import Corrected
from strongroom.custody.erase import Erased
from strongroom.custody.read import Disclosed, Found
from strongroom.custody.receive import Parsed, Received
from strongroom.custody.room import Room
from strongroom.custody.takeout import Given, Plan
from strongroom.errors import InputError, Refused, StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import client
from strongroom.ledger import entry
from strongroom.service.problems import Told

T = TypeVar("T")

WORKERS = 4
_UNWRITTEN = frozenset({"ask", "room", "reader", "signature", "used", "early", "stale", "malformed"})
"""Codes of refusals that the ledger does not say (SPEC.md 8.4)."""


class Vault:
    """One room, on the network. Its methods raise what custody raises; a refusal that the ledger has as ``Told``."""

    def __init__(self, directory: Path, *, workers: int = WORKERS, transport: client.Transport | None = None) -> None:
        self._directory, self._transport, self._count = directory, transport, workers
        self._local = threading.local()
        self._threads = ThreadPoolExecutor(workers, "vault")

    async def run(self, work: Callable[[Room], T]) -> T:
        """``work`` with a room, on one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._room()))

    async def close(self) -> None:
        """Once what is under way has ended. Each thread closes what it has opened."""
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
        return found

    async def line(self, reader: bytes) -> RosterLine | None:
        """The reader's line in the roster in force."""
        return await self.run(lambda room: room.rules().roster.get(reader))

    # --- reads -----------------------------------------------------------------------------------------------------
    async def find(self, signed: SignedAsk) -> Found:
        return await self.run(lambda room: told(room, signed, read.find))

    async def disclose(self, signed: SignedAsk) -> Disclosed:
        return await self.run(lambda room: told(room, signed, read.disclose))

    async def check(self, signed: SignedAsk) -> Checked:
        return await self.run(lambda room: told(room, signed, check.check))

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

        return await self.run(work)

    async def receive(self, signed: SignedAsk, columns: Mapping[str, Sequence[str | None]]) -> Received:
        """``columns``: as ``parse`` gave them."""
        return await self.run(
            lambda room: told(room, signed, lambda room, signed: receive.receive(room, signed, columns))
        )

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
        index = None if refusal.code in _UNWRITTEN else _entry_of(room, signed, have)
        if index is None:
            raise
        raise Told(refusal, index) from None


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
