"""The keyholder has its checkpoints cosigned (SPEC.md section 5.9).

All witnesses are shown one checkpoint, and the next one when a quorum has cosigned that, or nobody is left who could: so that a quorum
stands under one text, however fast the ledger grows. A witness is asked one thing at a time; one that is slow is shown what is current
when it comes back, and nobody waits for it but where there is no quorum without it.

Reads do not wait for witnesses, but in a strict room: there an answer is held back until a quorum has cosigned a checkpoint that has
its entry, and those that arrived meanwhile go together.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp

from strongroom.errors import (
    Declined,
    LedgerError,
    QuorumError,
    StoreError,
    StrongroomError,
    Unwitnessed,
    WitnessUnavailable,
)
from strongroom.keyholder.cosigning import House, Round, houses
from strongroom.ledger import checkpoint, note, witnessed
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.policy import NOBODY, Policy, of_charter
from strongroom.witness import asking
from strongroom.witness.request import Request

if TYPE_CHECKING:
    from strongroom.keyholder.core import Keyholder

log = logging.getLogger("strongroom.keyholder")

HOLD_SECONDS = 10.0
"""How long an answer is held back. The same request is answered again for 120 s (SPEC.md 8.4)."""

PACE_SECONDS = 5.0
"""Between rounds that nobody waits for, and between writings of what was cosigned."""

_AGAIN_SECONDS = 0.5
# A witness that another request of ours has moved on says so, and is asked once more.
_TRIES = 2


class Witnessing:
    """Belongs to the server's loop, as the keyholder does. ``covered``: up to which size a quorum has cosigned the ledger."""

    def __init__(self, keyholder: Keyholder) -> None:
        self._keyholder = keyholder
        self._policy, self._houses = NOBODY, dict[str, House]()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._round: Round | None = None
        self._moved = asyncio.Condition()
        self._wanted = self.covered = 0
        # Of a checkpoint with our own log's signature that the book does not reach: the witness's name, and its size.
        self._ahead = ("", 0)
        self._began = self._wrote = float("-inf")
        self._unwritten = ""

    @property
    def strict(self) -> bool:
        return self._keyholder.charter.witnesses.strict

    # --- what others ask -----------------------------------------------------------------------------------------------
    async def cover(self, size: int) -> None:
        """Return once a quorum has cosigned the first ``size`` entries; at once where the room is not strict. Or ``Unwitnessed``."""
        if not self.strict or size <= self.covered:
            return
        self._wanted = max(self._wanted, size)
        async with self._moved:
            self._moved.notify_all()
            try:
                async with asyncio.timeout(HOLD_SECONDS):
                    await self._moved.wait_for(lambda: size <= self.covered)
            except TimeoutError:
                raise Unwitnessed(
                    f"no quorum of witnesses has cosigned the entry within {HOLD_SECONDS:.0f} s: {self._faults()}."
                    " Send the same request again"
                ) from None

    async def verify(self) -> None:
        """For readiness: a quorum has cosigned this ledger within the charter's ``fresh`` seconds. Raises ``QuorumError``; and
        ``StoreError`` where a witness has proved that this book is an old copy."""
        name, size = self._ahead
        if size > self._keyholder.book.size:
            raise StoreError(
                f"{name} holds a checkpoint of {size:,} entries with this keyholder's own signature, and the book has"
                f" {self._keyholder.book.size:,}: it was restored from an old copy. Run: strongroom keyholder recover"
            )
        stated, now = self._keyholder.charter.witnesses, self._keyholder.now()
        policy = of_charter(self._keyholder.charter)
        try:
            witnessed.verify(self._last(policy), policy, stated.fresh, now)
        except QuorumError as error:
            raise QuorumError(f"{error}: {self._faults()}") from None

    def age(self) -> float:
        """Seconds since a quorum cosigned last, for a figure; infinite where none has."""
        with suppress(StrongroomError):
            policy = of_charter(self._keyholder.charter)
            since = witnessed.verify(self._last(policy), policy, 2**53, self._keyholder.now())
            return max(0.0, float(self._keyholder.now() - since))
        return float("inf")

    def _faults(self) -> str:
        said = [f"{one.verifiers[0].name}: {one.fault}" for one in self._houses.values() if one.fault]
        return "; ".join(said) or "none was asked yet"

    def _last(self, policy: Policy) -> witnessed.Witnessed:
        """What a quorum cosigned last, as it was written down or is about to be."""
        text = self._unwritten or (self._keyholder.store.state("witnessed") or b"").decode()
        if not text:
            return witnessed.Witnessed(Checkpoint(self._keyholder.keys.origin, 0, bytes(32)), {})
        return witnessed.opened(text, [note.verifier(self._keyholder.keys.log.vkey)], policy)

    # --- rounds --------------------------------------------------------------------------------------------------------
    async def forever(self) -> None:
        """Ask, round by round. Runs as long as the server does."""
        async with asking.session() as session:
            try:
                while True:
                    try:
                        await self._once(session)
                    except (StrongroomError, OSError, sqlite3.Error) as error:
                        # No charter yet, a clock that is wrong, a disk that is full: each is said elsewhere, and passes.
                        log.debug("no round: %s", type(error).__name__)
                        await asyncio.sleep(PACE_SECONDS)
            finally:
                await self._hang_up()
                with suppress(sqlite3.Error):
                    self._write()

    async def _once(self, session: aiohttp.ClientSession) -> None:
        self._keyholder.set_time(self._keyholder.now())
        await self._follow(of_charter(self._keyholder.charter))
        # Somebody who waits has it now; else what is published, when that has grown or its cosignatures grow old.
        waits = self._wanted > self.covered
        loop = asyncio.get_running_loop()
        if not self._houses or not (waits or (loop.time() >= self._began + PACE_SECONDS and self._due())):
            async with self._moved:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PACE_SECONDS / 5):
                        await self._moved.wait_for(lambda: bool(self._houses) and self._wanted > self.covered)
            if loop.time() >= self._wrote + PACE_SECONDS:
                self._write()
            return
        self._began, self._round = loop.time(), self._begin(published=not waits)
        current = self._round
        for house in self._houses.values():
            if house.url not in self._asking:
                self._asking[house.url] = asyncio.create_task(self._ask(session, house))
        async with self._moved:
            await self._moved.wait_for(lambda: current.quorate or current.tried >= self._houses.keys())
        if current.quorate:
            if loop.time() >= self._wrote + PACE_SECONDS:
                self._write()
        elif waits:
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _follow(self, policy: Policy) -> None:
        """The charter in force may name others than the last one."""
        if policy == self._policy:
            return
        await self._hang_up()
        self._policy, self._round = policy, None
        self._houses = {one.url: one for one in houses(policy)}
        with suppress(LedgerError):
            last = self._last(policy)
            for house in self._houses.values():
                if any(one in last.times for one in house.verifiers):
                    house.size = last.size
            if policy.met(last.times):
                self.covered = max(self.covered, last.size)

    async def _hang_up(self) -> None:
        asking_, self._asking = list(self._asking.values()), {}
        for task in asking_:
            task.cancel()
        await asyncio.gather(*asking_, return_exceptions=True)

    def _due(self) -> bool:
        size = int(self._keyholder.store.state("published_size") or b"0")
        grown = size > (self._round.at.size if self._round else -1) or not (self._round and self._round.quorate)
        return bool(size) and (grown or self.age() >= self._keyholder.charter.witnesses.fresh / 2)

    def _begin(self, *, published: bool) -> Round:
        book, now = self._keyholder.book, self._keyholder.now()
        text = note.parse_note(book.published()).text if published else ""
        # One that has cosigned more than is published can cosign that no more.
        if not text or checkpoint.parse(text).size < max(house.size for house in self._houses.values()):
            text = note.parse_note(book.note).text
        keys = self._keyholder.keys
        signed = f"{text}\n{keys.log.sign(text)}{keys.ml_dsa.cosign(text, now)}"
        return Round(checkpoint.parse(text), signed, self._policy)

    async def _ask(self, session: aiohttp.ClientSession, house: House) -> None:
        """Show ``house`` the round at hand, and those that begin meanwhile."""
        while self._round is not None and house.url not in self._round.tried:
            current = self._round
            try:
                answer = await self._cosignatures(session, house, current)
                current.take(house, answer, self._keyholder.now())
                house.size, house.fault = current.at.size, ""
            except (StrongroomError, OSError, sqlite3.Error) as error:
                self._failed(house, error)
                await self._look_ahead(session, house)
            except Exception as error:
                log.exception("a witness could not be asked")
                self._failed(house, error)
            current.tried.add(house.url)
            if current.quorate:
                self.covered = max(self.covered, current.at.size)
                # One that comes late must not take the place of what was cosigned since.
                if current.at.size == self.covered:
                    self._unwritten = current.note()
            async with self._moved:
                self._moved.notify_all()
        # Nothing is awaited from the look at the round to here, so that none is missed.
        del self._asking[house.url]

    async def _cosignatures(self, session: aiohttp.ClientSession, house: House, current: Round) -> str:
        for tries_left in reversed(range(_TRIES)):
            if house.size > current.at.size:
                raise WitnessUnavailable(
                    f"it has cosigned {house.size:,} entries, and this ledger has {current.at.size:,}"
                )
            # The prover is the committer's: what it reads is committed, and nothing else runs meanwhile.
            proof = tuple(self._keyholder.book.consistency(house.size, current.at.size))
            try:
                return await asking.add_checkpoint(session, house.url, Request(house.size, proof, current.signed))
            except Declined as error:
                if error.size is None or not tries_left:
                    raise
                house.size = error.size
        raise AssertionError("unreachable")

    async def _look_ahead(self, session: aiohttp.ClientSession, house: House) -> None:
        """Its size alone is anybody's word. What our log has signed is ours."""
        if house.size <= self._keyholder.book.size:
            return
        # Nor is it kept: one false size, its own or of somebody on the way, would shut it out for good. Next time it is asked.
        house.size = 0
        keys = self._keyholder.keys
        with suppress(Declined, WitnessUnavailable, LedgerError):
            text = await asking.last_checkpoint(session, house.url, keys.origin)
            at, _ = note.open_checkpoint(text, [note.verifier(keys.log.vkey)])
            if at.size > self._keyholder.book.size:
                self._ahead = (house.verifiers[0].name, at.size)

    def _failed(self, house: House, error: Exception) -> None:
        if not house.fault:
            ahead = house.size > self._keyholder.book.size
            level = logging.ERROR if ahead else logging.WARNING
            log.log(level, "witness %s does not cosign: %s", house.verifiers[0].name, error)
        house.fault = str(error) if isinstance(error, StrongroomError) else type(error).__name__

    def _write(self) -> None:
        """What was cosigned last, durably, so that it is published and a restart knows it."""
        self._wrote = asyncio.get_running_loop().time()
        if self._unwritten:
            self._keyholder.store.set_state("witnessed", self._unwritten.encode())
            self._unwritten = ""
