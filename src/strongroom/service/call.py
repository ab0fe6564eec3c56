"""One request as a route's function gets it, and the row of the table that a route is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from aiohttp import web

from strongroom.api.queries import Nothing
from strongroom.catalog.model import RosterLine
from strongroom.client.device import SignedAsk
from strongroom.gate import ask as asks
from strongroom.service import asks as wire
from strongroom.service.bodies import Bodies
from strongroom.service.identity.caller import DEVELOPMENT, Caller
from strongroom.service.vault import Vault

JSON, LINES = "application/json", "application/x-ndjson"


Line = Callable[[bytes], Awaitable[RosterLine | None]]
"""A reader's line in the roster in force."""


@dataclass(frozen=True)
class Call:
    """``body`` and ``query``: of the types that the route names; ``entry``: of a path that has one, otherwise -1. ``public``:
    where the ledger is published."""

    vault: Vault
    line: Line
    public: Path
    bodies: Bodies
    request: web.Request = field(repr=False)
    caller: Caller
    body: Any = field(repr=False)
    query: Any
    entry: int

    async def signed(self, evidence: asks.Evidence, kind: type[asks.Ask]) -> SignedAsk:
        """The ask, if this caller may bring it. Raises ``Refused``, ``IdentityRefused``."""
        found = wire.signed(evidence, kind)
        await self.may_ask(found.ask.reader)
        return found

    async def may_bring(self, evidence: asks.Evidence) -> None:
        """The same of who calls alone, for an answer that is kept. Raises ``Refused``, ``IdentityRefused``."""
        await self.may_ask(asks.parse(evidence.ask.encode("utf-8", "surrogatepass")).reader)

    async def may_ask(self, reader: bytes) -> None:
        """Raises ``IdentityRefused``."""
        if self.caller.how != DEVELOPMENT:
            self.caller.may_ask(reader, await self.line(reader))


Act = Callable[[Call], Awaitable[msgspec.Struct | web.StreamResponse]]


@dataclass(frozen=True)
class Stream:
    """A body of lines of JSON, which ``act`` reads itself: the first is a ``head``, each further one a ``line``. What is answered are
    lines too."""

    act: Act
    head: Any
    line: Any
    answer: Any


@dataclass(frozen=True)
class Route:
    """One call. ``name``: what the document and ``examples`` call it. ``body``: what is sent, None where nothing is; ``most``: its
    bytes. ``query``: what may stand behind the question mark. ``answer``: what is answered with ``status``, or the lines of it
    (``answers_lines``). ``stream``: it may also come as lines. ``writes``: it heeds an Idempotency-Key; ``used_once``: its ask is good
    for one time, whoever sends it again. ``codes``: of problems, besides
    those that every route has."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    act: Act
    answer: Any
    body: Any = None
    stream: Stream | None = None
    query: type[msgspec.Struct] = Nothing
    most: int = 0
    status: int = 200
    answers_lines: bool = False
    writes: bool = False
    used_once: bool = False
    codes: tuple[str, ...] = ()
