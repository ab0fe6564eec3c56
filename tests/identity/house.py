"""The vault's front door, open on loopback: a real room behind it, real HTTP before it, and its clock in our hand."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from tests.world import World

from strongroom.catalog.model import Provider
from strongroom.client.login import ProofKey, token_request
from strongroom.custody import ceremony
from strongroom.service.app import build
from strongroom.service.identity.door import Door
from strongroom.service.identity.endpoints import identify
from strongroom.service.identity.login import TOKEN_PATH
from strongroom.service.vault import Vault


def name_providers(town: World, **providers: Provider) -> None:
    """Have the charter in force name these, and no others."""
    town.room.sync()
    steward = ceremony.load_steward(town.root / "steward" / "steward.key")
    ceremony.amend(
        town.room,
        steward,
        lambda old: msgspec.structs.replace(old, providers=providers),
        ceremony.latest_roster(town.room),
    )


@dataclass
class House:
    """``door`` opens at ``origin``. ``ahead``: seconds by which its clock is."""

    town: World
    origin: str
    session: aiohttp.ClientSession
    ahead: int = 0
    door: Door = field(init=False)

    def clock(self) -> int:
        return self.town.room.now() + self.ahead

    async def get(self, path: str, headers: Mapping[str, str] | list[tuple[str, str]]) -> tuple[int, Any, str]:
        """Status, body and challenge of a request."""
        async with self.session.get(self.origin + path, headers=headers) as answer:
            return (
                answer.status,
                _said(answer.status, await answer.json(content_type=None)),
                answer.headers.get("WWW-Authenticate", ""),
            )

    async def post(self, path: str, **content: Any) -> tuple[int, Any]:
        async with self.session.post(self.origin + path, **content) as answer:
            return answer.status, _said(answer.status, await answer.json(content_type=None))

    async def code(self, token: str, proof: str) -> str:
        """What becomes of a request with these: the code of the problem, or ``fine``."""
        status, said, _ = await self.get("/v1/me", {"Authorization": f"DPoP {token}", "DPoP": proof})
        return "fine" if status == 200 else str(said["code"])

    def key(self) -> ProofKey:
        return ProofKey(os.urandom, lambda: float(self.clock()))

    async def log_in(self, name: str, key: ProofKey) -> tuple[int, Any]:
        """Ask for a token by the device of ``name``."""
        endpoint = self.origin + TOKEN_PATH
        form = token_request(self.town.key_of(name), endpoint, os.urandom, self.clock())
        return await self.post(TOKEN_PATH, data=form, headers={"DPoP": key.proof("POST", endpoint)})


@asynccontextmanager
async def opened(town: World, *, development: bool = False) -> AsyncIterator[House]:
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    vault = Vault(town.root / "vault", workers=1, transport=town.transport)
    async with aiohttp.ClientSession() as session:
        house = House(town, origin, session)
        house.door = Door(origin, vault.run, house.clock, os.urandom, development=development)
        app = build(vault, town.root / "vault", town.root / "public", house.door)
        who = identify(house.door)

        async def me(request: web.Request) -> web.Response:
            caller = await who(request)
            for name in request.query.getall("asks_as", ()):
                reader = town.key_of(name).reader
                caller.may_ask(reader, (await house.door.facts()).roster.get(reader))
            said = {"how": caller.how, "role": caller.role, "unit": caller.unit, "reader": caller.reader.hex()}
            return web.json_response({**said, "subject": caller.subject})

        app.router.add_get("/v1/me", me)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        try:
            yield house
        finally:
            await runner.cleanup()


def _said(status: int, body: Any) -> Any:
    """An answer, or of a problem its code alone."""
    return body if status < 400 else {"code": body["code"]}
