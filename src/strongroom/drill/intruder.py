"""Root on the vault: the vault's keys, store and every path it has to the keyholder, used by somebody who may not.

It speaks the protocol itself, so that nothing in ``custody`` stands in its way.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from strongroom.canonical import encode
from strongroom.client.device import SignedAsk
from strongroom.custody.steps import of_ask
from strongroom.drill.stage import Known, Stage
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import proof
from strongroom.seal import body, columns, compartment, hpke


@dataclass(frozen=True)
class Piece:
    """One slot as it is named to the keyholder; the intruder may write anything into it."""

    handle: bytes
    version: int
    compartment: int
    masked: bytes
    epoch: int
    expires: int
    members: bytes
    sealed: bytes
    delta: bytes

    @property
    def batch(self) -> tuple[bytes, int, int, bytes]:
        """The batch secret, and what it is said to be bound to."""
        return self.sealed, self.epoch, self.expires, self.members


class Place(NamedTuple):
    """One stored compartment."""

    handle: bytes
    compartment: int
    version: int


@dataclass(frozen=True)
class Taken:
    """What a request brought: shares, and the entry that its receipt is about."""

    index: int
    shares: list[bytes] = field(repr=False)
    opened: tuple[Place, ...]
    """Every stored compartment that one of the shares opens."""


@dataclass(frozen=True)
class Request:
    """A request's body, the key to which its answer will be sealed, and the holding that it is about."""

    path: str
    body: bytes
    seed: hpke.HpkePrivate = field(repr=False)
    holding: str


def pieces_of(known: Known, compartments: Iterable[int]) -> list[Piece]:
    wanted, row = set(compartments), known.stored
    return [
        Piece(
            row.handle,
            row.version,
            one.compartment,
            one.masked,
            row.epoch,
            row.expires,
            row.members,
            row.sealed,
            row.delta,
        )
        for one in known.slots
        if one.compartment in wanted
    ]


def slots_of(pieces: Sequence[Piece]) -> dict[str, Any]:
    """The members of a request that name ``pieces``."""
    pieces = sorted(pieces, key=lambda piece: (piece.handle, piece.compartment))
    batches = sorted({piece.batch for piece in pieces})
    deltas = [piece.delta for piece in pieces]
    return {
        "batches": [batch[0] for batch in batches],
        "epochs": [batch[1] for batch in batches],
        "expires": [batch[2] for batch in batches],
        "members": b"".join(batch[3] for batch in batches),
        "handles": b"".join(piece.handle for piece in pieces),
        "versions": columns.put_u32s([piece.version for piece in pieces]),
        "compartments": columns.put_u16s([piece.compartment for piece in pieces]),
        "masked": b"".join(piece.masked for piece in pieces),
        "batch": columns.put_u16s([batches.index(piece.batch) for piece in pieces]),
        "deltas": b"".join(delta or bytes(32) for delta in deltas) if any(deltas) else b"",
    }


class Intruder:
    """Counts what it gets (``takes``) and why it was refused (``refusals``)."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.room = stage, stage.room
        self.takes: list[Taken] = []
        self.refusals: Counter[str] = Counter()
        self.tries = 0
        # In a room that is as it should be each key commitment is one compartment's.
        self.checks: dict[tuple[str, bytes], list[Place]] = {}
        self.look()

    def look(self) -> None:
        """Read all that is stored, every version."""
        self.checks = {}
        for holding in self.stage.people:
            for row in self.room.store.records(self.room.holding(holding)):
                for slot in body.parse(row.body):
                    check = compartment.parse_blob(slot.blob)[1]
                    place = Place(row.handle, slot.compartment, row.version)
                    self.checks.setdefault((holding, check), []).append(place)

    # --- requests --------------------------------------------------------------------------------------------------
    def fresh(self) -> hpke.HpkePrivate:
        return hpke.private_from(os.urandom(96))

    def common(self) -> dict[str, Any]:
        return self.room.common()

    def disclose(self, signed: SignedAsk, pieces: Sequence[Piece], **changes: Any) -> Request:
        """A request for the shares of ``pieces`` on ``signed``; ``changes`` replace its members."""
        seed = self.fresh()
        members = {**self.common(), **of_ask(signed), **slots_of(pieces), "fresh": seed.public}
        return Request("/v1/disclose", encode(protocol.Disclose(**members | changes)), seed, signed.ask.holding)

    def erase(self, signed: SignedAsk, pieces: Sequence[Piece]) -> protocol.Erase:
        return protocol.Erase(**self.common(), **of_ask(signed), **slots_of(pieces))

    def find(self, signed: SignedAsk, inner: bytes) -> Request:
        seed = self.fresh()
        made = protocol.Find(**self.common(), **of_ask(signed), fresh=seed.public, inner=inner)
        return Request("/v1/find", encode(made), seed, signed.ask.holding)

    def intake(self, signed: SignedAsk, field: str, inners: Sequence[bytes]) -> Request:
        """A call on the window of ``signed``; ``field`` is an identifier field."""
        seed = self.fresh()
        made = protocol.Intake(
            **self.common(), **of_ask(signed), fields=[field], inners=[b"".join(inners)], fresh=seed.public
        )
        return Request("/v1/intake", encode(made), seed, signed.ask.holding)

    # --- answers ---------------------------------------------------------------------------------------------------
    def send(self, request: Request) -> bytes:
        """What the keyholder's answer holds, opened. Raises ``StrongroomError``."""
        answer = protocol.sealed_answer.parse(self.room.client.send(request.path, request.body))
        return hpke.decrypt(request.seed, protocol.answer_info(self.room.keys.room, request.body), answer.sealed)

    def take(self, request: Request) -> Taken | None:
        """Ask for shares, and try each on everything that is stored. None when refused."""
        self.tries += 1
        try:
            inner = self.send(request)
        except StrongroomError as error:
            self.refusals[error.code] += 1
            return None
        return self.read(inner, request.holding)

    def read(self, inner: bytes, holding: str = "residents") -> Taken:
        """What an opened answer to ``disclose`` is worth."""
        given = protocol.shares.parse(inner)
        shares = columns.split(given.shares, 32)
        taken = Taken(proof.parse(given.receipt).index, shares, tuple(self.opens(shares, holding)))
        self.takes.append(taken)
        return taken

    def opens(self, shares: Iterable[bytes], holding: str = "residents") -> list[Place]:
        """The stored compartments that these 32-byte strings open as shares: their key commitment says so."""
        keys = self.room.keys.holding(holding)
        checks = [compartment.key_and_check(keys, share)[1] for share in shares]
        return [place for check in checks for place in self.checks.get((holding, check), [])]
