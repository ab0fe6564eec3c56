"""What becomes of each request that has ended: a line, a figure, a span."""

from __future__ import annotations

import os
import time
from typing import Any

from aiohttp import abc, web

from strongroom.serving.logs import Log
from strongroom.serving.metrics import METHODS, OTHER, Metrics
from strongroom.serving.traces import Traces

REQUEST_ID: web.ResponseKey[str] = web.ResponseKey("request-id", str)
CODE: web.ResponseKey[str] = web.ResponseKey("code", str)
"""A handler puts the code of a refusal here: ``response[CODE] = "budget"``."""


class Watch:
    """``traces``: None where nobody wants any."""

    def __init__(self, log: Log, metrics: Metrics, traces: Traces | None) -> None:
        self.log, self.metrics, self.traces = log, metrics, traces

    def ended(self, request: web.BaseRequest, response: web.StreamResponse, seconds: float) -> None:
        route, status = template(request), response.status
        # A method can be any word that a sender likes.
        method = request.method if request.method in METHODS else OTHER
        self.metrics.answered(route, method, status, seconds)
        members: dict[str, Any] = {
            "route": route,
            "method": method,
            "status": status,
            "ms": round(seconds * 1000, 2),
            "id": response.get(REQUEST_ID, ""),
        }
        code = response.get(CODE)
        if code is not None:
            self.metrics.refused(code)
            members["code"] = code
        self.log.line("info" if status < 500 else "error", "request", time.time(), members)
        if self.traces is not None:
            self.traces.ended(route, method, status, seconds)


def template(request: web.BaseRequest) -> str:
    """The route as it was declared, of what is no route of ours ``other``: a path can hold anything."""
    # aiohttp asserts in ``match_info`` that there is one; what was no HTTP has none.
    match: web.UrlMappingMatchInfo | None = getattr(request, "_match_info", None)
    resource = match.route.resource if match is not None else None
    return resource.canonical if resource is not None else OTHER


async def stamp(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Name each answer, for its header and its line: random, so that it says nothing."""
    response[REQUEST_ID] = name = os.urandom(8).hex()
    response.headers["X-Request-Id"] = name
    response.headers["Server"] = "strongroom"  # and nothing of what it is made of


class AccessLog(abc.AbstractAccessLogger):
    """aiohttp's seam for what has ended; the ``logger`` it is given is the ``Watch``."""

    def __init__(self, logger: Any, log_format: str) -> None:
        super().__init__(logger, log_format)
        self._watch: Watch = logger

    @property
    def enabled(self) -> bool:
        return True

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        self._watch.ended(request, response, time)
