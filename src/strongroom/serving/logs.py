"""What a server says of itself: a JSON object a line, or a line of text.

A request is its route's template, never its path; nobody's address, no query, no body. Our own messages hold no personal value
(``errors``); whatever else raises or logs may quote one, so of that only the type and the place are written.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp.http_exceptions import HttpProcessingError

from strongroom.errors import StrongroomError

_OURS, _HTTP = "strongroom", "aiohttp.server"
_FRAMES = 6
_encoder = msgspec.json.Encoder()

Write = Callable[[bytes], None]


class Log:
    """Writes lines. ``form``: ``json`` or ``text``."""

    def __init__(self, form: str, write: Write | None = None) -> None:
        self._json, self._write = form == "json", write or _stderr

    def line(self, level: str, event: str, at: float, members: dict[str, Any]) -> None:
        """``at``: seconds since 1970. ``members`` are the caller's, from closed sets."""
        time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._json:
            said = _encoder.encode({"time": time, "level": level, "event": event, **members})
        else:
            # One line is one event, whatever stands in a message.
            words = " ".join([event, *[f"{name}={value}" for name, value in members.items()]])
            said = f"{time} {level.upper()} {words}".replace("\n", "\\n").encode("utf-8", "backslashreplace")
        self._write(said + b"\n")


def _stderr(line: bytes) -> None:
    try:
        os.write(sys.stderr.fileno(), line)
    except (OSError, ValueError):
        return  # nobody reads: no reason not to serve


class Handler(logging.Handler):
    """Sends Python's logging here."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if record.name == _HTTP and isinstance(error, HttpProcessingError | ConnectionError):
            return  # what is no HTTP, or a client that has gone: neither is news, and requests have lines of their own
        members: dict[str, Any] = {}
        if record.name.partition(".")[0] == _OURS:
            event = record.getMessage()
        else:
            # Libraries format what they were given into their messages.
            event, members["logger"] = "a library's message", record.name
            members["at"] = f"{os.path.basename(record.pathname)}:{record.lineno}"
        if error is not None:
            members |= told(error)
        self._log.line(record.levelname.lower(), event, record.created, members)


def told(error: BaseException) -> dict[str, Any]:
    """What may be written of an exception: type and place; its text too where it is one of ours."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    found: dict[str, Any] = {
        "error": type(error).__name__,
        "place": " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames)),
    }
    if isinstance(error, StrongroomError):
        found["detail"] = str(error)
    elif os.environ.get("STRONGROOM_TRACEBACK"):
        found["traceback"] = "".join(traceback.format_exception(error))
    return found


def begin(log: Log) -> None:
    """From here on everything that this process logs comes out through ``log``."""
    root = logging.getLogger()
    root.handlers[:] = [Handler(log)]
    root.setLevel(logging.INFO)


def lost(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's handler of exceptions that nobody awaited: asyncio's own writes the task and the exception's text."""
    error = context.get("exception")
    logging.getLogger("strongroom.serving").error(
        "what nobody waited for failed", exc_info=error if isinstance(error, BaseException) else None
    )
