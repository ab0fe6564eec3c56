"""HTTP/1.1 by the standard library, for ``Room``: no loop and no thread of its own. One connection serves one call at a time; those
that are free are kept."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Self, TypeAlias

from strongroom.client.address import Address
from strongroom.client.flow import UNTRUSTED, Answer, Broken, Call, Do, NextLine, Pause, Stream, token_dropped

MOST_KEPT = 8
MOST_LINE = 2**20

_Exchange: TypeAlias = tuple[http.client.HTTPConnection, http.client.HTTPResponse, bool]
"""Over which connection, what came, and whether it was sent twice."""


class Turn:
    """What one flow has open: at most a stream."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._open = wire, ExitStack()
        self._line: Callable[[], bytes | None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def take(self, step: Any) -> tuple[Any, Broken | None]:
        """Does one step: what came of it, or how it broke."""
        try:
            if isinstance(step, Call):
                return self._wire.call(step), None
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                return None, None
            if isinstance(step, Do):
                return step.work(), None
            if isinstance(step, Stream):
                head, self._line = self._open.enter_context(self._wire.stream(step.call))
                return head, None
            assert isinstance(step, NextLine)
            assert self._line is not None
            return self._line(), None
        except Broken as broken:
            return None, broken


class Wire:
    """``headers``: (method, address) -> what to add to each request, made anew for each: a token, and the proof of its key. Safe to
    share among threads."""

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext | None,
        timeout: float,
        headers: Callable[[str, str], Mapping[str, str]],
    ) -> None:
        self._address, self._tls, self._timeout, self._headers = address, tls, timeout, headers
        self._free: list[http.client.HTTPConnection] = []
        self._lock, self._process = threading.Lock(), os.getpid()

    def turn(self) -> Turn:
        return Turn(self)

    def call(self, call: Call) -> Answer:
        """Raises ``Broken``."""
        found = self._once(call)
        # Who calls is looked at before anything else: nothing came of it.
        return self._once(call) if found.status == 401 and token_dropped(self._headers) else found

    def _once(self, call: Call) -> Answer:
        with self._exchange(call) as (connection, response, again):
            body = response.read(call.most + 1)
            if len(body) > call.most:
                connection.close()
                raise Broken(f"the answer is over {call.most:,} bytes", sent=True, lasting=True)
            return Answer(response.status, _lower(response), body, again)

    @contextmanager
    def stream(self, call: Call) -> Iterator[tuple[Answer, Callable[[], bytes | None]]]:
        """The answer's head, and what gives the next line of it. Raises ``Broken``, as does that."""
        # On a connection of its own: one that was kept may be closed by now, and this request must not be sent twice.
        with self._exchange(call, fresh=True) as (connection, response, _):
            if response.status != 200:
                yield Answer(response.status, _lower(response), response.read(call.most)), lambda: None
                return

            def line() -> bytes | None:
                with _broken(sent=True):
                    found = response.readline(MOST_LINE + 1)
                if found and not found.endswith(b"\n"):
                    raise Broken("the answer broke off within a line", sent=True)
                return found.removesuffix(b"\n") or None

            try:
                yield Answer(response.status, _lower(response)), line
            finally:
                # What was not read would be taken for the next answer.
                if not response.isclosed():
                    connection.close()

    def close(self) -> None:
        """Hang up what is free."""
        with self._lock:
            free, self._free = self._free, []
        for one in free:
            one.close()

    @contextmanager
    def _exchange(self, call: Call, *, fresh: bool = False) -> Iterator[_Exchange]:
        connection, response, again = self._sent(call, None if fresh else self._kept())
        try:
            with _broken(sent=True):
                yield connection, response, again
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            with self._lock:
                if len(self._free) < MOST_KEPT:
                    self._free.append(connection)
                    return
        connection.close()

    def _sent(self, call: Call, kept: http.client.HTTPConnection | None) -> _Exchange:
        if kept is not None:
            try:
                self._request(kept, call)
                return kept, kept.getresponse(), False
            except (OSError, http.client.HTTPException):
                # It was closed meanwhile. The identical request is safe to send again.
                kept.close()
        connection = self._connect()
        try:
            with _broken(sent=True):
                self._request(connection, call)
                return connection, connection.getresponse(), kept is not None
        except BaseException:
            connection.close()
            raise

    def _request(self, connection: http.client.HTTPConnection, call: Call) -> None:
        # Headers are made anew each time: a proof is good once.
        headers = {**call.headers, **self._headers(call.method, self._address.of(call.path))}
        connection.request(call.method, self._address.prefix + call.path, call.body or None, headers)

    def _kept(self) -> http.client.HTTPConnection | None:
        with self._lock:
            if self._process != os.getpid():
                # Forked off: these are the parent's, and who else uses them would be given somebody else's answers.
                self._free, self._process = [], os.getpid()
            return self._free.pop() if self._free else None

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._address.host, self._address.port
        made = (
            http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
            if self._tls is not None
            else http.client.HTTPConnection(host, port, timeout=self._timeout)
        )
        with _broken(sent=False):
            made.connect()
        # Small requests and answers: waiting to fill a packet would cost 40 ms.
        made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


def _lower(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


@contextmanager
def _broken(*, sent: bool) -> Iterator[None]:
    """The system's own words; those of a certificate too. None holds what was sent."""
    try:
        yield
    except OSError as error:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Broken(f"{UNTRUSTED} ({error.verify_message})", sent=sent, lasting=True) from None
        raise Broken(f"{type(error).__name__}: {error}", sent=sent) from None
    except http.client.HTTPException as error:
        raise Broken(type(error).__name__, sent=sent) from None
