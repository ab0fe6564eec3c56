"""Keyholder and witnesses as processes: killed, restarted, raced; and a ledger that is shown in two versions."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import world
from tests.houses import Houses
from tests.keyholder.served import Served
from tests.witness.made import Log
from tests.witness.peers import rule
from tests.witness.running import Running, stop_all

from strongroom.client.device import Asker
from strongroom.client.published import fetch_from
from strongroom.custody import read
from strongroom.custody.room import Room
from strongroom.errors import CheckpointError, QuorumError
from strongroom.ledger import audit, note, policy, witnessed
from strongroom.witness.request import Request, log_id


@pytest.fixture
def three(houses: Houses, tmp_path: Path) -> Iterator[list[Running]]:
    log = houses.town.keyholder.keys.log.vkey
    found = [Running(tmp_path / f"w{n}", f"w{n}.example", log) for n in range(3)]
    yield found
    stop_all(found)


def named(witnesses: list[Running], quorum: int = 2) -> str:
    lines = "".join(one.lines(f"w{n}") for n, one in enumerate(witnesses))
    return f"{lines}group q {quorum} {' '.join(f'w{n}' for n in range(len(witnesses)))}\nquorum q\n"


def test_a_strict_room(houses: Houses, three: list[Running]) -> None:
    """Reads go on while one witness of three is killed; with two gone they stop, and nothing is lost: the identical request is
    answered when one is back."""
    rule(houses, named(three), strict=True)
    houses.town.keyholder.store.close()
    served = Served(houses.town.root)
    room = served.room()
    try:
        room.sync()
        log, text = served_log(room), policy.parse(named(three).encode())

        def one_read(room: Room = room) -> read.Disclosed:
            asker = Asker(houses.town.key_of("ana"), room.keys.room, room.rules().enacted.hash, os.urandom)
            handles, why = houses.handles[:1], "a passport to be renewed"
            return read.disclose(
                room, asker.disclose("residents", "confirm", handles, ["name"], "case-1", why, room.now())
            )

        for _ in range(3):
            got = one_read()
            covered(room, log, text, got.index)
        three[0].kill()
        covered(room, log, text, one_read().index)
        three[1].kill()
        # The entry is written and its answer held back, until somebody vouches for it.
        answers: list[read.Disclosed | Exception] = []

        def wait() -> None:
            mine = served.room()
            try:
                answers.append(one_read(mine))
            except Exception as error:  # noqa: BLE001 - shown below
                answers.append(error)
            finally:
                mine.close()

        before, thread = room.mirror.size, threading.Thread(target=wait)
        thread.start()
        while room.sync().size <= before and thread.is_alive():
            pass
        assert thread.is_alive(), answers
        three[1].restart()
        thread.join(60)
        (answer,) = answers
        assert isinstance(answer, read.Disclosed), answer
        covered(room, log, text, answer.index)
        assert served.stop() == 0
    finally:
        room.close()
        served.process.kill()
        served.process.communicate()
        houses.town.keyholder = houses.town._keyholder()


def served_log(room: Room) -> note.Verifier:
    return note.verifier(room.rules().charter.keyholder.log)


def covered(room: Room, log: note.Verifier, stated: policy.Policy, index: int) -> None:
    """A quorum has cosigned a checkpoint with the entry before its answer was given: the witnesses themselves say so."""
    sizes = []
    for one in stated.witnesses[::2]:
        try:
            text = fetch_from(one.url)(f"logs/{log_id(log.name)}/checkpoint").decode()
        except OSError:
            continue
        found = witnessed.opened(text, [log], stated)
        assert len(found.times) == 2
        sizes.append(found.size)
    assert sorted(sizes)[-2] > index


def test_a_ledger_in_two_versions(houses: Houses, three: list[Running], tmp_path: Path) -> None:
    """The keyholder keeps two books, and shows the first to one witness and an auditor, the second to another. No version gets a
    quorum: whoever wants one finds out; and the witness who saw both in one size keeps the proof."""
    rule(houses, named(three), strict=False)
    houses.town.tick()
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for place in (mine, theirs):
        shutil.copytree(houses.town.root, place)
    log = houses.town.keyholder.keys.log.vkey
    stated = policy.parse(named(three).encode())
    # Of all that both have in common, everybody has seen a beginning.
    common = _show(houses.town, three, 0)
    towns = []
    for place, count in ((mine, 1), (theirs, 2)):
        town = world.World(place)
        towns.append(town)
        for _ in range(count):
            town.disclose(houses.handles[:1])
    first, second = towns
    _show(first, three[:1], common)
    _show(second, three[1:2], common)
    # The third takes the first that it is shown, and then no other.
    _show(first, three[2:], common)
    status, kind, _ = three[2].call("POST", "/add-checkpoint", _body(second, common))
    assert (status, kind) == (409, "text/x.tlog.size")
    for town in towns:
        town.keyholder.publish(town.keyholder.now())
    trusted = [note.verifier(log)]
    good = _witnessed(first, three)
    witnessed.verify(witnessed.opened(good, trusted, stated), stated, 3600, first.keyholder.now())
    bad = witnessed.opened(_witnessed(second, three), trusted, stated)
    assert {one.name for one in bad.times} == {"w1.example"}
    with pytest.raises(QuorumError):
        witnessed.verify(bad, stated, 3600, second.keyholder.now())
    # Who audits the second version finds no quorum under it, and, where the first one's lies beside it, the fork.
    found = audit.audit(fetch_from(str(theirs / "public")), trusted, None)
    with pytest.raises(QuorumError):
        found.quorum(second.keyholder.now())
    (theirs / "public" / "witnessed").write_text(good)
    with pytest.raises(CheckpointError, match="FORKED"):
        audit.audit(fetch_from(str(theirs / "public")), trusted, None)
    for town in towns:
        town.close()


def _body(town: world.World, old: int) -> bytes:
    book = town.keyholder.book
    return Request(old, tuple(book.consistency(old, book.size)), book.note).marshal()


_answers: dict[tuple[bytes, str], str] = {}


def _show(town: world.World, witnesses: list[Running], old: int) -> int:
    """Have them cosign ``town``'s book. Its size."""
    for one in witnesses:
        status, _, lines = one.call("POST", "/add-checkpoint", _body(town, old))
        assert status == 200, lines
        _answers[town.keyholder.book.root(town.keyholder.book.size), one.keys.name] = lines.decode()
    return town.keyholder.book.size


