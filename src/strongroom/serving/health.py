"""The admin listener: is it alive, is it ready, its figures (SPEC.md section 10.4)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec
from aiohttp import web

from strongroom.errors import StoreError, StrongroomError, of_system
from strongroom.serving import metrics
from strongroom.serving.logs import told

Check = Callable[[], Awaitable[None]]
"""Raises ``StrongroomError`` with the reason when it does not hold."""

_SECONDS = 10.0
_LEAST_BYTES = 64 * 2**20
log = logging.getLogger("strongroom.serving")


class Health:
    """``checks`` by name. A server that stops is not ready, whatever they say."""

    def __init__(self, checks: Mapping[str, Check], figures: metrics.Metrics) -> None:
        self._checks, self._figures = checks, figures
        self.stopping = False
        self._looking: asyncio.Task[list[str]] | None = None

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def look(self) -> dict[str, str]:
        """What each check says now: ``ok``, or why not. All of them at once, each within 10 s. Whoever asks meanwhile gets the same."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        said = await asyncio.shield(self._looking)
        found = dict(zip(self._checks, said, strict=True))
        return found | {"stopping": "the server was told to stop"} if self.stopping else found

    async def _look(self) -> list[str]:
        return await asyncio.gather(*[_ask(name, check) for name, check in self._checks.items()])

    async def _livez(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        found = await self.look()
        ready = all(one == "ok" for one in found.values())
        body = msgspec.json.encode({"checks": found, "ready": ready})
        return web.Response(status=200 if ready else 503, body=body, content_type="application/json")

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._figures.text(), headers={"Content-Type": metrics.CONTENT_TYPE})


async def _ask(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(_SECONDS):
            await check()
    except StrongroomError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {_SECONDS:.0f} s"
    except Exception as error:
        log.error("the check %s failed", name, exc_info=error)
        return f"the check itself failed: {told(error)['error']}"
    return "ok"


def free(directory: Path) -> int:
    """Bytes that are left to us on the disk of ``directory``."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def verify_disk(directory: Path) -> None:
    """That a file can be written there and reaches the disk, and that there is room for more. Raises ``StoreError``."""
    probe = directory / ".probe"
    try:
        left = free(directory)
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, bytes(4096))
            os.fsync(handle)
        finally:
            os.close(handle)
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(of_system(error, directory)) from None
    if left < _LEAST_BYTES:
        raise StoreError(f"{directory}: {left // 2**20} MiB are left on its disk. Free space on it")
