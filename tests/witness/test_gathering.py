"""The keyholder gathers cosignatures: from honest witnesses, and past those that are dead, slow or hostile."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import web
from tests.houses import Houses
from tests.witness.liars import LIES, PLANTED, Asked, endless
from tests.witness.peers import Handler, Honest, at, gathering, liar, rule, three

from strongroom.canonical import encode
from strongroom.errors import QuorumError, StoreError, Unwitnessed
from strongroom.keyholder import protocol, witnessing
from strongroom.keyholder.client import Client, HttpTransport, Voice
from strongroom.keyholder.server import Server
from strongroom.ledger import note, policy, witnessed


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnessing, "PACE_SECONDS", 0.05)
    monkeypatch.setattr(witnessing, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(witnessing, "HOLD_SECONDS", 20.0)


async def until(made: witnessing.Witnessing, holds: Callable[[], bool]) -> None:
    """Wait for what follows from somebody's having been asked."""
    async with asyncio.timeout(30), made._moved:
        await made._moved.wait_for(holds)


def read(houses: Houses) -> int:
    """One read; the ledger's size after it."""
    houses.town.disclose(houses.handles[:1])
    return houses.town.keyholder.book.size


def test_a_quorum_of_three(houses: Houses, tmp_path: Path) -> None:
    """Both keys of each; the published checkpoint carries them, and anybody can hold it against the published policy."""

    async def run() -> None:
        async with three(houses, tmp_path) as found, gathering(houses) as made:
            for _ in range(3):
                size = read(houses)
                await made.cover(size)
                assert made.covered == size
            houses.town.tick()
            await made.verify()
            # The third has been asked too, though nobody waits for it.
            size = houses.town.keyholder.book.size
            await until(made, lambda: (made._last(made._policy).size, len(made._last(made._policy).times)) == (size, 6))
            made._write()
            houses.town.tick()
            assert {one for each in found for one in each.verifiers} == _published(houses)

    asyncio.run(run())
    public = houses.town.root / "public"
    stated = policy.parse((public / "policy").read_bytes())
    text = (public / "checkpoint").read_text()
    good = witnessed.opened(text, [one.verifier for one in stated.logs], stated)
    witnessed.verify(good, stated, 60, houses.town.keyholder.now())
    assert (public / "witnessed").exists()
    assert houses.town.room.status().witnessed == (public / "witnessed").read_text()


def _published(houses: Houses) -> set[note.Verifier]:
    public = houses.town.root / "public"
    stated = policy.parse((public / "policy").read_bytes())
    return set(witnessed.cosigned((public / "checkpoint").read_text(), stated.verifiers))


def test_the_dead_and_the_slow_below_quorum_hold_up_nobody(houses: Houses, tmp_path: Path) -> None:
    async def run() -> None:
        async with three(houses, tmp_path, quorum="1") as found, gathering(houses) as made:
            for one in found[1:]:
                one.hold = asyncio.Event()
            for _ in range(5):
                await made.cover(read(houses))
            # One thing at a time: the slow ones have been asked once, and were not asked again meanwhile.
            assert [len(one.asked) for one in found[1:]] == [1, 1]
            assert len(found[0].asked) >= 5
            for one in found[1:]:
                assert one.hold is not None
                one.hold.set()
                one.hold = None
            # Back, they are shown what is current and no old stuff.
            size = read(houses)
            await made.cover(size)
            await until(made, lambda: len(made._last(made._policy).times) == 6)
            assert made._last(made._policy).size == size

    asyncio.run(run())


def test_a_strict_room_waits_and_gives_up(houses: Houses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnessing, "HOLD_SECONDS", 0.3)

    async def run() -> None:
        async with three(houses, tmp_path) as found, gathering(houses) as made:
            await made.cover(read(houses))
            for one in found[1:]:
                one.hold = asyncio.Event()
            size = read(houses)
            with pytest.raises(Unwitnessed, match="quorum"):
                await made.cover(size)
            assert made.covered < size
            # Those that waited go together, as soon as it is there.
            waiting = [asyncio.create_task(made.cover(read(houses))) for _ in range(20)]
            await asyncio.sleep(0.05)
            assert not any(one.done() for one in waiting)
            for one in found[1:]:
                assert one.hold is not None
                one.hold.set()
            await asyncio.gather(*waiting)
            assert made.covered == houses.town.keyholder.book.size

    asyncio.run(run())