def _witnessed(town: world.World, witnesses: list[Running]) -> str:
    book = town.keyholder.book
    return book.note + "".join(_answers.get((book.root(book.size), one.keys.name), "") for one in witnesses)


def test_of_two_at_once_one_passes(tmp_path: Path) -> None:
    """Thirty requests from one size, of two branches, sent together to one process: of one branch alone is anything cosigned."""
    log, other = Log(), Log(branch=1, common=5)
    for one in (log, other):
        one.grow(40)
    witness = Running(tmp_path / "w", "w.example", log.signer.vkey)
    try:
        assert witness.call("POST", "/add-checkpoint", log.ask(0, 5).marshal())[0] == 200
        bodies = [branch.ask(5, 6 + n).marshal() for n in range(15) for branch in (log, other)]
        said: list[tuple[int, str, bytes]] = []
        threads = [
            threading.Thread(target=lambda body=body: said.append(witness.call("POST", "/add-checkpoint", body)))
            for body in bodies
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(status for status, _, _ in said) == [200] + [409] * 29
        (size,) = {int(body) for status, kind, body in said if status == 409 and kind == "text/x.tlog.size"}
        # And it is there after a kill -9.
        witness.restart()
        status, kind, body = witness.call("POST", "/add-checkpoint", log.ask(0, 5).marshal())
        assert (status, kind, body) == (409, "text/x.tlog.size", f"{size}\n".encode())
        text = witness.call("GET", f"/logs/{log_id(log.origin)}/checkpoint")[2].decode()
        kept, signers = note.open_checkpoint(text, [note.verifier(log.signer.vkey), *witness.verifiers])
        assert (kept.size, len(signers)) == (size, 3)
        # What anybody may ask, and what is none of it.
        assert witness.call("GET", "/vkeys")[2].decode().split() == list(witness.keys.vkeys)
        assert witness.call("GET", "/logs")[2].decode() == f"{log_id(log.origin)} {log.origin}\n"
        assert witness.call("GET", f"/logs/{log_id('other')}/checkpoint")[0] == 404
        assert witness.call("POST", "/add-checkpoint", b"x" * 300_000)[0] == 413
        assert witness.call("GET", "/add-checkpoint")[0] == 405
        assert witness.call("POST", "/sign-subtree", b"")[0] == 404
        witness.stop()
    finally:
        witness.kill()
