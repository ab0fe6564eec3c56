"""The keyholder as a process: loopback HTTP in front of one committer (SPEC.md section 8).

Requests that arrive while a commit is under way wait together for the next: one fsync for all of them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
import logging
import os
import signal
import sqlite3
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from strongroom.canonical import Record, encode
from strongroom.errors import FormatError, InputError, Refused, StoreError, StrongroomError
from strongroom.keyholder import files, protocol
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.protocol import MAX_BODY, Problem
from strongroom.keyholder.routes import ROUTES
from strongroom.keyholder.work import Work

log = logging.getLogger("strongroom.keyholder")

_GROUP = 256
_TICK_SECONDS = 5.0
# Bodies wait in memory, all of them together within this, and a sender who stops in the middle of one holds what has come.
_MOST_BYTES = 128 * 2**20
_BODY_SECONDS = 30.0


class Server:
    """One asyncio loop: handlers queue work, the committer takes all of it at once."""

    def __init__(self, keyholder: Keyholder) -> None:
        self.keyholder = keyholder
        self._queue: asyncio.Queue[tuple[Work, asyncio.Future[Record | StrongroomError]]] = asyncio.Queue()
        self._bytes = 0

    async def handle(self, request: web.Request) -> web.Response:
        try:
            signature = base64.b64decode(request.headers.get("Strongroom-Signature", ""), validate=True)
        except (binascii.Error, ValueError):
            return _problem(FormatError("the Strongroom-Signature header is not base64"))
        route = ROUTES.get(request.path)
        most = route.most if route else 0
        # Without a length it may be as long as it likes.
        length = MAX_BODY if request.content_length is None else request.content_length
        # What is not read whole is not known, and nothing can be signed about it.
        if length > most:
            return _problem(FormatError(f"no such path, or the request is over its {most} bytes"))
        if self._bytes + length > _MOST_BYTES:
            return _problem(StoreError("the keyholder has more requests than it can take; try again"))
        self._bytes += length
        try:
            return await self._take(request, signature)
        finally:
            self._bytes -= length

    async def _take(self, request: web.Request, signature: bytes) -> web.Response:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _problem(FormatError(f"the request is over {MAX_BODY} bytes"))
        except ConnectionError:
            # Nobody is left to read this; unhandled, each such sender would fill the log with a page of it.
            return _problem(FormatError("the request broke off"))
        except TimeoutError:
            return _problem(FormatError(f"the request did not come whole within {_BODY_SECONDS:.0f} s"))
        work = Work(request.path, signature, body)
        future: asyncio.Future[Record | StrongroomError] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((work, future))
        answer = await future
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

    async def commit_forever(self) -> None:
        while True:
            group = [await self._queue.get()]
            while len(group) < _GROUP and not self._queue.empty():
                group.append(self._queue.get_nowait())
            try:
                answers = self.keyholder.commit([work for work, _ in group])
            except Exception as error:  # noqa: BLE001 - whatever it was, it was rolled back: nobody of the group gets anything
                answers = [self.keyholder.broken(error)] * len(group)
            for (_, future), answer in zip(group, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

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


def _problem(error: StrongroomError) -> web.Response:
    status = 403 if isinstance(error, Refused) else 400 if isinstance(error, FormatError) else 503
    detail = error.detail if isinstance(error, Refused) else str(error)
    if isinstance(error, Refused) and error.code == "malformed":
        status = 400
    return _response(status, Problem(code=error.code, detail=detail))


def _response(status: int, said: Record) -> web.Response:
    return web.Response(status=status, body=encode(said), content_type="application/json")


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def serve(directory: Path, public: Path, host: str, port: int) -> None:
    """Run until SIGTERM or SIGINT. Writes ``DIRECTORY/address`` when ready. Raises ``InputError`` for a public address."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise InputError(
            f"{host} is not a loopback address, and this keyholder speaks without TLS. Use 127.0.0.1 or ::1"
        )
    with files.lock(directory):
        server = Server(files.open_keyholder(directory, public))
        server.keyholder.started()
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/v1/{path:.*}", server.handle)
        # What is no HTTP would be logged by aiohttp with a page of trace and a piece of what was sent.
        http_log = log.getChild("http")
        http_log.addFilter(_is_ours)
        runner = web.AppRunner(app, access_log=None, logger=http_log)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise InputError(f"cannot listen on {host}:{port} ({error.strerror}). Choose another port") from None
        bound = int(runner.addresses[0][1])
        files.write_address(directory, f"{host}:{bound}")
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        tasks = [asyncio.create_task(server.commit_forever()), asyncio.create_task(server.tick_forever())]
        log.info("keyholder ready on %s:%d, pid %d", host, bound, os.getpid())
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await runner.cleanup()
        for task in tasks:
            task.cancel()
        server.keyholder.store.close()
        (directory / "address").unlink(missing_ok=True)
        for ended in done:
            ended.result()  # a committer that died is no orderly end
