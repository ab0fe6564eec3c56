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

    async def may_ask(self, reader: bytes) -> None:
        """Raises ``IdentityRefused``."""
        if self.caller.how != DEVELOPMENT:
            self.caller.may_ask(reader, await self.line(reader))


Act = Callable[[Call], Awaitable[msgspec.Struct | web.StreamResponse]]


@dataclass(frozen=True)
class Route:
    """``body``: what is sent, None where nothing is; ``lines``: what its lines are where it may come as lines of JSON (``act``
    then reads them itself), ``head`` the first of them. ``most``: bytes of a body that is no stream. ``answer``: what is answered, or
    its lines. ``writes``: it heeds an Idempotency-Key. ``codes``: of problems, besides those that every route has.
    ``example``: what is sent and what is answered, from ``examples``."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    act: Act
    answer: Any
    body: Any = None
    streamed: Act | None = None
    head: Any = None
    lines: Any = None
    lines_answer: Any = None
    query: type[msgspec.Struct] = Nothing
    most: int = 0
    status: int = 200
    answers_lines: bool = False
    writes: bool = False
    codes: tuple[str, ...] = ()
