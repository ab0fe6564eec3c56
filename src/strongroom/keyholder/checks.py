"""What the keyholder checks before it gives a share, in order, one function a check (SPEC.md section 8.4).

Each function is handed the case and the facts and either returns or raises ``Refused`` with its own code. ``IDENTIFY`` ends where
the asker is known: until then nothing is written. ``DECIDE`` comes after: a refusal there is an entry and uses the ask up.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Protocol

from strongroom.catalog.model import Charter, RosterLine
from strongroom.catalog.rate import Rate, parse_rate
from strongroom.errors import FormatError, Refused, SealError
from strongroom.gate import ask as asks
from strongroom.gate import budget, permit
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.seal import slot

EARLY_SECONDS = 30
LATE_SECONDS = 120


class Facts(Protocol):
    """What the checks need to know; the core answers out of its store."""

    room: bytes

    @property
    def charter(self) -> Charter: ...
    @property
    def charter_hash(self) -> bytes: ...
    @property
    def roster(self) -> dict[bytes, RosterLine]: ...
    def used(self, ask_hash: bytes) -> tuple[bytes, int, int, int, int] | None: ...
    def frozen(self) -> list[str]: ...
    def erased(self, holding: str, handles: list[bytes]) -> bool: ...
    def secret(self, holding: str, epoch: int, sealed: bytes) -> bytes: ...
    def budget(self, key: str) -> tuple[int, int] | None: ...


@dataclass
class Case:
    """One request with an ask, filled in check by check."""

    now: int
    request: protocol.Disclose | protocol.Find | protocol.Intake | protocol.Refusal
    request_hash: bytes
    ask_hash: bytes = b""
    ask: asks.Ask = field(init=False)
    line: RosterLine = field(init=False)
    permit: permit.Permit = field(init=False)
    # Set when the byte-identical request was answered before: the index of its entry.
    answered: int | None = None
    # Intake: identifiers left in the window that an earlier call opened.
    window: int | None = None
    handles: list[bytes] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    compartments: list[int] = field(default_factory=list)
    whos: list[bytes] = field(default_factory=list)
    shares: bytes = b""
    budgets: dict[str, tuple[int, int]] = field(default_factory=dict)


# --- what was sent -------------------------------------------------------------------------------------------------
def columns(case: Case, facts: Facts) -> None:
    """First of all, so that what makes no sense is never an entry and uses no ask up."""
    if isinstance(case.request, protocol.Disclose):
        _read_columns(case, case.request)
    elif isinstance(case.request, protocol.Intake):
        _read_inners(case.request)


# --- who asks ----------------------------------------------------------------------------------------------------
def ask(case: Case, facts: Facts) -> None:
    text = case.request.ask.encode()
    case.ask = asks.parse(text)
    case.ask_hash = asks.ask_hash(text)
    wanted: dict[type, type] = {
        protocol.Disclose: asks.DiscloseAsk,
        protocol.Find: asks.FindAsk,
        protocol.Intake: asks.IntakeAsk,
    }
    if not isinstance(case.ask, wanted.get(type(case.request), object)):
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


def used(case: Case, facts: Facts) -> None:
    before = facts.used(case.ask_hash)
    if before is None:
        return
    request, index, time, _, remaining = before
    # Identical first, in an intake window too: a call sent again after a broken connection must not be paid for twice.
    if request == case.request_hash and case.now <= time + protocol.IDENTICAL_SECONDS:
        case.answered = index
    elif isinstance(case.request, protocol.Intake) and request and remaining >= 0:
        case.window = remaining
    else:
        raise Refused("used", "this ask was used already; sign a new one")


def fresh(case: Case, facts: Facts) -> None:
    if case.answered is not None:
        return
    # A window's first call, too: the ask is forgotten once its time is over, and must not open a second window then.
    if isinstance(case.ask, asks.IntakeAsk) and case.now > case.ask.until:
        raise Refused("stale", "the intake window has ended; sign a new one")
    if case.window is not None:
        return
    if case.now < case.ask.time - EARLY_SECONDS:
        raise Refused(
            "early",
            f"the ask is dated {case.ask.time - case.now} s ahead of the ledger's time; mend the device's clock",
        )
    if case.now > case.ask.time + LATE_SECONDS:
        raise Refused("stale", f"the ask is {case.now - case.ask.time} s old; sign a new one")


# --- whether it may be ---------------------------------------------------------------------------------------------
def charter(case: Case, facts: Facts) -> None:
    if case.ask.charter != facts.charter_hash:
        raise Refused(
            "charter", f"the ask names another charter than the one in force (version {facts.charter.version})"
        )


def purpose(case: Case, facts: Facts) -> None:
    """Purpose, action, role, unit, holding and fields: the same rules that the vault's gate begins with."""
    case.permit = permit.permitted(facts.charter, case.ask, case.line)


def compartment(case: Case, facts: Facts) -> None:
    if not case.permit.compartments.issuperset(case.compartments):
        raise Refused("compartment", "a slot's compartment holds none of the asked fields")


def kinds(case: Case, facts: Facts) -> None:
    known = facts.charter.buckets.get(case.ask.holding, {})
    if isinstance(case.request, protocol.Intake) and not known.keys() >= set(case.request.kinds):
        raise Refused("field", "the holding has no identifier of one of these kinds")


