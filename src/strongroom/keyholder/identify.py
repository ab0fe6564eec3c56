"""Who asks: until this is known, nothing is written (SPEC.md section 8.4, up to the ask's time)."""

from __future__ import annotations

from itertools import pairwise

from strongroom.errors import Refused
from strongroom.gate import ask as asks
from strongroom.gate.written import EARLY_SECONDS, LATE_SECONDS
from strongroom.keyholder import protocol
from strongroom.keyholder.case import Case, Facts
from strongroom.keyholder.columns import check_inners, read_slots

_WANTED: dict[type, tuple[type, ...]] = {
    protocol.Disclose: (asks.DiscloseAsk, asks.CheckAsk, asks.CorrectAsk, asks.ExportAsk),
    protocol.Erase: (asks.EraseAsk,),
    protocol.Find: (asks.FindAsk,),
    protocol.Intake: (asks.IntakeAsk,),
    protocol.Refusal: (object,),
}


def columns(case: Case, facts: Facts) -> None:
    """First of all, so that what makes no sense is never an entry and uses no ask up."""
    if isinstance(case.request, protocol.Slots):
        read_slots(case, case.request)
    elif isinstance(case.request, protocol.Intake):
        check_inners(case.request)


def ask(case: Case, facts: Facts) -> None:
    text = case.request.ask.encode()
    case.ask = asks.parse(text)
    case.ask_hash = asks.ask_hash(text)
    if not isinstance(case.ask, _WANTED[type(case.request)]):
        raise Refused("ask", "the ask is for another action than this request")


def room(case: Case, facts: Facts) -> None:
    if case.ask.room != facts.room:
        raise Refused("room", "the ask is for another room")


def reader(case: Case, facts: Facts) -> None:
    line = facts.roster.get(case.ask.reader)
    if line is None:
        raise Refused("reader", "no such reader in the roster in force")
    case.line = line


def signature(case: Case, facts: Facts) -> None:
    asks.verify(case.request.ask.encode(), case.request.signature, case.line.key)


def countersignatures(case: Case, facts: Facts) -> None:
    """Whether they are good. Whether they are those that the purpose wants is decided later."""
    given = case.request.countersignatures
    if any(a.reader >= b.reader for a, b in pairwise(given)):
        raise Refused("countersign", "countersignatures must be sorted by reader, and distinct")
    for one in given:
        line = facts.roster.get(one.reader)
        if line is None:
            raise Refused("countersign", "no such reader in the roster in force as one of those who countersigned")
        asks.verify_countersignature(case.request.ask.encode(), one.signature, line.key)
        case.others[one.reader] = line


def used(case: Case, facts: Facts) -> None:
    before = facts.used(case.ask_hash, case.until)
    if before is None:
        return
    request, index, time, remaining = before
    # Identical first, in a window too: a call sent again after a broken connection must not be paid for twice.
    if request == case.request_hash and case.now <= time + protocol.IDENTICAL_SECONDS:
        case.answered = index
    elif isinstance(case.request, protocol.Disclose | protocol.Intake) and request and remaining >= 0:
        case.window = remaining
    else:
        raise Refused("used", "this ask was used already; sign a new one")


def fresh(case: Case, facts: Facts) -> None:
    if case.answered is not None:
        return
    # A window's first call, too: the ask is forgotten once its time is over, and must not open a second window then.
    if isinstance(case.ask, asks.Windowed) and case.now > case.ask.until:
        raise Refused("stale", "the window has ended; sign a new ask")
    if case.window is not None:
        return
    if case.now < case.ask.time - EARLY_SECONDS:
        raise Refused(
            "early",
            f"the ask is dated {case.ask.time - case.now} s ahead of the ledger's time; mend the device's clock",
        )
    if case.now > case.ask.time + LATE_SECONDS:
        raise Refused("stale", f"the ask is {case.now - case.ask.time} s old; sign a new one")
