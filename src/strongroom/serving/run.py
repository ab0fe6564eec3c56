"""One server, from its first listening to its orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from strongroom.errors import InputError
from strongroom.serving import logs, safety, systemd, tls
from strongroom.serving.config import Listener, Telemetry
from strongroom.serving.health import Check, Health
from strongroom.serving.logs import Log
from strongroom.serving.memory import seldom_collected
from strongroom.serving.metrics import Metrics
from strongroom.serving.site import HEAD_SECONDS, Site
from strongroom.serving.traces import Traces
from strongroom.serving.watching import AccessLog, Watch, stamp

_AT_ONCE = 0.01  # aiohttp takes 0 for no bound at all
log = logging.getLogger("strongroom.serving")


def _nothing(_: str) -> None:
    """Nobody wants to be told."""


@dataclass(frozen=True)
class Service:
    """What is to be served. ``name``: ``vault``, ``keyholder`` or ``witness``.

    ``app`` opens what it needs in ``on_startup`` and closes it in ``on_cleanup``, which runs after the last answer. ``checks``: what
    has to hold for ``/readyz``. ``tasks`` run until then; one that ends by itself ends the server. ``authentication``: by what those
    who connect are known, empty where by nothing; only then may others reach it. ``local``: beside a listener with TLS there is one
    without, on loopback. ``started`` is told the address (``host:port``) by which this machine reaches it.
    """

    name: str
    app: web.Application
    authentication: str
    checks: Mapping[str, Check] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    local: bool = False
    started: Callable[[str], None] = _nothing


def run(service: Service, at: Listener, telemetry: Telemetry | None = None) -> None:
    """Serve until SIGTERM or SIGINT, on uvloop where there is one. Raises ``InputError`` where it would not be safe or cannot listen."""
    begin(serve(service, at, telemetry))


def begin(serving: Coroutine[Any, Any, None]) -> None:
    """Run what serves, to its end."""
    with seldom_collected(), asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(serving)


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop  # noqa: PLC0415 - there is none for PyPy
    except ImportError:
        return None
    return uvloop.new_event_loop


async def serve(service: Service, at: Listener, telemetry: Telemetry | None = None) -> None:
    """As ``run``, in a loop that runs already."""
    said = telemetry or Telemetry()
    safety.verify_address(service.name, at, service.authentication)
    context = _context(service.name, at)
    traces = Traces(said.traces, service.name) if said.traces else None
    lines = Log(said.log)
    logs.begin(lines)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.lost)
    watch = Watch(lines, service.metrics, traces)
    service.app.on_response_prepare.append(stamp)
    main = web.AppRunner(
        service.app,
        access_log=watch,  # handed on to ``AccessLog`` as it is
        access_log_class=AccessLog,
        keepalive_timeout=HEAD_SECONDS,
        shutdown_timeout=max(at.stop_seconds, _AT_ONCE),
    )
    health = Health(service.checks, service.metrics)
    admin = web.AppRunner(health.app(), access_log=None, keepalive_timeout=HEAD_SECONDS, shutdown_timeout=1.0)
    stop = _Stop(loop, service.name, at, context)
    running: list[asyncio.Task[None]] = []

    async def end_tasks(_: web.Application) -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # Before the stores are closed, which ``app`` does; after the last request that needs them.
    service.app.on_cleanup.insert(0, end_tasks)
    try:
        await main.setup()
        await admin.setup()
        assert main.server is not None
        connections = main.server
        service.metrics.connections.set_function(lambda: len(connections.connections))
        running += [asyncio.create_task(one()) for one in service.tasks]
        sites = await _listen(service, at, context, main, admin)
        service.started(sites[-1].name.partition("://")[2])
        log.info("%s ready on %s, pid %d", service.name, ", ".join(one.name for one in sites), os.getpid())
        systemd.notify("READY=1")
        watchdog = asyncio.create_task(systemd.watchdog())
        waiting = asyncio.create_task(stop.event.wait())
        done, _ = await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
        log.info("%s stops", service.name)
        health.stopping = True
        systemd.notify("STOPPING=1")
    finally:
        await main.cleanup()
        await admin.cleanup()
        if traces is not None:
            await asyncio.to_thread(traces.close)
    watchdog.cancel()
    waiting.cancel()
    for ended in done:
        ended.result()  # one that died is no orderly end


def _context(name: str, at: Listener) -> ssl.SSLContext | None:
    if at.tls_certificate is None or at.tls_key is None:
        return None
    return tls.server(name, at.tls_certificate, at.tls_key, at.client_ca)


async def _listen(
    service: Service, at: Listener, context: ssl.SSLContext | None, main: web.AppRunner, admin: web.AppRunner
) -> list[Site]:
    """The sites of the service; the last is the one that this machine itself uses."""
    most, metrics = at.connections, service.metrics
    sites = [Site(main, at.host, at.port, context, most, metrics)]
    if service.local and context is not None:
        sites.append(Site(main, "127.0.0.1", 0, None, most, metrics))
    for site in sites:
        await site.start()
    if at.admin_port is not None:
        # Others reach it only with a certificate (``safety``): its context is the same.
        reached = not safety.is_loopback(at.admin_host)
        looking = Site(admin, at.admin_host, at.admin_port, context if reached else None, 100, metrics)
        await looking.start()
        log.info("health and metrics of %s on %s", service.name, looking.name)
    return sites


class _Stop:
    """SIGTERM and SIGINT stop, a second one at once; SIGHUP reads certificates anew."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, name: str, at: Listener, context: ssl.SSLContext | None
    ) -> None:
        self.event = asyncio.Event()
        self._loop, self._name, self._at, self._context = loop, name, at, context
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _stop(self, _: int) -> None:
        self.event.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError):
                self._loop.remove_signal_handler(number)

    def _reload(self) -> None:
        if self._context is None or self._at.tls_certificate is None or self._at.tls_key is None:
            log.info("there is no certificate to read anew")
            return
        try:
            tls.reload(self._context, self._at.tls_certificate, self._at.tls_key, self._name)
        except InputError as error:
            log.error("the certificate stays the old one: %s", error)
        else:
            log.info("the certificate was read anew")