def record(case: Case, facts: Facts) -> None:
    if isinstance(case.ask, asks.DiscloseAsk):
        if sorted(set(case.handles)) != case.ask.records:
            raise Refused("record", "the slots are not of exactly the records that the ask names")
        if len(set(zip(case.handles, case.versions, strict=True))) != len(case.ask.records):
            raise Refused("record", "the slots of a record are of several versions")


def frozen(case: Case, facts: Facts) -> None:
    scopes = {"room", f"holding:{case.ask.holding}", f"reader:{case.ask.reader.hex()}"}
    if scopes.intersection(facts.frozen()):
        raise Refused("frozen", "the keyholder has frozen this; ask its operator")


def erased(case: Case, facts: Facts) -> None:
    if isinstance(case.request, protocol.Disclose) and facts.erased(case.ask.holding, case.handles):
        raise Refused("erased", "a record of the ask was erased")


def batch(case: Case, facts: Facts) -> None:
    """Opens the batch secrets (``epoch``, ``batch``) and unmasks whom the slots are about."""
    if not isinstance(case.request, protocol.Disclose):
        return
    request, holding = case.request, case.ask.holding
    secrets = [
        facts.secret(holding, epoch, sealed) for epoch, sealed in zip(request.epochs, request.batches, strict=True)
    ]
    try:
        case.whos, case.shares = slot.release(
            secrets, slot.u16s(request.batch), request.handles, case.versions, case.compartments, request.masked
        )
    except (SealError, FormatError) as error:
        raise Refused("malformed", str(error)) from None
    if len(set(zip(case.handles, case.whos, strict=True))) > entry.MAX_TAGS:
        raise Refused("record", f"an entry holds at most {entry.MAX_TAGS} tags; split the ask")


def budgets(case: Case, facts: Facts) -> None:
    """Every bucket must hold the cost, or none is touched."""
    if case.answered is not None or isinstance(case.request, protocol.Refusal):
        return
    cost = price(case)
    if isinstance(case.ask, asks.IntakeAsk) and cost > (case.ask.count if case.window is None else case.window):
        raise Refused("budget", "the intake ask has fewer identifiers left than this; sign a new one")
    for key, rate in rates(case, facts.charter):
        case.budgets[key] = budget.take(rate, facts.budget(key), cost, case.now)


IDENTIFY = (columns, ask, room, reader, signature, used, fresh)
DECIDE = (charter, purpose, compartment, kinds, record, frozen, erased, batch, budgets)


def run(stage: tuple[object, ...], case: Case, facts: Facts) -> None:
    """Run a stage's checks in order, each looked up by name so that a drill can weaken exactly one."""
    for check in stage:
        globals()[check.__name__](case, facts)  # type: ignore[attr-defined]


def price(case: Case) -> int:
    """What a request costs (SPEC.md 8.5): records, finds or identifiers."""
    if isinstance(case.request, protocol.Disclose):
        return len(set(case.handles))
    if isinstance(case.request, protocol.Intake):
        return sum(len(column) // 32 for column in case.request.inners)
    return 1


def rates(case: Case, charter: Charter) -> list[tuple[str, Rate]]:
    """The buckets that a request draws on, by key. A changed rate is another bucket."""
    ask, line, own = case.ask, case.line, case.permit.purpose.budgets
    scopes = [
        (f"reader:{ask.reader.hex()}:{ask.purpose}", own.reader),
        (f"unit:{line.unit}:{ask.purpose}", own.unit),
        (f"purpose:{ask.purpose}", own.purpose),
    ]
    if not isinstance(ask, asks.IntakeAsk):
        scopes += [
            (f"holding:{ask.holding}", charter.budgets.holdings.get(ask.holding, [])),
            ("room", charter.budgets.room),
        ]
    return [(f"{scope}:{text}", parse_rate(text)) for scope, texts in scopes for text in texts]


def _read_columns(case: Case, request: protocol.Disclose) -> None:
    count, rest = divmod(len(request.handles), 16)
    widths = (len(request.versions), len(request.compartments), len(request.masked), len(request.batch))
    if rest or not 1 <= count <= protocol.MAX_SLOTS or widths != (4 * count, 2 * count, 16 * count, 2 * count):
        raise Refused("malformed", "the columns are not of one length")
    if len(request.epochs) != len(request.batches):
        raise Refused("malformed", "one epoch a batch is wanted")
    case.handles = slot.split(request.handles, 16)
    case.versions, case.compartments = slot.u32s(request.versions), slot.u16s(request.compartments)
    if not all(case.versions) or not all(case.compartments):
        raise Refused("malformed", "versions and compartments are numbered from 1")
    order = list(zip(case.handles, case.compartments, strict=True))
    if any(a >= b for a, b in itertools.pairwise(order)):
        raise Refused("malformed", "slots must be sorted by handle and compartment, and distinct")
    if max(slot.u16s(request.batch)) >= len(request.batches):
        raise Refused("malformed", "a slot names a batch that is not there")


def _read_inners(request: protocol.Intake) -> None:
    if len(set(request.kinds)) != len(request.kinds):
        raise Refused("malformed", "a kind of identifier stands twice")
    if len(request.inners) != len(request.kinds) or any(len(column) % 32 for column in request.inners):
        raise Refused("malformed", "the columns are not of the width of an inner")
    if not 1 <= sum(map(len, request.inners)) // 32 <= protocol.MAX_INNERS:
        raise Refused("malformed", f"an intake call has 1 to {protocol.MAX_INNERS} identifiers")
