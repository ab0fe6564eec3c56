"""Good requests of every action, and the records of a life to ask for: what the tests of the keyholder change one thing of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tests.houses import FRESH, Houses

from strongroom.client.device import SignedAsk, countersign
from strongroom.custody import opening
from strongroom.custody.opening import Piece
from strongroom.custody.steps import of_ask
from strongroom.keyholder import protocol
from strongroom.seal import batch, body, ids, person
from strongroom.store.rows import BatchRow, RecordRow, Stored

WHY = ("case-17", "confirming an application for a passport")
DAY = 86400


def pieces(
    houses: Houses, handles: Sequence[bytes], compartments: Sequence[int] = (1, 2), holding: str = "residents"
) -> list[Piece]:
    return opening.pieces(opening.rows(houses.town.room, holding, sorted(handles)), compartments)


def request(houses: Houses, signed: SignedAsk, found: Sequence[Piece]) -> protocol.Disclose:
    return opening.request(houses.town.room.common(), signed, found, FRESH.public)


def check(houses: Houses, count: int = 1, field: str = "born", test: Any = "adult") -> protocol.Disclose:
    handles, now = houses.handles[:count], houses.town.room.now()
    signed = houses.town.asker().check("residents", "verify", handles, field, test, None, *WHY, now)
    return request(houses, signed, pieces(houses, handles, (1,) if field != "phone" else (2,)))


def correct(houses: Houses, count: int = 1) -> protocol.Disclose:
    handles, now = houses.handles[:count], houses.town.room.now()
    signed = houses.town.asker("rui").correct("residents", "amend", handles, {"name": "Somebody Else"}, *WHY, now)
    return request(houses, signed, pieces(houses, handles))


def erase(houses: Houses, handles: Sequence[bytes], holding: str = "residents") -> protocol.Erase:
    now, numbers = houses.town.room.now(), (1, 2) if holding == "residents" else (1, 2, 3)
    signed = houses.town.asker("rui").erase(holding, "forget", handles, *WHY, now)
    found = pieces(houses, handles, numbers, holding)
    return protocol.Erase(**houses.town.room.common(), **of_ask(signed), **opening.slots(found))


def export_window(houses: Houses, count: int = 10, seconds: int = 3600) -> SignedAsk:
    now = houses.town.room.now()
    return houses.town.asker().export("residents", "extract", ["name", "phone"], count, now + seconds, *WHY, now)


def export(houses: Houses, signed: SignedAsk, handles: Sequence[bytes]) -> protocol.Disclose:
    return request(houses, signed, pieces(houses, handles))


def review(houses: Houses, handle: bytes, version: int) -> SignedAsk:
    now = houses.town.room.now()
    return houses.town.asker().disclose("residents", "review", [handle], ["name"], *WHY, now, version=version)


def unseal(houses: Houses, *seconds: str) -> protocol.Disclose:
    """A read that wants a second signature, with those of ``seconds`` under it."""
    handles, now = houses.handles[:1], houses.town.room.now()
    signed = houses.town.asker().disclose("residents", "unseal", handles, ["phone"], *WHY, now)
    for name in seconds:
        signed = countersign(signed, houses.town.key_of(name))
    return request(houses, signed, pieces(houses, handles, (2,)))


def trace(houses: Houses, handle: bytes) -> protocol.Disclose:
    now = houses.town.room.now()
    signed = houses.town.asker().disclose("calls", "trace", [handle], ["caller", "callee", "day"], *WHY, now)
    return request(houses, signed, pieces(houses, [handle], (1, 2, 3), "calls"))


def supersede(houses: Houses, *newest: tuple[bytes, int], holding: str = "residents") -> protocol.Supersede:
    return protocol.Supersede(
        **houses.town.room.common(),
        holding=holding,
        handles=b"".join(handle for handle, _ in newest),
        versions=b"".join(version.to_bytes(4, "big") for _, version in newest),
    )


class Sealed:
    """Records sealed as the vault's root may like: any epoch, expiry, persons and versions; and their slots."""

    def __init__(
        self,
        houses: Houses,
        handles: Sequence[bytes],
        *,
        holding: str = "residents",
        epoch: int = 0,
        expires: int = 0,
        version: int = 1,
        whos: Sequence[Sequence[bytes]] = (),
        room: bytes = b"",
        sealed_for: str = "",
    ) -> None:
        town, keys = houses.town, houses.town.room.keys
        declared = town.room.rules().charter.holdings[holding]
        today = town.room.now() // DAY
        self.holding, self.handles = holding, sorted(handles)
        self.numbers = sorted(one.number for one in declared.compartments.values())
        expires = expires or today + 90
        self.batch = batch.Batch.open(
            room or keys.room,
            ids.keyholder_id(town.keyholder.keys.message_public),
            ids.holding_id(keys.room, sealed_for or holding),
            epoch or today + 30,
            expires,
            os.urandom,
        )
        chosen = whos or [[os.urandom(16)] * len(self.handles)] * len(self.numbers)
        self.whos = chosen
        columns = [
            batch.Column(number, 64, [b"{}"] * len(self.handles), of)
            for number, of in zip(self.numbers, chosen, strict=True)
        ]
        known = town.room.keys.holding(holding)
        sealer = person.HoldingKeys(known.key, self.batch.room, self.batch.holding)
        self.rows = batch.seal_records(
            self.batch, sealer, self.handles, [version] * len(self.handles), columns, os.urandom
        )
        self.secret = self.batch.secret
        public = town.keyholder.epochs.public(holding, self.batch.epoch)
        self.closed = self.batch.close(public)

    def pieces(self, compartments: Sequence[int] = (), delta: bytes = b"") -> list[Piece]:
        closed = self.closed
        found = []
        for handle, version, content in self.rows:
            row = Stored(
                handle,
                version,
                closed.id,
                closed.epoch,
                closed.expires,
                closed.members,
                closed.secret,
                delta,
                b"",
                content,
            )
            found += [(row, one) for one in body.parse(content) if one.compartment in (compartments or self.numbers)]
        return found

    def store(self, houses: Houses) -> None:
        """Put it into the vault's own store."""
        number, closed = houses.town.room.holding(self.holding), self.closed
        houses.town.room.store.put_chunk(
            number,
            [RecordRow(handle, version, closed.id, b"", content) for handle, version, content in self.rows],
            [BatchRow(closed.id, number, closed.epoch, closed.expires, closed.members, closed.secret)],
        )

    def aging(self, **members: Any) -> protocol.Aging:
        places = b"".join(sorted(self._places()))
        whole: dict[str, Any] = {
            "deltas": b"",
            "epoch": self.closed.epoch,
            "expires": self.closed.expires,
            "members": places,
            "sealed": self.closed.secret,
        }
        return protocol.Aging(**whole | members)

    def _places(self) -> list[bytes]:
        return [handle + version.to_bytes(4, "big") for handle, version, _ in self.rows]
