"""Sends prepared HTTP requests over kept connections, each with the next one as soon as the last is answered.

A process of its own (``python -m bench.load``), and lean, since it shares the cores with what it measures: requests come out of
a file as they go onto the wire, of an answer only its end, its status and one word are looked for, and what all of that cost
is printed beside.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from bench.measure import at

_SHOWN = 600
_CHUNK = re.compile(rb"\r\n[0-9a-f]+\r\n")
_SECONDS = 180.0


@dataclass(frozen=True)
class Load:
    """What a run came to. ``times``: seconds of each request. ``processor``: the generator's own seconds."""

    seconds: float
    processor: float
    times: list[float]

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def at(self, part: float) -> float:
        """A percentile, in seconds."""
        return at(sorted(self.times), part)


def write(path: Path, requests: Iterable[bytes]) -> int:
    """Whole requests, head and body, one after the other. Returns how many."""
    count = 0
    with path.open("wb") as file:
        for request in requests:
            file.write(struct.pack(">I", len(request)) + request)
            count += 1
    return count


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A POST of JSON as it goes onto the wire."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def run(address: str, requests: Path, connections: int, want: str) -> Load:
    """Send all of it. An answer that is no success, or has not ``want`` in it, ends the benchmark: a rate of refusals is none."""
    command = [sys.executable, "-m", "bench.load", address, str(requests), str(connections), want]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise SystemExit(
            f"bench: {requests.name}: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}"
        )
    return Load(**json.loads(done.stdout))


@dataclass
class _Run:
    requests: Iterator[bytes]
    want: bytes
    open: int
    done: asyncio.Future[None]
    times: list[float] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    def __init__(self, run_: _Run) -> None:
        self._run, self._answer, self._size = run_, bytearray(), 0
        self._began = 0.0  # of the request that waits for its answer, if one does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own type is none of asyncio's
        self._next()

    def _next(self) -> None:
        request = next(self._run.requests, None)
        if request is None:
            self._began = 0.0
            self._run.open -= 1
            self._transport.close()
            if not self._run.open and not self._run.done.done():
                self._run.done.set_result(None)
            return
        self._answer.clear()
        self._size = 0
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        answer += data
        if not self._size:
            end = answer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(answer[:end]).lower()
            at = head.find(b"content-length:")
            # Chunked otherwise: its end is known when it comes.
            self._size = -1 if at < 0 else end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        if answer.endswith(b"\r\n0\r\n\r\n") if self._size < 0 else len(answer) >= self._size:
            self._run.times.append(time.perf_counter() - self._began)
            if not answer.startswith(b"HTTP/1.1 2") or not self._wanted():
                self._fail(f"answered {bytes(answer[:_SHOWN])!r}")
            else:
                self._next()

    def _wanted(self) -> bool:
        # A chunk's end may lie in the middle of the word.
        want = self._run.want
        return want in self._answer or (self._size < 0 and want in _CHUNK.sub(b"", self._answer))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._began:
            self._fail("the connection was closed before its answer")

    def _fail(self, why: str) -> None:
        if not self._run.done.done():
            self._run.done.set_exception(RuntimeError(why))
        self._transport.close()


def _read(path: Path) -> Iterator[bytes]:
    # Whole in memory: reading as one goes would be measured along.
    data, at = path.read_bytes(), 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


async def _send(address: str, path: Path, connections: int, want: bytes) -> Load:
    loop = asyncio.get_running_loop()
    host, _, port = address.rpartition(":")
    requests = list(_read(path))
    state = _Run(iter(requests), want, min(connections, len(requests)), loop.create_future())
    before, began = time.process_time(), time.perf_counter()
    for _ in range(state.open):
        await loop.create_connection(lambda: _Connection(state), host, int(port))
    await state.done
    return Load(time.perf_counter() - began, time.process_time() - before, state.times)


def main(address: str, path: str, connections: str, want: str) -> None:
    try:
        done = uvloop.run(_send(address, Path(path), int(connections), want.encode()))
    except (RuntimeError, OSError) as error:
        sys.exit(str(error))
    json.dump({"seconds": done.seconds, "processor": done.processor, "times": done.times}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
