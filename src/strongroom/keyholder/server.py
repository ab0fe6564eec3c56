"""The keyholder as a process: HTTP in front of one committer (SPEC.md section 8).

Requests that arrive while a commit is under way wait together for the next: one fsync for all of them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from aiohttp import web

from strongroom.canonical import Record, encode
from strongroom.errors import FormatError, Refused, StoreError, StrongroomError, Unwitnessed
from strongroom.keyholder import files, protocol
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.protocol import Problem
from strongroom.keyholder.routes import GIVES, ROUTES
from strongroom.keyholder.witnessing import Witnessing
from strongroom.keyholder.work import Work
from strongroom.serving import health, run, safety
from strongroom.serving.config import Listener, Telemetry
from strongroom.serving.watching import CODE

log = logging.getLogger("strongroom.keyholder")

_GROUP = 256
_TICK_SECONDS = 5.0
# Bodies wait in memory, all of them together within this, and a sender who stops in the middle of one holds what has come.
_MOST_BYTES = 128 * 2**20
_BODY_SECONDS = 30.0
_SIGNED = "every request is signed by a key that the charter names, or by a subject's own"


Answer: TypeAlias = asyncio.Future[tuple[Record | StrongroomError, int]]
"""With the ledger's size at its commit."""


class Server:
    """One asyncio loop: handlers leave work, and when the loop comes to it all of it is committed at once."""

    def __init__(self, keyholder: Keyholder) -> None:
        self.keyholder = keyholder
        self.witnessing = Witnessing(keyholder)
        self._waiting: list[tuple[Work, Answer]] = []
        self._bytes = self._commits = self._committed = 0

    async def handle(self, request: web.Request) -> web.Response:
        try:
            signature = base64.b64decode(request.headers.get("Strongroom-Signature", ""), validate=True)
        except (binascii.Error, ValueError):
            return _problem(FormatError("the Strongroom-Signature header is not base64"))
        route = ROUTES.get(request.path)
        most = route.most if route else 0
        if (request.content_length or 0) > most:
            return _problem(_too_large(most))
        body = bytearray()
        try:
            try:
                await self._read(request, most, body)
            except StrongroomError as error:
                # What is not read whole is not known, and nothing can be signed about it.
                return _problem(error)
            return await self._take(request, signature, bytes(body))
        finally:
            self._bytes -= len(body)

    async def _read(self, request: web.Request, most: int, body: bytearray) -> None:
        """Counted as it comes: what is only announced costs its sender nothing, and must keep nobody out."""
        try:
            if request.content.is_eof():
                # It came whole with its head, as most do: there is nothing to wait for.
                self._count(request.content.read_nowait(), most, body)
                return
            async with asyncio.timeout(_BODY_SECONDS):
                async for part in request.content.iter_any():
                    self._count(part, most, body)
        except (ConnectionError, web.RequestPayloadError):
            # Nobody is left to read this; unhandled, each such sender would fill the log with a page of it.
            raise FormatError("the request broke off") from None
        except TimeoutError:
            raise FormatError(f"the request did not come whole within {_BODY_SECONDS:.0f} s") from None

    def _count(self, part: bytes, most: int, body: bytearray) -> None:
        body += part
        self._bytes += len(part)
        if len(body) > most:
            raise _too_large(most)
        if self._bytes > _MOST_BYTES:
            raise StoreError("the keyholder has more requests than it can take; try again")

    async def _take(self, request: web.Request, signature: bytes, body: bytes) -> web.Response:
        work = Work(request.path, signature, body)
        answer, size = await self.submit(work)
        if work.path in GIVES and not isinstance(answer, StrongroomError):
            try:
                await self.witnessing.cover(size)
            except Unwitnessed as error:
                answer = error
        said = _problem(answer) if isinstance(answer, StrongroomError) else _response(200, answer)
        return self._signed(said, request, work)

    def _signed(self, said: web.Response, request: web.Request, work: Work) -> web.Response:
        """The answer under the keyholder's own signature: a refusal makes the vault act as much as a share does."""
        # The path as it came: that cannot hold the byte which ends it in what is signed.
        path = request.raw_path.encode("utf-8", "surrogateescape")
        assert isinstance(said.body, bytes)
        keys = self.keyholder.keys
        message = protocol.answered_message(keys.room, path, work.signature, work.body, said.status, said.body)
        said.headers["Strongroom-Signature"] = base64.b64encode(keys.message.sign(message)).decode()
        return said

    def submit(self, work: Work) -> Answer:
        """To be committed with whatever else has come by then."""
        loop = asyncio.get_running_loop()
        future: Answer = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._commit)
        self._waiting.append((work, future))
        return future

    def _commit(self) -> None:
        group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._commit)
        try:
            answers = self.keyholder.commit([work for work, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever it was, it was rolled back: nobody of the group gets anything
            answers = [self.keyholder.broken(error)] * len(group)
        self._commits += 1
        self._committed += len(group)
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result((answer, self.keyholder.book.size))

    async def tick_forever(self) -> None:
        while True:
            try:
                self.keyholder.tick()
            except StrongroomError as error:
                log.error("%s", error)
            except (OSError, sqlite3.Error) as error:
                log.error("%s", self.keyholder.store.failed(error))
            except Exception:
                log.exception("what is due by itself could not be done")
            await asyncio.sleep(_TICK_SECONDS)

    # --- as a service ------------------------------------------------------------------------------------------------
    def service(self, directory: Path) -> run.Service:
        """What ``serving`` runs. It closes the store at its end."""
        # Bodies are bounded where they are read.
        app = web.Application(client_max_size=0)
        for path in ROUTES:
            app.router.add_post(path, self.handle)
        # Any other has an answer too, under one name among the figures: a path can hold anything.
        app.router.add_post("/v1/{path:.*}", self.handle)

        async def close(_: web.Application) -> None:
            self.keyholder.store.close()
            (directory / "address").unlink(missing_ok=True)

        async def book() -> None:
            await asyncio.to_thread(health.verify_disk, directory)

        async def public() -> None:
            await asyncio.to_thread(health.verify_disk, self.keyholder.public)

        app.on_cleanup.append(close)
        service = run.Service(
            name="keyholder",
            app=app,
            authentication=_SIGNED,
            checks={
                "book": book,
                "charter": self._has_charter,
                "public": public,
                "speaks": self._speaks,
                "witnesses": self.witnessing.verify,
            },
            tasks=(self.tick_forever, self.witnessing.forever),
            local=True,
            started=lambda address: files.write_address(directory, address),
        )
        keyholder, gauge = self.keyholder, service.metrics.gauge
        gauge("ledger_entries", "Entries of the ledger", lambda: keyholder.book.size)
        gauge("commits", "Transactions since the start", lambda: self._commits)
        gauge("committed_requests", "Requests that they took", lambda: self._committed)
        gauge("witnessed_entries", "Entries that a quorum of witnesses has cosigned", lambda: self.witnessing.covered)
        gauge("witnessed_seconds", "Since a quorum of witnesses has cosigned", self.witnessing.age)
        gauge("disk_free_bytes", "Room on the disk of the book", lambda: health.free(directory))
        return service

    async def _has_charter(self) -> None:
        self.keyholder.set_time(self.keyholder.now())
        self.keyholder.in_force()

    async def _speaks(self) -> None:
        if self.keyholder.quiet is not None:
            raise StoreError(
                "it has just started, or was recovered, and writes nothing until the vault has shown that it knows of no more."
                " Have the custodian run: strongroom status"
            )


def _problem(error: StrongroomError) -> web.Response:
    status = 403 if isinstance(error, Refused) else 400 if isinstance(error, FormatError) else 503
    detail = error.detail if isinstance(error, Refused) else str(error)
    if isinstance(error, Refused) and error.code == "malformed":
        status = 400
    after = error.after if isinstance(error, Refused) else None
    said = _response(status, Problem(code=error.code, detail=detail, after=after))
    said[CODE] = error.code
    return said


def _too_large(most: int) -> FormatError:
    return FormatError(f"no such path, or the request is over its {most} bytes")


def _response(status: int, said: Record) -> web.Response:
    return web.Response(status=status, body=encode(said), content_type="application/json")


def findings(directory: Path, at: Listener) -> Iterator[str]:
    """What this keyholder would not be safe with: where it listens, and what its key files are."""
    yield from safety.address("keyholder", at, _SIGNED)
    yield from safety.tls_files("keyholder", at)
    yield from safety.key_files([directory / "keys.json", *sorted((directory / "epochs").glob("*.key"))])


async def serve(directory: Path, public: Path, at: Listener, telemetry: Telemetry | None = None) -> None:
    """Run until SIGTERM or SIGINT. Writes ``DIRECTORY/address``, for its own machine, when ready.

    Raises ``InputError`` for an address that others reach without TLS.
    """
    safety.verify_address("keyholder", at, _SIGNED)
    with files.lock(directory):
        server = Server(files.open_keyholder(directory, public))
        server.keyholder.started()
        await run.serve(server.service(directory), at, telemetry)
