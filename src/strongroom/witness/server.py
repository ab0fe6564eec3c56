"""The witness as a service: one thread keeps what was cosigned, so that a slow disk holds up nobody who only asks (SPEC.md 5.9)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from strongroom.errors import Declined, StoreError
from strongroom.serving import health, run, safety
from strongroom.serving.config import Listener
from strongroom.serving.watching import CODE
from strongroom.witness import house
from strongroom.witness.core import Witness
from strongroom.witness.request import MAX_BYTES, SIZE_TYPE, log_id
from strongroom.witness.store import Store

T = TypeVar("T")

_BODY_SECONDS = 10.0
# Anybody may send: requests that are read or wait for the disk lie in memory, together at most this many times MAX_BYTES.
_MOST = 128
TEXT = "text/plain; charset=utf-8"
_SIGNED = "whoever asks shows a checkpoint signed by a log that this witness knows"


class Server:
    """``/add-checkpoint`` for logs; for anybody ``/vkeys``, ``/logs`` and ``/logs/ID/checkpoint``, ID being the origin's SHA-256."""

    def __init__(self, directory: Path, now: Callable[[], int] = lambda: int(time.time())) -> None:
        self._directory, self._keys, self._now = directory, house.load(directory), now
        self._thread = ThreadPoolExecutor(1, "witness")
        self._under_way = self._cosigned = 0
        self._store: Store | None = None

    def service(self) -> run.Service:
        """What ``serving`` runs."""
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_post("/add-checkpoint", self.add_checkpoint)
        app.router.add_get("/vkeys", self.vkeys)
        app.router.add_get("/logs", self.logs)
        app.router.add_get("/logs/{id:[0-9a-f]{64}}/checkpoint", self.checkpoint)
        app.on_startup.append(self._open)
        app.on_cleanup.append(self._close)

        async def disk() -> None:
            await asyncio.to_thread(health.verify_disk, self._directory)

        service = run.Service(name="witness", app=app, authentication=_SIGNED, checks={"store": disk})
        service.metrics.gauge("cosigned", "Checkpoints cosigned since the start", lambda: self._cosigned)
        return service

    async def add_checkpoint(self, request: web.Request) -> web.Response:
        if self._under_way >= _MOST:
            return _said(503, "as many requests as this witness takes; try again")
        self._under_way += 1
        try:
            return await self._answered(request)
        finally:
            self._under_way -= 1

    async def _answered(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _said(413, f"a request is over {MAX_BYTES:,} bytes")
        except TimeoutError:
            return _said(408, "the request did not come whole in time")
        except ConnectionError:
            return _said(400, "the request broke off")
        try:
            lines = await self._do(lambda store: Witness(store, self._keys.cosigners, self._now).add_checkpoint(body))
        except Declined as error:
            if error.size is not None:
                return _answer(409, f"{error.size}\n", SIZE_TYPE)
            return _said(error.status, str(error))
        except StoreError as error:
            # For the operator, who reads the log; a stranger is told nothing of our files.
            run.log.error("%s", error)
            return _said(500, "this witness cannot write down what it cosigns; its operator has to mend that")
        self._cosigned += 1
        return _answer(200, lines, TEXT)

    async def vkeys(self, _: web.Request) -> web.Response:
        return _answer(200, "".join(f"{vkey}\n" for vkey in self._keys.vkeys), TEXT)

    async def logs(self, _: web.Request) -> web.Response:
        origins = await self._do(lambda store: store.origins())
        return _answer(200, "".join(f"{log_id(origin)} {origin}\n" for origin in origins), TEXT)

    async def checkpoint(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]

        def find(store: Store) -> str:
            return next((store.head(one).note for one in store.origins() if log_id(one) == wanted), "")

        note = await self._do(find)
        return _answer(200, note, TEXT) if note else _said(404, "no checkpoint of that log was cosigned here")

    async def _open(self, _: web.Application) -> None:
        def first() -> None:
            self._store = house.open_store(self._directory)

        await asyncio.get_running_loop().run_in_executor(self._thread, first)

    async def _close(self, _: web.Application) -> None:
        if self._store is not None:
            await self._do(Store.close)
        self._thread.shutdown()

    async def _do(self, what: Callable[[Store], T]) -> T:
        # SQLite's object belongs to the thread that made it.
        def inside() -> T:
            assert self._store is not None
            return what(self._store)

        return await asyncio.get_running_loop().run_in_executor(self._thread, inside)


def _answer(status: int, text: str, kind: str) -> web.Response:
    # Exactly this content type, which C2SP compares: nothing of a charset where it is not text.
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": kind})


def _said(status: int, text: str) -> web.Response:
    said = _answer(status, f"{text}\n", TEXT)
    said[CODE] = "declined"
    return said


def findings(directory: Path, at: Listener) -> Iterator[str]:
    """What this witness would not be safe with: where it listens, and what its key file is."""
    yield from safety.address("witness", at, _SIGNED)
    yield from safety.tls_files("witness", at)
    yield from safety.key_files([directory / "keys.json"])
