"""What is posted in batches is sealed by processes beside the server: the same answers, and no worse when one of them dies."""

from __future__ import annotations

import os
import select
import signal
import threading
from pathlib import Path

import pytest
from tests.service.test_streams import made
from tests.service.town import Answer, Town

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")

COUNT = 60


def beside(town: Town) -> list[int]:
    """The server's children that seal, by their number."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                said = (folder / "cmdline").read_bytes()
            except OSError:
                continue  # it ended meanwhile
            if parent == town.vault.process.pid and b"spawn_main" in said:
                found.append(int(folder.name))
    return found


def post(town: Town, seed: int, count: int = COUNT, *, window: int = 0, key: str = "") -> Answer:
    said = {"ask": town.intake(window or 2 * count), "records": made(count, seed)}
    return town.post("/v1/records", said, {"Idempotency-Key": key} if key else None)


def test_batches_posted_together_are_stored_and_found(town: Town) -> None:
    answers: dict[int, Answer] = {}

    def one(seed: int) -> None:
        answers[seed] = post(town, seed)

    threads = [threading.Thread(target=one, args=(seed,)) for seed in (801, 802, 803)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers.values()] == [201] * 3, [answer.body for answer in answers.values()]
    assert beside(town)
    for seed, answer in answers.items():
        said = answer.json()
        assert (len(set(said["records"])), len(said["entries"])) == (COUNT, 1)
        last = made(COUNT, seed)[-1]
        found = town.post("/v1/finds", town.find("resident-id", last["id-number"])).json()
        assert said["records"][-1] in found["records"]


def test_a_refusal_comes_back_as_it_is_and_where_the_ledger_has_it(town: Town) -> None:
    answer = post(town, 811, window=COUNT)
    assert answer.problem(429, "budget")["entry"] >= 0
    # What is spent is the ask's own count, which no time fills.
    assert "Retry-After" not in answer.headers


def test_one_that_is_killed_is_started_again(town: Town) -> None:
    assert post(town, 821).status == 201
    for pid in beside(town):
        os.kill(pid, signal.SIGKILL)
    # Whoever was told nothing may look; the next one is served.
    assert [post(town, 822).status, post(town, 823).status][-1] == 201


def test_one_of_two_that_is_killed_takes_neither_the_other_nor_the_servers_end(town: Town) -> None:
    threads = [threading.Thread(target=post, args=(town, seed)) for seed in range(841, 847)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pids = beside(town)
    assert len(pids) == 2
    os.kill(pids[0], signal.SIGKILL)
    # It had nothing in hand; where that is not known yet, one is told that nobody knows.
    assert sorted(post(town, seed).status for seed in (851, 852, 853))[:2] == [201, 201]
    assert pids[1] in beside(town)
    watched = [os.pidfd_open(pid) for pid in beside(town)]
    town.vault.stop()
    for one in watched:
        assert select.select([one], [], [], 30)[0], "it has not ended"
        os.close(one)
    town.vault.start()


def test_they_end_with_the_server_however_that_ends(town: Town) -> None:
    assert post(town, 831).status == 201
    before = beside(town)
    assert before
    watched = [os.pidfd_open(pid) for pid in before]
    town.vault.kill()
    for one in watched:
        assert select.select([one], [], [], 30)[0], "it has not ended"
        os.close(one)
    town.vault.start()
    assert post(town, 832).status == 201
