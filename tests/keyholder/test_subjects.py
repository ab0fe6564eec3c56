"""Enrolment: a code is good once, for its person, for 900 s; nobody else learns or takes anything (SPEC.md 8.7)."""

from __future__ import annotations

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import FRESH, Houses, change

from strongroom.canonical import Record, encode
from strongroom.client.device import Device
from strongroom.keyholder import desk, protocol, subjects


def _device() -> Device:
    return Device("subject", Ed25519PrivateKey.generate())


def _post(houses: Houses, path: str, request: Record, key: Ed25519PrivateKey) -> Record:
    body = encode(request)
    return houses.town.keyholder.ask(path, protocol.sign_request(houses.town.keyholder.room, path, body, key), body)


def _admit(houses: Houses, key: Ed25519PrivateKey | None = None, **members: Any) -> tuple[str, protocol.Admit]:
    code = desk.new_code(os.urandom)
    request = change(
        protocol.Admit(
            code=protocol.code_hash(code), holding="residents", kind="phone", time=houses.town.room.now(), who=bytes(16)
        ),
        **members,
    )
    _post(houses, "/v1/desk/admit", request, key or houses.town.keyholder.keys.desk)
    return code, request


def _enrol(houses: Houses, code: str, device: Device, key: Ed25519PrivateKey | None = None, **members: Any) -> None:
    request = change(protocol.Enrol(code=code, device=device.public, time=houses.town.room.now()), **members)
    _post(houses, "/v1/subject/enrol", request, key or device.key)


def _reads(houses: Houses, device: Device, key: Ed25519PrivateKey | None = None, **members: Any) -> Record:
    request = change(
        protocol.Reads(device=device.public, fresh=FRESH.public, nonce=os.urandom(16), time=houses.town.room.now()),
        **members,
    )
    return _post(houses, "/v1/subject/reads", request, key or device.key)


def test_a_code_is_good_once(houses: Houses) -> None:
    code, _ = _admit(houses)
    one, other = _device(), _device()
    _enrol(houses, code, one)
    with houses.refused("code", written=False):
        _enrol(houses, code, other)
    _reads(houses, one)
    with houses.refused("device", written=False):
        _reads(houses, other)


def test_a_code_lasts_900_seconds(houses: Houses) -> None:
    first, _ = _admit(houses)
    second, _ = _admit(houses)
    houses.town.hands.wait(900)
    _enrol(houses, first, _device())
    houses.town.hands.wait(1)
    with houses.refused("code", written=False):
        _enrol(houses, second, _device())


def test_the_desks_request_sent_again_makes_no_used_code_good(houses: Houses) -> None:
    """Whoever overheard both the desk and the enrolment would have enrolled a device of their own for that person."""
    code, request = _admit(houses)
    _enrol(houses, code, _device())
    for seconds, error in ((0, "used"), (119, "used"), (2, "stale")):
        houses.town.hands.wait(seconds)
        with houses.refused(error, written=False):
            _post(houses, "/v1/desk/admit", request, houses.town.keyholder.keys.desk)
    with houses.refused("code", written=False):
        _enrol(houses, code, _device())


def test_only_the_desk_admits(houses: Houses) -> None:
    keys = houses.town.keyholder.keys
    for key in (keys.operator, keys.message, houses.town.room.keys.message, _device().key):
        with houses.refused("desk", written=False):
            _admit(houses, key)
    with houses.refused("holding", written=False):
        _admit(houses, kind="email")
    with houses.refused("holding", written=False):
        _admit(houses, holding="patients")
    with houses.refused("stale", written=False):
        _admit(houses, time=0)


def test_wrong_codes_are_few_a_minute(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    assert subjects.WRONG_CODES_A_MINUTE * subjects.CODE_SECONDS // 60 < 2**50 // 10**9
    monkeypatch.setattr(subjects, "WRONG_CODES_A_MINUTE", 60)
    code, _ = _admit(houses)
    for _ in range(subjects.WRONG_CODES_A_MINUTE):
        with houses.refused("code", written=False):
            _enrol(houses, desk.new_code(os.urandom), _device())
    # From then on not even the right one: else the limit would tell a guesser nothing had been lost.
    with houses.refused("code", written=False):
        _enrol(houses, code, _device())
    houses.town.hands.wait(61)
    _enrol(houses, code, _device())
    assert len(houses.town.keyholder.wrong_codes) <= subjects.WRONG_CODES_A_MINUTE


def test_a_wrong_code_says_no_more_than_a_used_or_an_old_one(houses: Houses) -> None:
    used, _ = _admit(houses)
    _enrol(houses, used, _device())
    texts = set()
    for code in (used, "0000000000", "", "x"):
        with pytest.raises(Exception, match="code") as caught:
            _enrol(houses, code, _device())
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_only_the_device_itself_asks(houses: Houses) -> None:
    code, _ = _admit(houses)
    mine, other = _device(), _device()
    with houses.refused("device", written=False):
        _enrol(houses, code, mine, other.key)
    with houses.refused("stale", written=False):
        _enrol(houses, code, mine, time=houses.town.room.now() - 121)
    _enrol(houses, code, mine)
    with houses.refused("device", written=False):
        _reads(houses, mine, other.key)
    for seconds in (121, -121):
        with houses.refused("stale", written=False):
            _reads(houses, mine, time=houses.town.room.now() + seconds)
    # The vault's key opens no chain either.
    with houses.refused("device", written=False):
        _reads(houses, mine, houses.town.room.keys.message)


def test_codes_do_not_pile_up(houses: Houses) -> None:
    for _ in range(3):
        _admit(houses)
    houses.town.hands.wait(901)
    houses.town.keyholder.tick()
    assert houses.town.keyholder.store.db.execute("SELECT count(*) FROM codes").fetchone() == (0,)
