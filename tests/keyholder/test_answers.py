"""Nobody between the houses speaks in the keyholder's name: not a refusal, not an error, not that something is done (SPEC.md section 8.2)."""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody.life import REASON
from tests.houses import Houses
from tests.keyholder.between import HEADER, Asked, Between, Said
from tests.keyholder.served import Served

from strongroom.canonical import encode
from strongroom.cli.main import main
from strongroom.client.device import Asker
from strongroom.client.operator import Operator
from strongroom.custody import asking, certificate, correct, read, reception
from strongroom.custody.asking import Mandate
from strongroom.custody.room import Room
from strongroom.errors import FormatError, KeyholderUnavailable, Refused
from strongroom.keyholder import protocol
from strongroom.keyholder.client import Client, HttpTransport, Voice, address_file

ERASED = encode(protocol.Problem(code="erased", detail="a record of the ask was erased", after=None))
DONE = encode(protocol.Done(done=True))


@pytest.fixture
def between(served: Served) -> Iterator[Between]:
    made = Between(served)
    yield made
    made.close()


@pytest.fixture
def room(between: Between, served: Served) -> Iterator[Room]:
    """The vault's, with somebody between."""
    made = served.room()
    made.sync()
    yield made
    made.close()


def mandate(room: Room, houses: Houses, purpose: str, name: str = "rui") -> Mandate:
    asker = Asker(houses.town.key_of(name), room.keys.room, room.rules().enacted.hash, os.urandom)
    return Mandate(asker, "residents", purpose, "case-17", REASON)


def signed(houses: Houses, asked: Asked, status: int, body: bytes, key: Ed25519PrivateKey | None = None) -> str:
    keyholder = houses.town.keyholder.keys
    under = base64.b64decode(asked.under)
    said = protocol.answered_message(keyholder.room, asked.path.encode(), under, asked.body, status, body)
    return base64.b64encode((key or keyholder.message).sign(said)).decode()


def unsigned(between: Between, houses: Houses, asked: Asked) -> Said:
    return Said(403, ERASED, None)


def empty(between: Between, houses: Houses, asked: Asked) -> Said:
    return Said(403, ERASED, "")


def by_somebody(between: Between, houses: Houses, asked: Asked) -> Said:
    return Said(403, ERASED, signed(houses, asked, 403, ERASED, Ed25519PrivateKey.generate()))


def of_another_time(between: Between, houses: Houses, asked: Asked) -> Said:
    before = Asked(asked.path, asked.body + b" ", asked.under)
    return Said(403, ERASED, signed(houses, before, 403, ERASED))


def of_another_path(between: Between, houses: Houses, asked: Asked) -> Said:
    return Said(403, ERASED, signed(houses, asked._replace(path="/v1/disclose"), 403, ERASED))


def of_another_status(between: Between, houses: Houses, asked: Asked) -> Said:
    return Said(403, ERASED, signed(houses, asked, 200, ERASED))


def in_another_room(between: Between, houses: Houses, asked: Asked) -> Said:
    under = base64.b64decode(asked.under)
    said = protocol.answered_message(bytes(16), asked.path.encode(), under, asked.body, 403, ERASED)
    key = houses.town.keyholder.keys.message
    return Said(403, ERASED, base64.b64encode(key.sign(said)).decode())


def to_somebody_else(between: Between, houses: Houses, asked: Asked) -> Said:
    """The keyholder is sent the very same request under a signature that is none, and refuses that, in its own name."""
    said = between.ask(asked._replace(under=base64.b64encode(bytes(64)).decode()))
    assert (said.status, json.loads(said.body)["code"]) == (403, "vault")
    assert said.under
    return said


FORGED = [
    unsigned,
    empty,
    by_somebody,
    of_another_time,
    of_another_path,
    of_another_status,
    in_another_room,
    to_somebody_else,
]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_refusal_erases_nothing(
    houses: Houses, between: Between, room: Room, forged: Callable[[Between, Houses, Asked], Said]
) -> None:
    person = houses.people[0]
    m = mandate(room, houses, "forget")
    between.change = lambda asked: forged(between, houses, asked) if asked.path == "/v1/erase" else between.ask(asked)
    with pytest.raises(KeyholderUnavailable, match="not signed by this room's keyholder"):
        list(asking.erase(room, m, [person.handle]))
    between.change = between.ask
    number = room.holding("residents")
    assert room.store.latest_versions(number, [person.handle])
    (done,) = asking.erase(room, mandate(room, houses, "forget"), [person.handle])
    assert done.handles == (person.handle,)
    assert not room.store.latest_versions(number, [person.handle])


def test_an_answer_that_was_lost_is_taken_note_of_by_a_certificate(
    houses: Houses, between: Between, room: Room
) -> None:
    """The keyholder erased, and whoever is between kept that to themselves: the refusal of the second try is its own."""
    handle = houses.people[0].handle

    def lost(asked: Asked) -> Said:
        said = between.ask(asked)
        return Said(502, b"", None) if asked.path == "/v1/erase" else said

    between.change = lost
    with pytest.raises(KeyholderUnavailable):
        list(asking.erase(room, mandate(room, houses, "forget"), [handle]))
    assert room.store.latest_versions(room.holding("residents"), [handle])
    between.change = between.ask
    with pytest.raises(Refused, match="erased"):
        list(asking.erase(room, mandate(room, houses, "forget"), [handle]))
    assert not room.store.latest_versions(room.holding("residents"), [handle])
    assert "/v1/certify" in [asked.path for asked, _ in between.asked]
    assert certificate.word(room, "residents", [handle]).marks


