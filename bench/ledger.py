"""Durable appends to the book through the keyholder's own group commit, and verifying what was published of it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvloop

from bench.measure import seconds
from strongroom.canonical import Record
from strongroom.errors import StrongroomError
from strongroom.keyholder import files, protocol
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.server import Answer, Server
from strongroom.keyholder.work import Work
from strongroom.ledger import audit, entry, note

_GO = Path("tests/go/verify.go")


@dataclass
class Appends:
    """``times``: seconds from when each entry was due to when its submitter knew it written; ``group``: entries a commit."""

    seconds: float
    processor: float
    commits: int
    times: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    @property
    def group(self) -> float:
        return len(self.times) / self.commits


class _Appender:
    """In the committer's place of a keyholder: a request is an entry, and nothing is decided. One transaction, one
    checkpoint signed a group; of each entry its index, or its receipt."""

    def __init__(self, keyholder: Keyholder, receipts: bool) -> None:
        self._keyholder, self._receipts, self.commits = keyholder, receipts, 0
        self.book = keyholder.book

    def commit(self, works: Sequence[Work]) -> list[Record | StrongroomError]:
        book = self.book
        self.commits += 1
        with self._keyholder.writing():
            charter = self._keyholder.charter_hash
            indexes = [book.stage(_disclosure(charter)) for _ in works]
        if self._receipts:
            return [protocol.Written(entries=[], receipt=book.receipt(index)) for index in indexes]
        return [protocol.Written(entries=[], receipt="")] * len(indexes)


def _disclosure(charter: bytes) -> entry.Entry:
    """Of one record, of somebody else each time: what a ledger is mostly made of."""
    drawn = os.urandom(96)
    return entry.DisclosureEntry(
        v=1,
        time=int(time.time()),
        asker=drawn[:12],
        charter=charter,
        commitment=drawn[44:76],
        countersigners=[],
        holding="residents",
        purpose="measure",
        role="reader",
        unit="bench",
        compartments=[1, 2],
        count=1,
        tags=[drawn[80:]],
    )


@contextmanager
def book(room: Path) -> Iterator[Keyholder]:
    """A room's keyholder in this process."""
    with files.lock(room / "keyholder"):
        keyholder = files.open_keyholder(room / "keyholder", room / "public")
        try:
            keyholder.set_time(keyholder.now())
            yield keyholder
        finally:
            keyholder.store.close()


def closed(keyholder: Keyholder, submitters: int, total: int, *, receipts: bool = False) -> Appends:
    """Each of the submitters appends the next entry as soon as it knows the last one written."""

    async def work(server: Server) -> list[float]:
        times: list[float] = []

        async def submit() -> None:
            for _ in range(total // submitters):
                began = time.perf_counter()
                await _append(server)
                times.append(time.perf_counter() - began)

        await asyncio.gather(*[submit() for _ in range(submitters)])
        return times

    return _measured(keyholder, receipts, work)


def open_loop(keyholder: Keyholder, rate: int, total: int, *, receipts: bool = False) -> Appends:
    """Entries come when they are due, however the others fare; what waits for the loop itself counts too."""

    async def work(server: Server) -> list[float]:
        loop, times, all_written = asyncio.get_running_loop(), list[float](), asyncio.Event()
        begin = loop.time()

        def written(due: float, future: Answer) -> None:
            answer, _ = future.result()
            if isinstance(answer, StrongroomError):
                raise answer
            times.append(loop.time() - due)
            if len(times) == total:
                all_written.set()

        at = 0
        while at < total:
            now = loop.time() - begin
            while at < total and at / rate <= now:
                _submit(server).add_done_callback(partial(written, begin + at / rate))
                at += 1
            await asyncio.sleep(0)
        await all_written.wait()
        return times

    return _measured(keyholder, receipts, work)


def _submit(server: Server) -> Answer:
    return server.submit(Work("", b"", b""))


async def _append(server: Server) -> None:
    answer, _ = await _submit(server)
    if isinstance(answer, StrongroomError):
        raise answer


def _measured(keyholder: Keyholder, receipts: bool, work: Callable[[Server], Awaitable[list[float]]]) -> Appends:
    async def run() -> Appends:
        appender = _Appender(keyholder, receipts)
        server = Server(keyholder)
        server.keyholder = appender  # type: ignore[assignment]
        before, began = time.process_time(), time.perf_counter()
        times = await work(server)
        took = time.perf_counter() - began, time.process_time() - before
        return Appends(*took, appender.commits, times)

    return uvloop.run(run())


def verify(room: Path) -> tuple[int, float, float]:
    """Verify the published ledger whole, on one core: its entries, seconds, and seconds of processor."""
    public = room / "public"
    verifiers = [note.verifier(text) for text in (public / "vkeys").read_text().split()]
    found: list[audit.Audit] = []
    before = time.process_time()
    took = seconds(lambda: found.append(audit.audit(lambda path: (public / path).read_bytes(), verifiers, None)))
    return found[0].size, took, time.process_time() - before


def go_verify(room: Path, work: Path) -> float | None:
    """Seconds of the Go program (tests/go/verify.go) for the same, on one core; None where there is no Go to build it."""
    program = _built(work)
    if program is None:
        return None
    public = room / "public"
    # The vault has not been asked to cosign this one.
    signed = [one for one in (public / "vkeys").read_text().split() if "/ledger/vault+" not in one]
    keys = [part for one in signed for part in ("-vkey", one)]
    command, environment = [str(program), *keys, str(public)], {**os.environ, "GOMAXPROCS": "1"}
    return seconds(lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL))


def _built(work: Path) -> Path | None:
    spec = importlib.util.find_spec("go")
    root = next((Path(one) for one in (spec.submodule_search_locations or [])), None) if spec else None
    if root is None or not (root / "src/cmd/vendor/golang.org/x/mod/sumdb/tlog").exists():
        return None
    # Without modules, GOPATH mode takes what Go itself vendors: nothing is fetched.
    place = (work / "go").absolute()
    shutil.rmtree(place, ignore_errors=True)
    (place / "src/golang.org/x").mkdir(parents=True)
    (place / "src/golang.org/x/mod").symlink_to(root / "src/cmd/vendor/golang.org/x/mod")
    mode = {"GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}
    where = {"GOROOT": str(root), "GOPATH": str(place), "GOCACHE": str(Path.home() / ".cache" / "go-build")}
    subprocess.run(
        [root / "bin" / "go", "build", "-o", place / "verify", _GO.absolute()],
        env={**os.environ, **mode, **where},
        check=True,
    )
    return place / "verify"
