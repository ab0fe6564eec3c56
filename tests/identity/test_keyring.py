"""Fetching a provider's keys (service/identity/keyring.py) from servers that do it wrong, each over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from tests.identity import forge
from tests.identity.refusals import refused

from strongroom.catalog.model import Provider
from strongroom.service.identity import keyring
from strongroom.service.identity.keyring import Keyring

SIGNER = forge.es256()


@dataclass
class Issuer:
    """Serves what ``fault`` has it serve. ``asked``: the paths that were asked for."""

    origin: str
    fault: str
    asked: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def provider(self) -> Provider:
        return forge.provider(SIGNER, issuer=self.origin)

    async def discovery(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        good = json.dumps({"issuer": self.origin, "jwks_uri": f"{self.origin}/jwks"})
        if self.fault == "redirect":
            return web.Response(status=302, text=good, headers={"Location": request.path})
        if self.fault == "error":
            return web.Response(status=500, text=good)
        if self.fault == "not-json":
            return web.Response(text="<html>")
        if self.fault == "compressed":
            return web.Response(body=gzip.compress(good.encode()), headers={"Content-Encoding": "gzip"})
        if self.fault == "large":
            return web.Response(text=good + " " * 300_000)
        if self.fault == "slow":
            self.came.set()
            await self.hold.wait()
        issuer = "https://login.example" if self.fault == "another" else self.origin
        at = "http://192.0.2.1/jwks" if self.fault == "elsewhere" else f"{self.origin}/jwks"
        return web.json_response({"issuer": issuer, "jwks_uri": at})

    async def jwks(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        signers = [forge.es256()] if self.fault == "unpinned" else [SIGNER]
        return web.json_response({"keys": [{**one.jwk, "kid": "k1"} for one in signers]})


@asynccontextmanager
async def serving(fault: str = "") -> AsyncIterator[Issuer]:
    listening = socket.create_server(("127.0.0.1", 0))
    issuer = Issuer(f"http://127.0.0.1:{listening.getsockname()[1]}", fault)
    app = web.Application()
    app.add_routes([web.get("/.well-known/openid-configuration", issuer.discovery), web.get("/jwks", issuer.jwks)])
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield issuer
    finally:
        issuer.hold.set()
        await runner.cleanup()


@asynccontextmanager
async def ring() -> AsyncIterator[tuple[Keyring, list[int]]]:
    now = [forge.NOW]
    made = Keyring(lambda: now[0])
    try:
        yield made, now
    finally:
        await made.close()


@pytest.mark.parametrize("fault", ["redirect", "error", "not-json", "compressed", "large", "another", "elsewhere"])
def test_what_is_not_an_issuer_s_own_plain_answer_gives_no_keys(fault: str) -> None:
    async def story() -> None:
        async with serving(fault) as issuer, ring() as (keys, _):
            with refused("provider"):
                await keys.key(issuer.provider, "k1")
            assert issuer.asked == ["/.well-known/openid-configuration"]

    asyncio.run(story())


def test_a_key_that_is_not_pinned_is_not_taken() -> None:
    async def story() -> None:
        async with serving("unpinned") as issuer, ring() as (keys, _):
            with refused("token-key"):
                await keys.key(issuer.provider, "k1")

    asyncio.run(story())


def test_many_who_come_at_once_ask_the_provider_once() -> None:
    async def story() -> None:
        async with serving() as issuer, ring() as (keys, now):
            found = await asyncio.gather(*[keys.key(issuer.provider, "k1") for _ in range(50)])
            assert {one.thumbprint for one in found} == {SIGNER.jkt}
            for _ in range(50):
                with refused("token-key"):
                    await keys.key(issuer.provider, "made-up")
            assert len(issuer.asked) == 2
            now[0] += keyring.PAUSE
            with refused("token-key"):
                await keys.key(issuer.provider, "made-up")
            assert len(issuer.asked) == 4

    asyncio.run(story())


def test_a_provider_that_does_not_answer_holds_up_nobody_whose_key_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with serving() as issuer, ring() as (keys, now):
            await keys.key(issuer.provider, "k1")
            issuer.fault = "slow"
            now[0] += keyring.FRESH
            assert (await keys.key(issuer.provider, "k1")).thumbprint == SIGNER.jkt
            keys.still(issuer.provider, SIGNER.jkt)
            # Who waits for a key that is not known waits so long and no longer.
            with refused("token-key"):
                await keys.key(issuer.provider, "made-up")

    monkeypatch.setattr(keyring, "_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    asyncio.run(story())


def test_a_key_that_was_believed_is_so_no_more_once_withdrawn_or_for_an_hour_unheard_of() -> None:
    async def story() -> None:
        async with serving() as issuer, ring() as (keys, now):
            await keys.key(issuer.provider, "k1")
            issuer.fault = "error"
            now[0] += keyring.GOOD - 1
            keys.still(issuer.provider, SIGNER.jkt)
            now[0] += 1
            with refused("provider"):
                keys.still(issuer.provider, SIGNER.jkt)
            issuer.fault = "unpinned"
            now[0] += keyring.PAUSE
            with refused("token-key"):
                await keys.key(issuer.provider, "k1")
            with refused("token-key"):
                keys.still(issuer.provider, SIGNER.jkt)

    asyncio.run(story())


def test_who_goes_away_in_the_middle_leaves_the_fetch_to_the_others() -> None:
    async def story() -> None:
        async with serving("slow") as issuer, ring() as (keys, _):
            waiting = [asyncio.create_task(keys.key(issuer.provider, "k1")) for _ in range(2)]
            await issuer.came.wait()
            waiting[0].cancel()
            issuer.hold.set()
            assert (await waiting[1]).thumbprint == SIGNER.jkt
            assert waiting[0].cancelled()

    asyncio.run(story())


def test_nothing_of_an_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with serving("another") as issuer, ring() as (keys, _):
            with refused("provider"):
                await keys.key(issuer.provider, "k1")

    asyncio.run(story())
    assert "another issuer's" in caplog.text
    assert "login.example" not in caplog.text
