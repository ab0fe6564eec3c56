"""A small sealed world with fixed keys, for the tests of ``seal``. No secret here is anyone's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strongroom.seal import batch, body, hpke, ids, mac, person, plaintext, slot

EPOCH = 24_837  # 2038-01-01
EXPIRES = 24_868  # 2038-02-01


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


def bound(members: bytes, epoch: int = EPOCH, expires: int = EXPIRES) -> batch.Bound:
    return batch.Bound(ROOM, KEYHOLDER, HOLDING, epoch, expires, members)


def new(random: str = "batch") -> batch.Batch:
    return batch.Batch.open(ROOM, KEYHOLDER, HOLDING, EPOCH, EXPIRES, stream(random))


def opened(sealed: batch.Sealed, private: hpke.HpkePrivate = PRIVATE) -> bytes:
    """A closed batch's secret, as the keyholder gets it."""
    return batch.open_batch_secret(private, bound(sealed.members, sealed.epoch, sealed.expires), sealed.secret)


@dataclass(frozen=True)
class Sealed:
    """One sealed compartment and all that opens it. ``secret`` is the record's own."""

    handle: bytes
    version: int
    compartment: int
    who: bytes
    batch: bytes
    secret: bytes
    slot: body.Slot
    fields: dict[str, str | None]

    def share(self) -> bytes:
        return slot.share(self.secret, self.who, self.compartment)


def text(fields: Mapping[str, str | None], widths: Mapping[str, int] | None = None) -> bytes:
    """One record's plaintext."""
    return plaintext.encode_many({name: [value] for name, value in fields.items()}, widths or {})[0]


def seal(fields: dict[str, str | None], *, who: bytes, handle: bytes, version: int, compartment: int) -> Sealed:
    """Seal one record of one compartment through the whole path: batch opened, sealed, closed, secret got by the keyholder."""
    one = new()
    column = batch.Column(compartment, 256, [text(fields)], [who])
    rows = batch.seal_records(one, KEYS, [handle], [version], [column], stream("nonces"))
    b = opened(one.close(PRIVATE.public))
    (secret,) = slot.record_secrets(mac.keyed(b), slot.places([handle], [version]))
    (found,) = body.parse(rows[0][2])
    return Sealed(handle, version, compartment, who, b, secret, found, fields)
