"""Somebody of the town who has been to the desk, and what a false keyholder could tell them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import Houses, change
from tests.world import Person

from strongroom.canonical import encode
from strongroom.client import subject
from strongroom.client.device import Device
from strongroom.keyholder import desk, protocol
from strongroom.keyholder.client import Client
from strongroom.ledger import note
from strongroom.ledger.note import Verifier
from strongroom.seal import person


class Subject:
    """Somebody of the town who has been to the desk."""

    def __init__(
        self,
        houses: Houses,
        kind: str = "resident-id",
        who: Mapping[str, str | None] | None = None,
        holding: str = "residents",
    ) -> None:
        """``who``: the values by which they can prove who they are (default: those of the first of the people)."""
        self.houses, self.holding = houses, holding
        self.person = houses.people[0] if who is None else Person(bytes(16), dict(who))
        self.device = Device("me", Ed25519PrivateKey.generate())
        self.client = Client(houses.town.transport, self.device.key, houses.town.room.keys.room)
        self.enrolled: list[protocol.Enrolled] = []
        self.enrol(kind)

    def enrol(self, kind: str) -> None:
        town = self.houses.town
        value = self.person.values[{"resident-id": "id-number", "phone": "phone"}[kind]] or ""
        nf = desk.normal_form(town.room.rules().charter, self.holding, kind, value)
        # The proof costs 2 s and is the desk's own test.
        who = person.inners(town.room.keys.holding(self.holding), kind, [nf])[0][:16]
        code = desk.new_code(os.urandom)
        now = town.room.now()
        admit = protocol.Admit(code=protocol.code_hash(code), holding=self.holding, kind=kind, time=now, who=who)
        Client(town.transport, town.keyholder.keys.desk, town.room.keys.room).call("/v1/desk/admit", admit)
        self.enrolled.append(subject.enrol(self.client, self.device, code, now))

    def ask(self) -> protocol.ReadsInner:
        town = self.houses.town
        return subject.ask_reads(self.client, self.device, town.room.keys.room, town.room.now(), os.urandom)

    def fetch(self, path: str) -> bytes:
        return (self.houses.town.root / "public" / path).read_bytes()

    def verify(
        self, said: protocol.ReadsInner, fetch: Callable[[str], bytes] | None = None, now: int | None = None
    ) -> subject.View:
        town = self.houses.town
        return subject.verify_reads(
            said,
            self.device,
            town.room.keys.room,
            town.room.anchors.genesis,
            fetch or self.fetch,
            verifiers(self.houses),
            town.room.now() if now is None else now,
            enrolled=self.enrolled,
        )


def verifiers(houses: Houses) -> list[Verifier]:
    return [note.verifier(houses.town.keyholder.keys.log.vkey)]


def say(
    houses: Houses, said: protocol.ReadsInner, chains: Sequence[protocol.Chain], **stated: Any
) -> protocol.ReadsInner:
    """What a false keyholder could say, under its own good signature."""
    true = protocol.statement.parse(said.statement.encode())
    text = encode(
        change(
            true,
            chains=[
                protocol.StatedChain(
                    chain=protocol.chain_hash(one.key),
                    count=one.count,
                    generation=one.generation,
                    holding=one.holding,
                    kind=one.kind,
                )
                for one in chains
            ],
            **stated,
        )
    )
    signature = houses.town.keyholder.keys.message.sign(protocol.statement_message(text))
    return change(said, chains=list(chains), statement=text.decode(), signature=signature)  # type: ignore[no-any-return]