def test_a_version_is_not_told_by_who_keeps_it_back(houses: Houses, between: Between, room: Room) -> None:
    handle, number = houses.people[0].handle, room.holding("residents")
    between.change = lambda asked: Said(200, DONE, None) if asked.path == "/v1/supersede" else between.ask(asked)
    done = correct.correct(room, mandate(room, houses, "amend"), [handle], {"name": "王五"}, "register")
    assert not done.settled
    assert room.store.unsettled(number, 9) == [(handle, 2)]
    # Nor by an earlier word of the keyholder's own.
    between.change = between.ask
    correct.correct(room, mandate(room, houses, "amend"), [houses.people[1].handle], {"name": "王五"}, "register")
    (kept,) = [said for asked, said in between.asked if asked.path == "/v1/supersede" and said.under]
    assert kept.body == DONE
    between.change = lambda asked: kept if asked.path == "/v1/supersede" else between.ask(asked)
    done = correct.correct(
        room, mandate(room, houses, "amend"), [houses.people[2].handle], {"name": "王五"}, "register"
    )
    assert not done.settled
    assert room.store.unsettled(number, 9)


def test_all_that_is_said_is_signed(houses: Houses, between: Between, room: Room, served: Served) -> None:
    """Answers, refusals, what is malformed and what is unable; to the vault and to whoever is a stranger."""
    read.disclose(
        room, mandate(room, houses, "confirm", "ana").asker.disclose(
            "residents", "confirm", houses.handles[:1], ["name"], "case-1", REASON, room.now()
        ),
    )  # fmt: skip
    with pytest.raises(Refused, match="record"):
        certificate.word(room, "residents", [houses.handles[0]])
    with pytest.raises(FormatError):
        room.client.send("/v1/status", b"{")
    known = room.common() | {"root": bytes(32)}
    with pytest.raises(KeyholderUnavailable, match="not this book's"):
        room.client.call("/v1/status", protocol.Plain(**known))
    for path in ("/v1/status", "/v1/nothing", "/v1/%65rase", "/v1/status?of=it"):
        between.asked.append((asked := Asked(path, b"", ""), between.ask(asked)))
    found = {said.status for _, said in between.asked}
    assert found == {200, 400, 403, 503}
    for asked, said in between.asked:
        assert said.under == signed(houses, asked, said.status, said.body), (asked.path, said.status)


def test_a_path_cannot_hold_what_ends_it(served: Served) -> None:
    for path, sign in ((b"/v1/status\0", False), (b"/v1/st\xffatus", True)):
        with socket.create_connection(served.address, timeout=10) as one:
            one.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            answer = b"".join(iter(lambda: one.recv(65536), b""))
        assert b" 400 " in answer.splitlines()[0]
        assert sign or HEADER.encode() not in answer


def test_the_operator_and_the_desk_are_told_nothing_false(
    houses: Houses, between: Between, room: Room, served: Served
) -> None:
    paths = ("/v1/operator", "/v1/desk/admit")
    between.change = lambda asked: Said(200, DONE, None) if asked.path in paths else between.ask(asked)
    operator = Operator(served.root / "keyholder")
    with pytest.raises(KeyholderUnavailable, match="not signed"):
        operator.freeze("freeze", "room")
    number = str(houses.people[0].values["id-number"])
    with pytest.raises(KeyholderUnavailable, match="not signed"):
        reception.admit(room, served.root / "keyholder", "residents", "resident-id", number)
    between.change = between.ask
    operator.freeze("freeze", "room")
    operator.freeze("thaw", "room")
    operator.close()
    assert reception.admit(room, served.root / "keyholder", "residents", "resident-id", number)


def test_a_subject_is_told_nothing_false(
    houses: Houses, between: Between, room: Room, served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    room.publish()
    number = str(houses.people[0].values["id-number"])
    code = reception.admit(room, served.root / "keyholder", "residents", "resident-id", number)
    enrol = ["--room", str(served.root), "subject", "enrol", "--device", str(served.root / "me.device"), "--code", code]
    between.change = lambda asked: Said(200, DONE, None)
    assert main(enrol) == 4
    assert "not signed" in capsys.readouterr().err
    between.change = between.ask
    assert main(enrol) == 0
    between.change = lambda asked: Said(403, ERASED, None)
    assert main(["--room", str(served.root), "subject", "reads", "--device", str(served.root / "me.device")]) == 4
    assert "not signed" in capsys.readouterr().err


def test_before_the_first_charter_no_key_is_known(houses: Houses, between: Between, served: Served) -> None:
    """Then what is said is known by the genesis alone; the answer that brings the charter is the last that is not verified."""
    key = b""
    transport = HttpTransport(address_file(served.root / "keyholder"), Voice(bytes(16), lambda: key))
    client = Client(transport, houses.town.room.keys.message, houses.town.keyholder.room)
    between.change = lambda asked: Said(200, DONE, None)
    assert client.send("/v1/status", b"{}") == DONE
    key = houses.town.keyholder.keys.message_public
    with pytest.raises(KeyholderUnavailable, match="not signed"):
        client.send("/v1/status", b"{}")
    client.close()


def test_what_is_too_long_is_not_sent(houses: Houses, served: Served) -> None:
    room = served.room()
    with pytest.raises(FormatError, match="is over"):
        room.client.send("/v1/charter", bytes(protocol.MAX_BODY + 1))
    room.close()
