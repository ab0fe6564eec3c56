"""Asks of several readers in one request, as the vault would send them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from tests.houses import FRESH, Houses

from strongroom.canonical import Record, encode
from strongroom.keyholder import protocol
from strongroom.keyholder.work import Work
from strongroom.seal import hpke, series

PATH = "/v1/together"


def part_of(request: protocol.Whole) -> bytes:
    """The text of the part that asks what ``request`` asks on its own."""
    known = msgspec.structs.asdict(request)
    for name in ("have", "root", "time", "cosignature", "fresh"):
        known.pop(name, None)
    return encode(protocol.part(type(request), **known))


def group_of(houses: Houses, parts: Sequence[bytes], **changes: Any) -> protocol.Together:
    known = {**houses.town.room.common(), "fresh": FRESH.public, **changes}
    return protocol.Together(**known, parts=[msgspec.Raw(one) for one in parts])


def work_of(houses: Houses, body: bytes) -> Work:
    return Work(
        PATH, protocol.sign_request(houses.town.keyholder.room, PATH, body, houses.town.room.keys.message), body
    )


def opened(houses: Houses, body: bytes, answer: Record, seed: hpke.HpkePrivate = FRESH) -> list[protocol.PartAnswer]:
    assert isinstance(answer, protocol.GivenTogether)
    room = houses.town.room.keys.room
    about = protocol.group_about(room, hashlib.sha256(body).digest())
    return protocol.part_answers.parse(series.open_one(seed, protocol.series_info(room), about, answer.sealed)).answers


def ask(houses: Houses, parts: Sequence[bytes], **changes: Any) -> list[protocol.PartAnswer]:
    """What each part is answered."""
    body = encode(group_of(houses, parts, **changes))
    work = work_of(houses, body)
    return opened(houses, body, houses.town.keyholder.ask(work.path, work.signature, work.body))


def codes(answers: Sequence[protocol.PartAnswer]) -> list[str]:
    """The code of each that was refused, empty for one that was not."""
    return [one.code if isinstance(one, protocol.NotGiven) else "" for one in answers]