def test_what_a_vault_is_told_and_does(houses: Houses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP: an answer held back too long is a 503 of its own, signed; the line sends the same bytes again, and there is one
    entry, however often."""
    monkeypatch.setattr(witnessing, "HOLD_SECONDS", 0.05)
    town = houses.town
    # A connection is its thread's own.
    line = ThreadPoolExecutor(1)

    async def run() -> None:
        async with three(houses, tmp_path) as found:
            server = Server(town.keyholder)
            tasks = [asyncio.create_task(server.witnessing.forever())]
            app = web.Application()
            app.router.add_post("/v1/{path:.*}", server.handle)
            async with at(app) as url:
                keys = town.keyholder.keys
                transport = HttpTransport(
                    lambda: url.removeprefix("http://"), Voice(keys.room, lambda: keys.message_public)
                )
                client = Client(transport, town.room.keys.message, keys.room)

                async def send(path: str, body: bytes) -> bytes:
                    return await asyncio.get_running_loop().run_in_executor(line, client.send, path, body)

                for one in found:
                    one.hold = asyncio.Event()
                body, size = encode(houses.good()), town.keyholder.book.size
                for _ in range(2):
                    with pytest.raises(Unwitnessed, match="no quorum"):
                        await send("/v1/disclose", body)
                assert town.keyholder.book.size == size + 1
                # What gives nothing is not held back.
                await send("/v1/status", encode(protocol.Plain(**town.room.common())))
                for one in found:
                    assert one.hold is not None
                    one.hold.set()
                await until(server.witnessing, lambda: server.witnessing.covered > size)
                answer = protocol.sealed_answer.parse(await send("/v1/disclose", body))
                assert len(answer.entries) == 1
                assert town.keyholder.book.size == size + 1
                await asyncio.get_running_loop().run_in_executor(line, client.close)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())
    line.shutdown()


def test_reads_of_a_room_that_is_not_strict_never_wait(houses: Houses, tmp_path: Path) -> None:
    async def run() -> None:
        async with three(houses, tmp_path, strict=False) as found, gathering(houses) as made:
            for one in found:
                one.hold = asyncio.Event()
            await made.cover(read(houses))
            assert made.covered == 0
            with pytest.raises(QuorumError):
                await made.verify()
            assert made.age() == float("inf")
            for one in found:
                assert one.hold is not None
                one.hold.set()
            houses.town.tick()
            await until(made, lambda: made.covered > 0)
            await made.verify()
            assert made.age() < 60

    asyncio.run(run())


def test_cosignatures_grow_old(houses: Houses, tmp_path: Path) -> None:
    """Without new entries they are asked for again; where no quorum answers for too long, readiness says so."""

    async def run() -> None:
        async with three(houses, tmp_path, strict=False, fresh=60) as found, gathering(houses) as made:
            houses.town.tick()
            await until(made, lambda: made.covered > 0)
            count = len(found[0].asked)
            houses.town.keyholder.clock = _Ahead(31)  # type: ignore[assignment]
            await until(made, lambda: len(found[0].asked) > count)
            await made.verify()
            houses.town.keyholder.clock = _Ahead(61)  # type: ignore[assignment]
            with pytest.raises(QuorumError, match="old"):
                await made.verify()

    asyncio.run(run())


class _Ahead:
    """A clock that is past the witnesses', as it would be if their last word were old."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def now(self, _: int) -> int:
        return int(time.time()) + self._seconds


@pytest.mark.parametrize("kind", [*LIES, "endless"])
def test_a_hostile_witness_is_worth_nothing_and_does_no_harm(houses: Houses, tmp_path: Path, kind: str) -> None:
    """Two honest ones are the quorum; the third counts for nothing, and nothing that it sends is published."""
    log = houses.town.keyholder.keys.log.vkey
    evil, other, *honest = (
        Honest(tmp_path / name, f"{name}.example", log, stands_for)
        for name, stands_for in (("evil", ""), ("other", "evil.example"), ("w0", ""), ("w1", ""))
    )
    asked: list[bytes] = []

    async def lie(sent: web.Request) -> web.StreamResponse:
        asked.append(body := await sent.read())
        if kind == "endless":
            return await endless(sent)
        return LIES[kind](Asked(sent, body, houses.town.keyholder.now(), evil.keys, other.keys))

    async def run() -> None:
        async with at(honest[0].app()) as one, at(honest[1].app()) as two, at(liar(lie)) as where:
            lines = honest[0].lines("a", one) + honest[1].lines("b", two) + evil.lines("evil", where)
            rule(houses, f"{lines}group q 2 a b evil\nquorum q\n", strict=True)
            async with gathering(houses) as made:
                for _ in range(3):
                    await made.cover(read(houses))
                await until(made, lambda: bool(asked))
                house = made._houses[where]
                # Beside its own good line the log's name is left out: it has cosigned, and done no harm.
                good = kind == "log's name"
                await until(made, lambda: bool(house.fault) or good)
                allowed = {v for each in [*honest, *([evil] if good else [])] for v in each.verifiers}
                assert set(made._last(made._policy).times) <= allowed
                assert PLANTED not in house.fault
                houses.town.tick()
                note.open_checkpoint(houses.town.keyholder.book.published(), [note.verifier(log)])
                assert len(asked) < 10
                await made.verify()

    asyncio.run(run())


def test_a_size_that_was_said_once_shuts_no_witness_out(houses: Houses, tmp_path: Path) -> None:
    """It is anybody's word, and may have been a slip, or that of somebody on the way: what is asked next is the witness again."""
    honest = Honest(tmp_path / "a", "a.example", houses.town.keyholder.keys.log.vkey)
    lied: list[bytes] = []

    @web.middleware
    async def once(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST" and not lied:
            lied.append(await request.read())
            return web.Response(status=409, body=b"%d\n" % 2**40, headers={"Content-Type": "text/x.tlog.size"})
        return await handler(request)

    async def run() -> None:
        app = honest.app()
        app.middlewares.append(once)
        async with at(app) as url:
            rule(houses, honest.lines("a", url) + "quorum a\n", strict=True)
            async with gathering(houses) as made:
                await made.cover(read(houses))
            assert lied

    asyncio.run(run())


def test_an_own_witness_that_is_ahead_says_that_the_book_is_old(
    houses: Houses, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A book restored from an old copy: its witnesses have cosigned more than it holds."""

    async def run() -> None:
        town = houses.town
        async with three(houses, tmp_path):
            async with gathering(houses) as made:
                await made.cover(read(houses))
                old = sqlite3.connect(tmp_path / "old.db")
                town.keyholder.store.db.backup(old)
                old.close()
                await made.cover(read(houses))
            town.keyholder.store.close()
            for name in ("keyholder.db", "keyholder.db-wal", "keyholder.db-shm"):
                (town.root / "keyholder" / name).unlink(missing_ok=True)
            shutil.copy(tmp_path / "old.db", town.root / "keyholder" / "keyholder.db")
            town.keyholder = town._keyholder()
            town.keyholder.set_time(town.keyholder.now())
            caplog.clear()
            async with gathering(houses) as made:
                await until(
                    made, lambda: ["this ledger has" in one.fault for one in made._houses.values()] == [True] * 3
                )
                # Its own signature, which the witness shows, is proof of it. A size alone, as a liar says it, is none.
                await until(made, lambda: made._ahead[1] > town.keyholder.book.size)
                with pytest.raises(StoreError, match="strongroom keyholder recover"):
                    await made.verify()

    asyncio.run(run())
    assert {line.levelname for line in caplog.records if "does not cosign" in line.message} == {"ERROR"}


def test_the_charter_names_others(houses: Houses, tmp_path: Path) -> None:
    async def run() -> None:
        log = houses.town.keyholder.keys.log.vkey
        first, second = Honest(tmp_path / "a", "a.example", log), Honest(tmp_path / "b", "b.example", log)
        async with at(first.app()) as one, at(second.app()) as two:
            rule(houses, first.lines("a", one) + "quorum a\n", strict=True)
            async with gathering(houses) as made:
                await made.cover(read(houses))
                rule(houses, second.lines("b", two) + "quorum b\n", strict=True)
                count = len(first.asked)
                await made.cover(read(houses))
                assert len(first.asked) <= count + 1
                assert second.asked
                rule(houses, "")
                await made.cover(read(houses))
                assert not made.strict

    asyncio.run(run())


def test_a_restart_knows_what_was_cosigned(houses: Houses, tmp_path: Path) -> None:
    async def run() -> None:
        async with three(houses, tmp_path, quorum="all") as found:
            async with gathering(houses) as made:
                await made.cover(size := read(houses))
            counts = [len(one.asked) for one in found]
            async with gathering(houses) as made:
                await made.cover(size)
                assert made.covered == size
                await made.cover(read(houses))
            # From the size that they cosigned last, and not from nothing again.
            for one, count in zip(found, counts, strict=True):
                assert not any(body.startswith(b"old 0\n") for body in one.asked[count:])

    asyncio.run(run())


def test_who_lost_the_answer_is_told_the_size(houses: Houses, tmp_path: Path) -> None:
    """Asked from nothing, a witness says how far it is, and is asked once more."""

    async def run() -> None:
        async with three(houses, tmp_path) as found:
            async with gathering(houses) as made:
                await made.cover(read(houses))
            houses.town.keyholder.store.drop_state("witnessed")
            for one in found:
                one.asked.clear()
            async with gathering(houses) as made:
                await made.cover(read(houses))
            for one in found[:1]:
                assert one.asked[0].startswith(b"old 0\n")
                assert not one.asked[1].startswith(b"old 0\n")

    asyncio.run(run())
