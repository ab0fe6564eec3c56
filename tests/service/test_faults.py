"""What befalls a service: its keyholder goes, a client goes, requests come twice, out of order, and many at once."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
from tests.service.town import Answer, Town
from tests.world import Person


def at_once(work: list[Callable[[], Answer]]) -> list[Answer]:
    found: dict[int, Answer] = {}

    def run(at: int) -> None:
        found[at] = work[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[at] for at in range(len(work))]


def test_without_a_keyholder_nothing_is_read_and_it_is_said_when_to_come_again(
    town: Town, people: list[Person]
) -> None:
    signed = town.disclose([people[0].handle])
    town.keyholder.kill()
    answer = town.post("/v1/disclosures", signed)
    said = answer.problem(503, "keyholder")
    assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in said["detail"]
    # What the vault knows by itself it still says.
    assert town.get("/v1/room").status == 200
    assert town.get("/v1/receipts/0").status == 200
    town.keyholder.start()
    # Nothing was asked under it: the same ask is still good.
    again = town.post("/v1/disclosures", signed)
    assert again.status == 200, again.body


def test_a_slow_keyholder_is_waited_for_and_nobody_else_waits(town: Town, people: list[Person]) -> None:
    signed, found = town.disclose([people[4].handle]), list[Answer]()
    town.keyholder.process.send_signal(signal.SIGSTOP)
    try:
        asking = threading.Thread(target=lambda: found.append(town.post("/v1/disclosures", signed)))
        asking.start()
        for _ in range(5):
            assert town.get("/v1/charter").status == 200
        assert not found
    finally:
        town.keyholder.process.send_signal(signal.SIGCONT)
    asking.join(30)
    assert [one.status for one in found] == [200], found[0].body


def test_who_does_not_read_an_answer_holds_nobody_up(town: Town, people: list[Person]) -> None:
    """Readers of large answers that go in the middle of them leave nothing behind, and are no defect."""
    for _ in range(3):
        with socket.create_connection((town.vault.host, town.vault.port), timeout=30) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(b"GET /v1/entries?limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            assert one.recv(100)
            # With what is unread in the socket this is a reset, and no orderly end.
    assert town.post("/v1/disclosures", town.disclose([people[4].handle])).status == 200


def test_a_client_that_goes_in_the_middle_of_a_request_costs_nothing(town: Town, people: list[Person]) -> None:
    body = msgspec.json.encode(town.disclose([people[1].handle]))
    head = f"POST /v1/disclosures HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    whole = head.encode() + body
    for cut in (10, len(head), len(head) + 5, len(whole) - 1):
        with socket.create_connection((town.vault.host, town.vault.port), timeout=30) as one:
            one.sendall(whole[:cut])
    size = town.get("/v1/room").json()["size"]
    with socket.create_connection((town.vault.host, town.vault.port), timeout=30) as one:
        one.sendall(whole)
    # It was whole: the read is done and in the ledger, though nobody takes the answer.
    until = time.monotonic() + 20
    while town.get("/v1/room").json()["size"] == size:
        assert time.monotonic() < until
    assert town.post("/v1/disclosures", town.disclose([people[1].handle])).status == 200


def test_many_at_once_have_an_entry_each(town: Town, people: list[Person]) -> None:
    signed = [town.disclose([one.handle]) for one in people[:10]]
    answers = at_once([lambda one=one: town.post("/v1/disclosures", one) for one in signed])  # type: ignore[misc]
    assert [one.status for one in answers] == [200] * 10, [one.body for one in answers if one.status != 200]
    assert len({one.json()["entry"] for one in answers}) == 10
    for one, person in zip(answers, people, strict=False):
        assert one.json()["records"] == [{"handle": person.handle.hex(), "fields": {"name": person.values["name"]}}]


def test_one_ask_many_times_at_once_is_one_entry(town: Town, people: list[Person]) -> None:
    signed = town.disclose([people[2].handle])
    before = town.get("/v1/room").json()["size"]
    answers = at_once([lambda: town.post("/v1/disclosures", signed)] * 6)
    good = [one for one in answers if one.status == 200]
    assert good
    for one in answers:
        if one.status != 200:
            one.problem(409, "used")
    assert len({one.json()["entry"] for one in good}) == 1
    assert town.get("/v1/room").json()["size"] == before + 1


def test_an_answer_that_got_lost_is_had_by_sending_the_same_again(town: Town, people: list[Person]) -> None:
    signed = town.disclose([people[3].handle], ["name", "born"])
    first, size = town.post("/v1/disclosures", signed).json(), town.get("/v1/room").json()["size"]
    again = town.post("/v1/disclosures", signed)
    assert again.status == 200, again.body
    assert (again.json()["records"], again.json()["entry"]) == (first["records"], first["entry"])
    # And nothing was debited or written for it.
    assert town.get("/v1/room").json()["size"] == size


def test_asks_in_another_order_than_they_were_signed(town: Town, people: list[Person]) -> None:
    signed = [town.disclose([one.handle]) for one in people[:4]]
    found: list[Any] = [town.post("/v1/disclosures", one).json() for one in reversed(signed)]
    assert [one["records"][0]["handle"] for one in found] == [one.handle.hex() for one in reversed(people[:4])]
    assert [one["entry"] for one in found] == sorted(one["entry"] for one in found)


def test_what_is_no_http_is_no_concern(town: Town) -> None:
    for data in (
        b"\x00" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/finds HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"\r\n\r\n",
    ):
        said = town.raw(data)
        assert not said or said.startswith(b"HTTP/1."), said
        assert b" 500 " not in said[:20]
    assert town.get("/v1/room").status == 200
