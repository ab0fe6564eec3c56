"""Witnesses behind real sockets: honest ones, which are our own server, and those that lie, break off or take their time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web
from tests.houses import Houses

from strongroom.catalog.model import Witnesses
from strongroom.custody import ceremony
from strongroom.keyholder.witnessing import Witnessing
from strongroom.ledger.note import Verifier, verifier
from strongroom.witness import house
from strongroom.witness.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def at(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Its address, while it is served."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def liar(handler: Handler) -> web.Application:
    app = web.Application()
    app.router.add_post("/{path:.*}", handler)
    return app


class Honest:
    """A witness of ours in ``directory``, which knows the log. ``hold`` keeps it from answering; ``asked``: bodies that came."""

    def __init__(self, directory: Path, name: str, log: str, called: str = "") -> None:
        self.keys = house.create(directory, called or name, os.urandom)
        self.directory = directory
        store = house.open_store(directory)
        store.add(house.logs([log]))
        store.close()
        self.hold: asyncio.Event | None = None
        self.asked: list[bytes] = []

    @property
    def verifiers(self) -> tuple[Verifier, Verifier]:
        return verifier(self.keys.ed25519.vkey), verifier(self.keys.ml_dsa.vkey)

    def app(self) -> web.Application:
        @web.middleware
        async def held(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked.append(await request.read())
            if self.hold is not None:
                await self.hold.wait()
            return await handler(request)

        app = Server(self.directory).service().app
        app.middlewares.append(held)
        return app

    def lines(self, name: str, url: str) -> str:
        """Of a policy: both keys, either of which will do."""
        return (
            f"witness {name}-1 {self.keys.ed25519.vkey} {url}\nwitness {name}-2 {self.keys.ml_dsa.vkey} {url}\n"
            f"group {name} any {name}-1 {name}-2\n"
        )


def rule(houses: Houses, policy: str, *, strict: bool = False, fresh: int = 3600) -> None:
    """The charter from now on."""
    steward = ceremony.load_steward(houses.town.root / "steward" / "steward.key")
    room = houses.town.room
    stated = Witnesses(policy=policy, fresh=fresh, strict=strict)
    ceremony.amend(
        room,
        steward,
        lambda old: msgspec.structs.replace(old, witnesses=stated),
        ceremony.latest_roster(room),
    )


@asynccontextmanager
async def gathering(houses: Houses) -> AsyncIterator[Witnessing]:
    """The keyholder's own asking, at work in this loop."""
    made = Witnessing(houses.town.keyholder)
    task = asyncio.create_task(made.forever())
    try:
        yield made
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def three(
    houses: Houses, directory: Path, *, strict: bool = True, quorum: str = "2", fresh: int = 3600
) -> AsyncIterator[list[Honest]]:
    """Three honest witnesses, two of which are a quorum, named in the charter."""
    log = houses.town.keyholder.keys.log.vkey
    found = [Honest(directory / f"w{n}", f"w{n}.example", log) for n in range(3)]
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(at(one.app())) for one in found]
        lines = "".join(one.lines(f"w{n}", url) for n, (one, url) in enumerate(zip(found, urls, strict=True)))
        rule(houses, f"{lines}group q {quorum} w0 w1 w2\nquorum q\n", strict=strict, fresh=fresh)
        yield found
