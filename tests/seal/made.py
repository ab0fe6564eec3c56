"""A small sealed world with fixed keys, for the tests of ``seal``. No secret here is anyone's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from strongroom.seal import batch, body, hpke, ids, person, plaintext, slot

EPOCH = 24_837  # 2038-01-01


def stream(seed: str) -> Callable[[int], bytes]:
    """Repeatable bytes in the place of ``os.urandom``."""
    drawn = 0

    def random(n: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed} {drawn}".encode()).digest(n)

    return random


def draw(name: str, n: int) -> bytes:
    return hashlib.shake_256(f"strongroom test {name}".encode()).digest(n)


ROOM = draw("room", 16)
HOLDING = ids.holding_id(ROOM, "residents")
KEYHOLDER = ids.keyholder_id(draw("message key", 32))
KEYS = person.HoldingKeys(draw("KH", 32), ROOM, HOLDING)
PRIVATE = hpke.private_from(draw("epoch key", 96))


@dataclass(frozen=True)
class Sealed:
    """One sealed compartment and all that opens it."""

    handle: bytes
    version: int
    compartment: int
    who: bytes
    secret: bytes
    slot: body.Slot
    fields: dict[str, str | None]

    def share(self) -> bytes:
        return slot.share(self.secret, self.who, self.handle, self.version, self.compartment)


def seal(fields: dict[str, str | None], *, who: bytes, handle: bytes, version: int, compartment: int) -> Sealed:
    """Seal one record of one compartment through the whole path: batch opened, sealed, secret got by the keyholder."""
    opened = batch.Batch.open(ROOM, KEYHOLDER, HOLDING, EPOCH, PRIVATE.public, stream("batch"))
    column = batch.Column(compartment, 256, [plaintext.encode_fields(fields, {})], [who])
    rows = batch.seal_records(opened, KEYS, [handle], [version], [column], stream("nonces"))
    secret = batch.open_batch_secret(PRIVATE, ROOM, KEYHOLDER, HOLDING, EPOCH, opened.sealed)
    (found,) = body.parse(rows[0][2])
    return Sealed(handle, version, compartment, who, secret, found, fields)
