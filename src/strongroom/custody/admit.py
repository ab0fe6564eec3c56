"""The vault's own decision on a signed ask, and what is kept of it, before the keyholder is asked (SPEC.md sections 7, 8.4)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from strongroom.catalog.model import Charter, RosterLine
from strongroom.client.device import SignedAsk
from strongroom.custody import alone, erasures, evidence
from strongroom.custody.receipt import verify_refusal
from strongroom.custody.room import Room, Rules
from strongroom.custody.steps import Say, Steps
from strongroom.errors import Refused
from strongroom.gate import ask as asks
from strongroom.gate.decision import Grant
from strongroom.keyholder import protocol


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the gate grants, the asker's line in the roster in force, and the charter by which that was decided."""

    grant: Grant
    line: RosterLine
    charter: Charter


def admit(room: Room, signed: SignedAsk) -> Admitted:
    """The vault decides first: what it grants. Raises ``Refused``; one by the gate is written into the ledger before."""
    return alone.drive(room, admitting(room, signed))


def admitting(room: Room, signed: SignedAsk) -> Steps[Admitted]:
    """The same as steps: there is one where the gate refuses."""
    rules = room.rules()
    line = rules.roster.get(signed.ask.reader)
    if line is None:
        raise Refused("reader", "no such reader in the roster in force")
    asks.verify(signed.text, signed.signature, line.key)
    others = _countersigners(rules, signed)
    if signed.ask.charter != rules.enacted.hash:
        raise Refused("charter", "the ask names another charter than the one in force; sign a new one")
    try:
        return Admitted(rules.gate.decide(signed.ask, signed.private, line, room.now(), others), line, rules.charter)
    except Refused as refusal:
        # An ask whose parts do not belong together is no ask: it has no reason that an entry could commit to.
        if refusal.code not in ("ask", "reader"):
            index = (yield Say(signed, protocol.Refusal, {"code": refusal.code})).index
            verify_refusal(room, index, signed.text)
            refusal.entry = index
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


def keep_private(room: Room, signed: SignedAsk) -> None:
    """Store who asked, case and reason, sealed to the auditor: before the keyholder is asked, since an entry must never
    commit to a reason that a crash has lost. Of an erasure also which records it is of, for the same reason (``erasures``)."""
    if isinstance(signed.ask, asks.EraseAsk):
        erasures.expect(room, asks.ask_hash(signed.text), signed.ask.records)
    evidence.keep(room, [signed])
