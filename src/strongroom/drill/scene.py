"""Where the keyholder's checks are attacked: good asks to begin with, and what it takes to bend them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from strongroom.canonical import encode
from strongroom.client.device import Device, SignedAsk, countersign
from strongroom.drill.intruder import Intruder, Piece, Request, Taken, pieces_of
from strongroom.drill.stage import CASE, REASON, Stage
from strongroom.errors import StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.keyholder.client import Client
from strongroom.ledger import entry
from strongroom.seal import person


@dataclass(frozen=True)
class Outcome:
    """How an attack ended. ``code``: of the refusal, empty when there was none; ``taken``: what was given."""

    code: str
    taken: Taken | None = None


class Scene:
    """One stage under attack. Every good ask is about records of its own, so that one attack leaves the next alone."""

    def __init__(self, stage: Stage, holding: str = "residents", corrected: Sequence[bytes] = ()) -> None:
        """``corrected``: records that have an old version; good asks are about others."""
        self.stage, self.intruder = stage, Intruder(stage)
        self.corrected = sorted(corrected)
        self._unread = iter([handle for handle in stage.handles(holding) if handle not in self.corrected])

    # --- good asks -------------------------------------------------------------------------------------------------
    def handles(self, count: int = 1) -> list[bytes]:
        return sorted(next(self._unread) for _ in range(count))

    def pieces(self, handles: Sequence[bytes], compartments: Sequence[int] = (1,)) -> list[Piece]:
        return [piece for handle in handles for piece in pieces_of(self.stage.truth[handle], compartments)]

    def good(self, count: int = 1) -> tuple[SignedAsk, list[Piece]]:
        """An ask for the names of ``count`` residents as a reader signs it, and the slots that belong to it."""
        handles = self.handles(count)
        return self.stage.ask(handles), self.pieces(handles)

    def bent(self, signed: SignedAsk, by: Device | None = None, **changes: Any) -> SignedAsk:
        """The ask with ``changes``, signed anew by its own reader's device, or by another."""
        ask = msgspec.structs.replace(signed.ask, **changes)
        text = encode(ask)
        return SignedAsk(ask, text, asks.sign(text, (by or self.stage.key_of("ana")).key), signed.private)

    def tampered(self, signed: SignedAsk, **changes: Any) -> SignedAsk:
        """The ask with ``changes`` under the signature that it had."""
        ask = msgspec.structs.replace(signed.ask, **changes)
        return SignedAsk(ask, encode(ask), signed.signature, signed.private)

    def find(self, **changes: Any) -> SignedAsk:
        value = self.stage.people["residents"][20]["id-number"] or ""
        made = self.stage.asker().find(
            "residents", "confirm", "resident-id", value, CASE, REASON, self.stage.room.now()
        )
        return self.bent(made, **changes) if changes else made

    def intake(self, count: int, name: str = "rui", holding: str = "residents", purpose: str = "register") -> SignedAsk:
        now = self.stage.room.now()
        return self.stage.asker(name).intake(holding, purpose, count, now + 3600, CASE, REASON, now)

    def inners(self, count: int, holding: str = "residents") -> list[bytes]:
        """Of identifiers that nobody has."""
        keys = self.stage.room.keys.holding(holding)
        return person.inners(keys, "resident-id", [f"{number:018}" for number in range(count)])

    # --- attacks ---------------------------------------------------------------------------------------------------
    def shares(self, signed: SignedAsk, pieces: Sequence[Piece], **changes: Any) -> Outcome:
        return self.ask(self.intruder.disclose(signed, pieces, **changes))

    def ask(self, request: Request) -> Outcome:
        """Send a request for shares or tokens as the vault."""
        try:
            inner = self.intruder.send(request)
        except StrongroomError as error:
            return Outcome(error.code)
        return Outcome("", self.intruder.read(inner, request.holding) if request.path == "/v1/disclose" else None)

    def send(self, path: str, body: bytes, signature: bytes) -> Outcome:
        """Send a body under any signature at all."""
        try:
            self.stage.transport(path, signature, body)
        except StrongroomError as error:
            return Outcome(error.code)
        return Outcome("")

    def call(self, path: str, request: Any, client: Client | None = None) -> Outcome:
        try:
            (client or self.stage.room.client).call(path, request)
        except StrongroomError as error:
            return Outcome(error.code)
        return Outcome("")

    def seconded(self, signed: SignedAsk, *names: str) -> SignedAsk:
        """The ask, countersigned by these readers."""
        for name in names:
            signed = countersign(signed, self.stage.key_of(name))
        return signed

    def erasure(self, *handles: bytes, pieces: Sequence[Piece] = ()) -> Outcome:
        """Have residents' records erased, as their registrar asks; the keyholder is shown ``pieces``, or all that there are."""
        stage = self.stage
        signed = stage.asker("rui").erase("residents", "close-record", handles, CASE, REASON, stage.room.now())
        every = pieces or self.pieces(handles, [slot.compartment for slot in stage.truth[handles[0]].slots])
        return self.call("/v1/erase", self.intruder.erase(signed, every))

    def erase(self, handle: bytes) -> None:
        """Have the keyholder refuse a resident's record from now on; the vault keeps it."""
        outcome = self.erasure(handle)
        assert not outcome.code, "the drills' registrar may erase"

    # --- the keyholder's operator --------------------------------------------------------------------------------------
    def operate(
        self, action: Literal["freeze", "thaw", "hold"], scope: str = "", holding: str = "", until: int = 0
    ) -> None:
        request = protocol.Operate(
            action=action,
            authority="the court of the drills" if holding else "",
            holding=holding,
            nonce=os.urandom(16),
            scope=scope,
            time=self.stage.room.now(),
            until=until,
        )
        Client(self.stage.transport, self.stage.keyholder.keys.operator, self.stage.room.keys.room).call(
            "/v1/operator", request
        )

    def entries(self, start: int) -> list[entry.Entry]:
        """Of the keyholder's own book from ``start`` on: what stands there, whoever is attacked."""
        return [entry.parse(item.encode()) for item in self.stage.keyholder.book.entries(start, 1000)]
