"""A vault that believes what it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.drill.weak.base import Same, instead, nothing

from strongroom.catalog import fields
from strongroom.custody import book, mirror, opening, room
from strongroom.custody.mirror import Mirror
from strongroom.custody.room import Room
from strongroom.errors import StrongroomError
from strongroom.gate import ask as asks
from strongroom.gate import decision
from strongroom.gate.decision import Gate, Grant
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint as checkpoints
from strongroom.ledger import note, proof
from strongroom.seal import cleartext


def any_receipt(patch: pytest.MonkeyPatch) -> None:
    honest = Room.settle

    def weak(self: Room, receipt: str, entries: Sequence[str], have: int) -> int:
        try:
            return honest(self, receipt, entries, have)
        except StrongroomError:
            self.sync()
            return self.mirror.size - 1

    patch.setattr(Room, "settle", weak)


def any_proof(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(proof, "verify", nothing)


def any_log(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(note, "signed_by", lambda text, verifiers: (note.parse_note(text).text, tuple(verifiers)))


def any_entry(patch: pytest.MonkeyPatch) -> None:
    """Of which entry a receipt is does not matter: neither how old it is, nor what it says, nor what it is to the others."""

    def weak(room: Room, index: int, text: bytes, line: Any, kind: Any, count: int, countersigned: int) -> Any:
        return SimpleNamespace(compartments=Same(), tags=range(count))

    patch.setattr(room, "check_index", nothing)
    patch.setattr(opening, "verify_entry", weak)
    patch.setattr(mirror, "_add", nothing)


def any_checkpoint(patch: pytest.MonkeyPatch) -> None:
    """A mirror that compares no roots: what it cannot take it takes all the same."""
    honest = Mirror.accept

    def weak(self: Mirror, signed: str, entries: Sequence[str], start: int, fetch: Any) -> checkpoints.Checkpoint:
        try:
            return honest(self, signed, entries, start, fetch)
        except StrongroomError:
            found = note.parse_note(signed)
            at, size = checkpoints.parse(found.text), self.size
            fresh = [item.encode() for item in [*entries, *fetch(start + len(entries), 1000)]][
                size - start : at.size - start
            ]
            if len(fresh) == at.size - size > 0:
                lines = found.signatures[0].marshal() + self._cosigner.cosign(found.text, self._now())
                self._store.append(size, fresh, {}, f"{found.text}\n{lines}".encode())
            return at

    patch.setattr(Mirror, "accept", weak)


def any_commitment(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cleartext, "hmac", SimpleNamespace(compare_digest=lambda a, b: True))


def any_request(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protocol, "answer_info", lambda room, body: b"any request")


def no_gate(patch: pytest.MonkeyPatch) -> None:
    """A vault that leaves every decision to the keyholder."""

    def weak(self: Gate, ask: Any, private: Any, line: Any, now: int, others: Any = None) -> Grant:
        purposes = self._charter.purposes
        return Grant({}, frozenset(range(1, 9)), purposes.get(ask.purpose, next(iter(purposes.values()))))

    patch.setattr(Gate, "decide", weak)


def no_needs(patch: pytest.MonkeyPatch) -> None:
    """A value goes in without what it rests on."""
    patch.setattr(fields, "missing", lambda holding, record: [])


def no_second(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "countersigned", nothing)


def any_reason(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "check_reason", nothing)


def any_case(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decision, "check_case", nothing)


def any_evidence(patch: pytest.MonkeyPatch) -> None:
    """An auditor who believes what the vault has, whatever the entry commits to."""

    def parse(data: bytes, hash_: bytes) -> tuple[asks.Ask, asks.PrivateHalf, asks.Evidence]:
        found = msgspec.json.decode(data, type=asks.Evidence)
        half = msgspec.json.decode(found.private, type=asks.PrivateHalf)
        return msgspec.json.decode(found.ask, type=asks.Ask), half, found

    patch.setattr(book, "asks", instead(asks, parse_evidence=parse, verify=nothing))


def any_person(patch: pytest.MonkeyPatch) -> None:
    """Whose a record is that was opened does not matter."""
    patch.setattr(opening, "_verify_persons", nothing)
