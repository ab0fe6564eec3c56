"""The keyholder as a process: 64 readers at once, garbage, slow senders, kill -9, and one process to a directory."""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.houses import Houses
from tests.keyholder.served import Served, start

from strongroom.canonical import encode
from strongroom.client.device import Asker, SignedAsk
from strongroom.custody import read
from strongroom.custody.room import Room
from strongroom.errors import KeyholderUnavailable, Refused, StoreError, StrongroomError
from strongroom.keyholder import files, protocol
from strongroom.keyholder.client import Client, HttpTransport, Voice, address_file
from strongroom.ledger import entry, tag


def _asks(room: Room, houses: Houses, count: int) -> list[SignedAsk]:
    room.sync()
    asker = Asker(houses.town.key_of("ana"), room.keys.room, room.rules().enacted.hash, os.urandom)
    return [
        asker.disclose(
            "residents", "confirm", houses.handles[:1], ["name"], "case-1", "a passport to be renewed", room.now()
        )
        for _ in range(count)
    ]


def test_64_reads_of_one_person_at_once(houses: Houses, served: Served) -> None:
    """Tags 1 to 64, none lost, none twice, whichever vault process was first; and each got its own receipt."""
    first = served.room()
    asks = _asks(first, houses, 64)
    first.close()
    found: list[read.Disclosed] = []
    failed: list[BaseException] = []
    gate = threading.Barrier(64)

    def work(mine: list[SignedAsk]) -> None:
        try:
            room = served.room()
            gate.wait(30)
            found.extend([read.disclose(room, one) for one in mine])
            room.close()
        except BaseException as error:  # noqa: BLE001 - shown in the main thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=([one],)) for one in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len({one.index for one in found}) == 64
    assert len({str(one.values) for one in found}) == 1
    last = served.room()
    last.sync()
    tags = [
        one
        for one in (entry.parse(data) for data in last.mirror.entries(0, last.mirror.size))
        if isinstance(one, entry.DisclosureEntry)
    ]
    last.close()
    assert served.stop() == 0
    keyholder = houses.town._keyholder()
    ((holding, who, generation, count),) = [row for row in keyholder.store.chains() if row[3] == 64]
    chain = tag.chain_key(keyholder.keys.tag, holding, who, generation)
    assert [one.tags for one in tags] == [[one] for one in tag.tags(chain, 1, count)]
    keyholder.store.close()


def test_kill_and_restart(houses: Houses, served: Served) -> None:
    room = served.room()
    for one in _asks(room, houses, 5):
        got = read.disclose(room, one)
        served.restart()
        # The connection is gone and the port another: the room finds it, and the book is as it was.
        room.sync()
        item = entry.parse(room.mirror.entry(got.index))
        assert isinstance(item, entry.DisclosureEntry)
    starts = [entry.parse(data) for data in room.mirror.entries(0, room.mirror.size)]
    assert sum(isinstance(item, entry.NoticeEntry) and item.code == "start" for item in starts) == 6
    room.close()


def test_a_second_process_on_one_directory_is_refused(served: Served) -> None:
    second = start(served.root)
    _, said = second.communicate(timeout=20)
    assert second.returncode == 1
    assert b"runs on this already" in said
    with pytest.raises(StoreError, match="runs on this already"), files.lock(served.root / "keyholder"):
        pass
    assert served.post("/v1/status", b"{}", {})[0] == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_an_address_that_others_reach_is_refused(houses: Houses, host: str) -> None:
    process = start(houses.town.root, host)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"loopback" in said


def test_a_port_that_is_taken_and_a_directory_that_is_none(served: Served, tmp_path: Path) -> None:
    for root, port, words in ((served.root, served.address[1], b"already"), (tmp_path / "x", 0, b"no keyholder here")):
        process = start(root, port=port)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 1
        assert words in said
        assert b"Traceback" not in said


GARBAGE = [
    b"\0" * 1000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{}",
    b"POST /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    b"POST /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/status HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
    b"POST /v1/%ff%00 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
]


def test_garbage_is_answered_or_dropped_and_harms_nobody(houses: Houses, served: Served) -> None:
    for data in GARBAGE:
        assert b"Traceback" not in served.raw(data)
    for signature in ("", "!", "é", base64.b64encode(bytes(64)).decode(), "A" * 5000):
        status, data = served.post("/v1/status", b"{}", {"Strongroom-Signature": signature.encode().decode("latin-1")})
        assert status in (400, 403)
        assert json.loads(data)["code"] in ("malformed", "vault")
    room = served.room()
    assert room.status().published >= 0
    room.close()


