"""A server of nothing, run by ``serving``, for tests to run as a process: ``sample.py SETTINGS`` (JSON of ``config``)."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

import msgspec
from aiohttp import web

from strongroom.errors import Refused, StoreError, StrongroomError
from strongroom.serving import run
from strongroom.serving.config import Listener, Telemetry
from strongroom.serving.watching import CODE

ready = True


async def answer(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"said": "yes"})


async def refuse(_: web.Request) -> web.Response:
    said = web.json_response({"code": "budget"}, status=403)
    said[CODE] = Refused("budget", "").code
    return said


async def wait(_: web.Request) -> web.Response:
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return web.json_response({"said": "after a while"})


async def forever(_: web.Request) -> web.Response:
    sys.stdout.write("waiting\n")
    sys.stdout.flush()
    await asyncio.Event().wait()
    raise AssertionError


async def defect(request: web.Request) -> web.Response:
    raise ValueError(await request.text())


async def careless(request: web.Request) -> web.Response:
    """What a library might do with what it is handed."""
    text = await request.text()

    async def fail() -> None:
        raise KeyError(text)

    logging.getLogger("library").error("could not take %s", text, stack_info=True)
    lost = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del lost
    return web.json_response({})


async def toggle(_: web.Request) -> web.Response:
    global ready  # noqa: PLW0603
    ready = not ready
    return web.json_response({})


async def check() -> None:
    if not ready:
        raise StoreError("it is not")


async def broken() -> None:
    if not ready:
        raise RuntimeError("Mary Smith")


async def dies() -> None:
    await asyncio.Event().wait()


async def dead() -> None:
    await asyncio.sleep(0)
    raise RuntimeError("the committer died")


def main() -> None:
    given: dict[str, Any] = json.loads(sys.argv[1])
    app = web.Application()
    app.router.add_post("/v1/answers/{name}", answer)
    for handler in (refuse, wait, forever, defect, careless, toggle):
        app.router.add_post(f"/v1/{handler.__name__}", handler)

    async def close(_: web.Application) -> None:
        sys.stdout.write("closed\n")
        sys.stdout.flush()

    app.on_cleanup.append(close)
    if "head_seconds" in given:
        setattr(run, "HEAD_SECONDS", given["head_seconds"])  # noqa: B010 - it is imported there
    service = run.Service(
        name="sample",
        app=app,
        authentication=given.get("authentication", ""),
        checks={"works": check, "sound": broken},
        tasks=(dead if given.get("dies") else dies,),
        local=given.get("local", False),
        started=lambda address: print(f"started {address}", flush=True),  # noqa: T201
    )
    try:
        run.run(
            service,
            msgspec.convert(given.get("listener", {}), Listener, dec_hook=lambda kind, value: kind(value)),
            msgspec.convert(given.get("telemetry", {}), Telemetry),
        )
    except StrongroomError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
