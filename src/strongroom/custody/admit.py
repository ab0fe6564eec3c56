"""The vault's own decision on a signed ask, and what is kept of it, before the keyholder is asked (SPEC.md sections 7, 8.4)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from strongroom.canonical import encode
from strongroom.catalog.model import RosterLine
from strongroom.client.device import SignedAsk
from strongroom.custody import erasures
from strongroom.custody.room import Room, Rules
from strongroom.errors import Refused
from strongroom.gate import ask as asks
from strongroom.gate.decision import Grant
from strongroom.keyholder import protocol
from strongroom.seal import private


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the gate grants, and the asker's line in the roster in force."""

    grant: Grant
    line: RosterLine


def admit(room: Room, signed: SignedAsk) -> Admitted:
    """The vault decides first: what it grants. Raises ``Refused``; one by the gate is written into the ledger before."""
    rules = room.rules()
    line = rules.roster.get(signed.ask.reader)
    if line is None:
        raise Refused("reader", "no such reader in the roster in force")
    asks.verify(signed.text, signed.signature, line.key)
    others = _countersigners(rules, signed)
    if signed.ask.charter != rules.enacted.hash:
        raise Refused("charter", "the ask names another charter than the one in force; sign a new one")
    try:
        return Admitted(rules.gate.decide(signed.ask, signed.private, line, room.now(), others), line)
    except Refused as refusal:
        # An ask whose parts do not belong together is no ask: it has no reason that an entry could commit to.
        if refusal.code not in ("ask", "reader"):
            _write_refusal(room, signed, refusal)
        raise


def _countersigners(rules: Rules, signed: SignedAsk) -> dict[bytes, RosterLine]:
    """Reader -> line of those who countersigned. Raises ``Refused`` (``countersign``)."""
    found: dict[bytes, RosterLine] = {}
    for one in signed.countersignatures:
        line = rules.roster.get(one.reader)
        if line is None:
            raise Refused("countersign", "who countersigned is not in the roster in force")
        asks.verify_countersignature(signed.text, one.signature, line.key)
        found[one.reader] = line
    if any(a.reader >= b.reader for a, b in pairwise(signed.countersignatures)):
        raise Refused("countersign", "countersignatures stand sorted by reader, each once")
    return found


def _write_refusal(room: Room, signed: SignedAsk, refusal: Refused) -> None:
    _keep(room, signed)
    known = room.common()
    request = protocol.Refusal(**known, **of_ask(signed), code=refusal.code)  # type: ignore[arg-type]
    answer = protocol.written.parse(room.client.call("/v1/refusal", request))
    room.settle(answer.receipt, answer.entries, known["have"])


def of_ask(signed: SignedAsk) -> dict[str, Any]:
    """The members by which a request to the keyholder carries an ask (SPEC.md section 8.1)."""
    return {
        "ask": signed.text.decode(),
        "signature": signed.signature,
        "countersignatures": list(signed.countersignatures),
    }


def keep_private(room: Room, signed: SignedAsk) -> None:
    """Store who asked, case and reason, sealed to the auditor: before the keyholder is asked, since an entry must never
    commit to a reason that a crash has lost. Of an erasure also which records it is of, for the same reason (``erasures``)."""
    if isinstance(signed.ask, asks.EraseAsk):
        erasures.expect(room, asks.ask_hash(signed.text), signed.ask.records)
    _keep(room, signed)


def _keep(room: Room, signed: SignedAsk) -> None:
    evidence = asks.Evidence(
        ask=signed.text.decode(),
        countersignatures=list(signed.countersignatures),
        private=encode(signed.private).decode(),
        signature=signed.signature,
    )
    auditor, name = room.rules().charter.auditor, asks.ask_hash(signed.text)
    room.store.put_private(name, private.seal_private(auditor, room.keys.room, name, encode(evidence)))
