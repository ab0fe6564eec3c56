"""Who asked, case and reason, as the vault keeps them: sealed to the auditor (SPEC.md section 7.1)."""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.canonical import encode
from strongroom.client.device import SignedAsk
from strongroom.custody.room import Room
from strongroom.gate import ask as asks


def keep(room: Room, signed: Iterable[SignedAsk]) -> None:
    """Store the evidence of asks, before the keyholder is asked: an entry must never commit to a reason that a crash has lost."""
    sealer = room.private_sealer()
    rows = []
    for one in signed:
        name = asks.ask_hash(one.text)
        rows.append((name, sealer.seal(name, _evidence(one))))
    room.store.put_privates(rows)


def _evidence(signed: SignedAsk) -> bytes:
    return encode(
        asks.Evidence(
            ask=signed.text.decode(),
            countersignatures=list(signed.countersignatures),
            private=encode(signed.private).decode(),
            signature=signed.signature,
        )
    )
