"""Whether an ask whose asker is known may be answered: each refusal is an entry (SPEC.md section 8.4, from the charter on)."""

from __future__ import annotations

from strongroom.catalog.model import Field
from strongroom.errors import FormatError, Refused, SealError
from strongroom.gate import ask as asks
from strongroom.gate import budget, permit
from strongroom.keyholder import protocol
from strongroom.keyholder.case import Case, Facts
from strongroom.keyholder.epochs import sealed_batches
from strongroom.keyholder.price import price, rates
from strongroom.ledger import entry
from strongroom.seal import slot


def charter(case: Case, facts: Facts) -> None:
    if case.ask.charter != facts.charter_hash:
        raise Refused(
            "charter", f"the ask names another charter than the one in force (version {facts.charter.version})"
        )


def purpose(case: Case, facts: Facts) -> None:
    """Purpose, action, role, unit, holding, fields, test, old version: the same rules that the vault's gate begins with."""
    case.permit = permit.permitted(facts.charter, case.ask, case.line)


def countersign(case: Case, facts: Facts) -> None:
    permit.countersigned(facts.charter, case.ask, case.line, case.others)


def compartment(case: Case, facts: Facts) -> None:
    if not case.permit.compartments.issuperset(case.compartments):
        raise Refused("compartment", "a slot's compartment holds none of the asked fields")


def fields(case: Case, facts: Facts) -> None:
    """An intake's are identifiers of the holding; the empty text stands for an import's name."""
    if isinstance(case.request, protocol.Intake):
        declared = facts.charter.holdings[case.ask.holding].fields
        known = {name for name, field in declared.items() if field.identifier != "none"}
        if not known.issuperset(set(case.request.fields) - {""}):
            raise Refused("field", "the holding has no identifier field of one of these names")


def record(case: Case, facts: Facts) -> None:
    if case.slots is not None:
        handles = set(case.handles)
        if not isinstance(case.ask, asks.ExportAsk) and sorted(handles) != getattr(case.ask, "records", []):
            raise Refused("record", "the slots are not of exactly the records that the ask names")
        if len(set(zip(case.handles, case.versions, strict=True))) != len(handles):
            raise Refused("record", "the slots of a record are of several versions")
    elif isinstance(case.request, protocol.Intake) and case.permit.purpose.tells:
        case.whos = _persons_taken_in(case.request, facts.charter.holdings[case.ask.holding].fields)
        if len(case.whos) > entry.MAX_TAGS:
            raise Refused("record", f"an entry holds at most {entry.MAX_TAGS} tags; take in fewer rows a call")


def version(case: Case, facts: Facts) -> None:
    """The one that the ask names, else none that the keyholder knows to be an old one."""
    if case.slots is None or isinstance(case.ask, asks.EraseAsk):
        # An erasure is of the whole record, whichever version of it the vault still has.
        return
    wanted = case.ask.version if isinstance(case.ask, asks.DiscloseAsk) else 0
    if wanted:
        if set(case.versions) != {wanted}:
            raise Refused("version", "a slot is of another version than the ask names")
        return
    newest = facts.newest(case.ask.holding, case.handles)
    if newest and any(one < newest.get(handle, 1) for handle, one in zip(case.handles, case.versions, strict=True)):
        raise Refused("version", "a record has a newer version than this; ask for an old one by its number")


def frozen(case: Case, facts: Facts) -> None:
    scopes = {"room", f"holding:{case.ask.holding}", f"reader:{case.ask.reader.hex()}"}
    if scopes.intersection(facts.frozen()):
        raise Refused("frozen", "the keyholder has frozen this; ask its operator")


def erased(case: Case, facts: Facts) -> None:
    # An erasure that is answered again has erased them itself.
    again = isinstance(case.request, protocol.Erase) and case.answered is not None
    if case.slots is not None and not again and facts.erased(case.ask.holding, case.handles):
        raise Refused("erased", "a record of the ask was erased")


def expired(case: Case, facts: Facts) -> None:
    """From the day on which a record expires, whether or not its key is destroyed yet; but for those who look after a
    legal hold, while there is one."""
    if case.slots is None or min(case.slots.expires) > case.today:
        return
    if not case.permit.purpose.held or not facts.held(case.ask.holding, case.now):
        raise Refused("expired", "a record of the ask has expired")


def epoch(case: Case, facts: Facts) -> None:
    """There is a key, and its day has not come, unless a legal hold keeps it past that."""
    for one in sorted(set(case.slots.epochs if case.slots else ())):
        if not facts.usable(case.ask.holding, one, case.now):
            raise Refused("epoch", "there is no key for this holding and epoch, or the day of its destruction has come")


def batch(case: Case, facts: Facts) -> None:
    """Opens the batch secrets and unmasks whom the slots are about."""
    request, holding = case.slots, case.ask.holding
    if request is None:
        return
    sealed = sealed_batches(request.batches, request.epochs, request.expires, request.members)
    secrets = [facts.secret(holding, one) for one in sealed]
    try:
        case.whos, case.shares = slot.release(
            secrets,
            slot.u16s(request.batch),
            request.handles,
            case.versions,
            case.compartments,
            request.masked,
            request.deltas,
        )
    except (SealError, FormatError) as error:
        raise Refused("malformed", str(error)) from None


def person(case: Case, facts: Facts) -> None:
    """Compartments of a record that name one person must be about one. Each field of each record that names one gets a
    tag: were two fields of one person to get one together, their number would tell everybody so."""
    if case.slots is None:
        return
    about = facts.persons[case.ask.holding]
    seen: dict[tuple[bytes, str], bytes] = {}
    for handle, number, who in zip(case.handles, case.compartments, case.whos, strict=True):
        if seen.setdefault((handle, about[number]), who) != who:
            raise Refused("person", "a record's compartments about one person were sealed under several")
    if len(seen) > entry.MAX_TAGS:
        raise Refused("record", f"an entry holds at most {entry.MAX_TAGS} tags; split the ask")


def budgets(case: Case, facts: Facts) -> None:
    """Every bucket must hold the cost, or none is touched."""
    if case.answered is not None or isinstance(case.request, protocol.Refusal):
        return
    cost, ask = price(case), case.ask
    if isinstance(ask, asks.Windowed):
        left = ask.count if case.window is None else case.window
        if cost > left:
            raise Refused("budget", f"the ask has {left} left of its count, and this takes {cost}; sign a new one")
    for key, rate, each in rates(case, facts.charter, cost):
        case.budgets[key] = budget.take(rate, facts.budget(key), each, case.now)


def _persons_taken_in(request: protocol.Intake, declared: dict[str, Field]) -> list[bytes]:
    """The who of each row in each column of a primary identifier."""
    columns = [
        column
        for name, column in zip(request.fields, request.inners, strict=True)
        if name in declared and declared[name].identifier == "primary"
    ]
    return [inner[:16] for column in columns for inner in slot.split(column, 32)]
