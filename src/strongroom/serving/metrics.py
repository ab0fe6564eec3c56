"""Figures for Prometheus. A label's values are a closed set: routes, methods, classes of status, codes of refusals.

| name | labels | what |
|---|---|---|
| `strongroom_requests_total` | `route`, `method`, `status` | requests answered; `status` is `2xx` to `5xx` |
| `strongroom_request_seconds` | `route` | how long they took, a histogram |
| `strongroom_refusals_total` | `code` | answers that refused, by the code of SPEC.md 8.6 or 10.2 |
| `strongroom_connections` | | open now |
| `strongroom_connections_refused_total` | | turned away, the server having as many as it takes |
| `process_*`, `python_info` | | memory, processor time, open files |
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_CODE = re.compile(r"[a-z][a-z-]{0,29}")
_MOST_CODES = 100
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """A registry of this server's own: nothing gets in by being imported."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "strongroom_requests", "Requests answered", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "strongroom_request_seconds", "How long they took", ["route"], buckets=_BUCKETS, registry=self.registry
        )
        self._refusals = Counter(
            "strongroom_refusals", "Answers that refused, by code", ["code"], registry=self.registry
        )
        self.connections = Gauge("strongroom_connections", "Open now", registry=self.registry)
        self.turned_away = Counter(
            "strongroom_connections_refused", "Turned away, there being as many as are taken", registry=self.registry
        )
        # Looking a child up by its labels costs more than counting.
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._codes: dict[str, Counter] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """``route``: a template, ``method`` one of ``METHODS``; either may be ``OTHER``."""
        key = (route, method, status // 100)
        found = self._known.get(key)
        if found is None:
            counter = self._requests.labels(route, method, f"{status // 100}xx")
            found = self._known[key] = (counter, self._seconds.labels(route))
        found[0].inc()
        found[1].observe(seconds)

    def refused(self, code: str) -> None:
        found = self._codes.get(code)
        if found is None:
            # The codes are ours, and this only makes sure: a label is kept for as long as the server runs.
            fits = _CODE.fullmatch(code) and len(self._codes) < _MOST_CODES
            found = self._refusals.labels(code if fits else OTHER)
            if fits:
                self._codes[code] = found
        found.inc()

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """A figure that is read when it is asked for: ``strongroom_NAME``."""

        def figure() -> float:
            try:
                return read()
            except OSError:
                return math.nan  # one disk that is gone must not take the other figures along

        Gauge(f"strongroom_{name}", about, registry=self.registry).set_function(figure)

    def text(self) -> bytes:
        return generate_latest(self.registry)