def test_a_body_too_large_is_refused_as_the_protocol_says(served: Served) -> None:
    key = "Strongroom-Signature"
    try:
        status, data = served.post("/v1/disclose", b"x" * (protocol.MAX_BODY + 1), {key: ""})
    except ConnectionError:
        pass  # refused while it was still being sent
    else:
        assert (status, json.loads(data)["code"]) == (400, "malformed")
    for path in ("/v1/subject/enrol", "/v1/desk/admit"):
        status, data = served.post(path, b"x" * 100_000, {key: ""})
        assert (status, json.loads(data)["code"]) == (400, "malformed")


def test_what_is_only_announced_keeps_nobody_out(houses: Houses, served: Served) -> None:
    """Each announces 8 MiB and sends a byte: a stranger could do that from anywhere, and the keyholder would give nothing."""
    head = b"POST /v1/disclose HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\nx" % protocol.MAX_BODY
    held = [socket.create_connection(served.address, timeout=10) for _ in range(50)]
    for one in held:
        one.sendall(head)
    room = served.room()
    (signed,) = _asks(room, houses, 1)
    read.disclose(room, signed)
    room.close()
    for one in held:
        one.close()


def test_many_large_bodies_do_not_fill_the_memory(houses: Houses, served: Served) -> None:
    """Each sends 8 MiB but for a byte: beyond what may wait together they are turned away, and given room again."""
    head = b"POST /v1/disclose HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % protocol.MAX_BODY
    held = [socket.create_connection(served.address, timeout=10) for _ in range(17)]
    for one in held:
        with suppress(ConnectionError):  # turned away while it was still sending
            one.sendall(head + bytes(protocol.MAX_BODY - 1))
    told, _, _ = select.select(held, [], [], 10)
    assert told
    assert b"more requests than it can take" in told[0].recv(65536)
    for one in held:
        one.close()
    room = served.room()
    until = time.monotonic() + 10
    while True:
        try:
            room.sync()
            break
        except KeyholderUnavailable:
            assert time.monotonic() < until
    room.close()


def test_slow_senders_hold_nobody_up(houses: Houses, served: Served) -> None:
    slow = [socket.create_connection(served.address, timeout=10) for _ in range(50)]
    for one in slow:
        one.sendall(b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    room, start = served.room(), time.monotonic()
    (signed,) = _asks(room, houses, 1)
    read.disclose(room, signed)
    assert time.monotonic() - start < 5
    room.close()
    for one in slow:
        one.close()


def test_no_answer_carries_what_is_personal(houses: Houses, served: Served) -> None:
    """The keyholder has nothing of the kind, and what it is sent by mistake it does not send back."""
    secret = "李明 13800000000"
    device = houses.town.key_of("ana")
    room, said_by = houses.town.keyholder.room, houses.town.keyholder.keys.message_public
    transport = HttpTransport(address_file(served.root / "keyholder"), Voice(room, lambda: said_by))
    client = Client(transport, device.key, room)
    bodies = {
        "/v1/subject/enrol": encode({"code": "x", "device": device.public, "time": 0, secret: secret}),
        "/v1/subject/reads": secret.encode(),
        "/v1/desk/admit": encode({"holding": secret}),
    }
    for path, body in bodies.items():
        signature = base64.b64encode(protocol.sign_request(houses.town.keyholder.room, path, body, device.key)).decode()
        _, answer = served.post(path, body, {"Strongroom-Signature": signature})
        assert secret not in json.dumps(json.loads(answer), ensure_ascii=False)
    with pytest.raises(Refused, match="the code is wrong"):
        client.call("/v1/subject/enrol", protocol.Enrol(code=secret[:2], device=device.public, time=int(time.time())))
    client.close()


def test_no_keyholder_is_one_clear_error(houses: Houses, tmp_path: Path) -> None:
    key = houses.town.room.keys.message
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        free = one.getsockname()[1]
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "address").write_text("127.0.0.1:")
    for address in (lambda: f"127.0.0.1:{free}", address_file(tmp_path), address_file(tmp_path / "torn")):
        with pytest.raises(KeyholderUnavailable, match="strongroom keyholder"):
            Client(HttpTransport(address, None), key, bytes(16)).send("/v1/status", b"{}")


def test_an_answer_that_is_none_of_ours(houses: Houses) -> None:
    """A stranger on the port: whatever it says is an error of ours, and the vault goes on refusing."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    answers = [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{",
        b"SSH-2.0-x\r\n",
    ]

    def serve() -> None:
        for answer in answers:
            one, _ = server.accept()
            one.recv(65536)
            one.sendall(answer)
            one.close()

    thread = threading.Thread(target=serve)
    thread.start()
    for _ in answers:
        room = Room(houses.town.root / "vault", transport=HttpTransport(lambda: f"127.0.0.1:{port}", None, timeout=5))
        with pytest.raises(StrongroomError):
            room.sync()
        room.close()
    thread.join()
    server.close()
