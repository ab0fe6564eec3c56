"""Spans for OpenTelemetry, where a place for them is configured: one a request, with route, method and status, nothing else.

A ``traceparent`` that a request brings is not taken up: it would be whatever its sender likes, kept by others.
"""

from __future__ import annotations

import time

from strongroom.errors import InputError


class Traces:
    """Sends to ``endpoint`` (OTLP over HTTP) in batches, from a thread of its own. Raises ``InputError`` without OpenTelemetry."""

    def __init__(self, endpoint: str, service: str) -> None:
        try:
            # Only here: it takes a tenth of a second to import, and most rooms have none.
            from opentelemetry.context import Context  # noqa: PLC0415
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
            from opentelemetry.trace import SpanKind  # noqa: PLC0415
        except ImportError:
            raise InputError("telemetry.traces wants OpenTelemetry: pip install 'strongroom[telemetry]'") from None
        # Resource() and not create(): that one reads the environment and the machine.
        self._provider = TracerProvider(resource=Resource({"service.name": f"strongroom-{service}"}))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self._tracer = self._provider.get_tracer("strongroom")
        self._kind, self._nothing = SpanKind.SERVER, Context()

    def ended(self, route: str, method: str, status: int, seconds: float) -> None:
        end = time.time_ns()
        span = self._tracer.start_span(
            f"{method} {route}",
            context=self._nothing,
            kind=self._kind,
            start_time=end - int(seconds * 1e9),
            attributes={"http.route": route, "http.request.method": method, "http.response.status_code": status},
        )
        span.end(end)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
