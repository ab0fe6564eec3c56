"""Calls to the keyholder over HTTP (SPEC.md section 8). Each thread keeps a connection of its own."""

from __future__ import annotations

import base64
import binascii
import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Record, encode
from strongroom.errors import FormatError, KeyholderUnavailable, Refused, StrongroomError, Unwitnessed
from strongroom.keyholder import line, protocol

# (path, signature, body) -> answer: over HTTP here, straight into the core in drills with a clock of their own.
Transport = Callable[[str, bytes, bytes], bytes]

# Each is held back for up to 10 s: all within the 120 s in which it is answered again (SPEC.md 8.4).
HELD_TRIES = 4


@dataclass(frozen=True)
class Voice:
    """What an answer is known by as the keyholder's own. ``key``: its message key, which no charter changes; empty while no charter
    has named it."""

    room: bytes
    key: Callable[[], bytes]


class Asked(NamedTuple):
    """A request as it was sent."""

    path: str
    signature: bytes
    body: bytes


def headers_of(signature: bytes) -> dict[str, str]:
    return {"Strongroom-Signature": base64.b64encode(signature).decode(), "Content-Type": "application/json"}


def judged(voice: Voice | None, address: str, asked: Asked, status: int, under: str, answer: bytes) -> bytes:
    """The answer, once it is known to be the keyholder's own. ``under``: its header ``Strongroom-Signature``. Raises what it was refused for,
    and ``KeyholderUnavailable`` when it is not signed as ``voice`` says."""
    key = voice.key() if voice else b""
    if voice is not None and key:
        try:
            signed = base64.b64decode(under, validate=True)
        except (binascii.Error, ValueError):
            signed = b""
        try:
            protocol.verify_answer(voice.room, *asked, status, answer, signed, key)
        except KeyholderUnavailable as error:
            raise KeyholderUnavailable(
                f"{address}: {error}. Try again; if it stays so, what listens there is another's, or changes answers"
            ) from None
    if status == 200:
        return answer
    raise _problem(answer)


class HttpTransport:
    """``address`` is a function since a restarted keyholder may be elsewhere. ``tls``: how an ``https://`` one is spoken to.

    Raises ``KeyholderUnavailable``, for an answer too, a refusal or an error, that is not signed as ``voice`` says: whoever stands
    between the houses can keep an answer back, and say nothing. Without a voice nothing but what the answer itself carries is verified.
    """

    def __init__(
        self,
        address: Callable[[], str],
        voice: Voice | None,
        timeout: float = 60.0,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._address, self._voice, self._timeout, self._tls = address, voice, timeout, tls
        self._local = threading.local()

    def __call__(self, path: str, signature: bytes, body: bytes) -> bytes:
        if len(body) > protocol.MAX_BODY:
            # It would be refused before it is read, and so by nobody's word.
            raise FormatError(f"the request is over {protocol.MAX_BODY} bytes")
        asked = Asked(path, signature, body)
        for left in reversed(range(HELD_TRIES)):
            try:
                return self._exchange(asked)
            except Unwitnessed:
                # Its entry is written and its answer held back: the identical request is answered as soon as witnesses have cosigned.
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _exchange(self, asked: Asked) -> bytes:
        headers = headers_of(asked.signature)
        for attempt in (1, 2):
            kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
            connection = kept or self._connect()
            try:
                connection.request("POST", asked.path, asked.body, headers)
                response = connection.getresponse()
                data = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._local.connection = None
                # A kept connection may have been closed meanwhile. The identical request is safe to send again (SPEC.md 8.4).
                if kept is not None and attempt == 1:
                    continue
                raise KeyholderUnavailable(f"the keyholder at {self._address()} broke off: {error}") from None
            under = response.getheader("Strongroom-Signature", "")
            return judged(self._voice, self._address(), asked, response.status, under, data)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Hang up, for this thread: a server that stops would wait for a connection that nobody uses."""
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None:
            kept.close()
            self._local.connection = None

    def _connect(self) -> http.client.HTTPConnection:
        address = self._address()
        at = line.parse(address)
        connection = (
            http.client.HTTPSConnection(at.host, at.port, timeout=self._timeout, context=self._tls())
            if at.tls
            else http.client.HTTPConnection(at.host, at.port, timeout=self._timeout)
        )
        try:
            connection.connect()
        except ssl.SSLError as error:
            raise KeyholderUnavailable(f"{address}: {of_tls(error)}") from None
        except OSError as error:
            raise KeyholderUnavailable(
                f"no keyholder answers at {address} ({error.strerror or error}). Start it: strongroom keyholder"
            ) from None
        # Small requests and answers: waiting to fill a packet would cost 40 ms.
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.connection = connection
        return connection


def of_tls(error: ssl.SSLError) -> str:
    """What is wrong with a line that was begun with TLS, and the mend."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not to be believed ({error.verify_message}). If it is the keyholder's, put who signed it into the"
            f" vault's {line.CA_FILE}"
        )
    return f"no TLS to be had ({error.reason}). See whether the keyholder asks for a certificate ({line.CLIENT_FILE})"


def address_file(directory: Path) -> Callable[[], str]:
    """Reads the address that a keyholder on this machine wrote down."""

    def read() -> str:
        try:
            # What is no address is said when it is called.
            return (directory / "address").read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            raise KeyholderUnavailable(
                f"no keyholder runs on {directory}. Start it: strongroom keyholder, or add --development"
            ) from None

    return read


def _problem(data: bytes) -> StrongroomError:
    try:
        found = protocol.problem.parse(data)
    except FormatError:
        return KeyholderUnavailable("the keyholder's answer is not one of the protocol")
    return problem(found.code, found.detail, found.after)


def problem(code: str, detail: str, after: int | None) -> StrongroomError:
    """What a request, or a part of one, was answered with."""
    if code == "malformed":
        return FormatError(detail)
    if code == "witnesses":
        return Unwitnessed(detail)
    if code == "store":
        return KeyholderUnavailable(detail)
    return Refused(code, detail, after=after)


class Client:
    """Signs requests to the keyholder of ``room`` (16 bytes) with one key: the vault's, the desk's, the operator's or a
    subject's device."""

    def __init__(self, transport: Transport, key: Ed25519PrivateKey, room: bytes) -> None:
        self._transport, self._key, self._room = transport, key, room

    def close(self) -> None:
        """Hang up, where there is a line."""
        if isinstance(self._transport, HttpTransport):
            self._transport.close()

    def call(self, path: str, request: Record) -> bytes:
        """The answer's bytes. Raises ``Refused``, ``FormatError`` or ``KeyholderUnavailable``."""
        return self.send(path, encode(request))

    def send(self, path: str, body: bytes) -> bytes:
        return self._transport(path, protocol.sign_request(self._room, path, body, self._key), body)
