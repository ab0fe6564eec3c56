"""What a request costs, and in which buckets (SPEC.md section 8.5)."""

from __future__ import annotations

from functools import lru_cache

from strongroom.catalog.model import Charter
from strongroom.catalog.rate import Rate, parse_rate
from strongroom.keyholder import protocol
from strongroom.keyholder.case import Case

# Each ask is held against the few rates of its charter.
_rate = lru_cache(maxsize=256)(parse_rate)


def price(case: Case) -> int:
    """Records, finds or identifiers."""
    if case.slots is not None:
        return len(set(case.handles))
    if isinstance(case.request, protocol.Intake):
        return sum(len(column) // 32 for column in case.request.inners)
    return 1


def rates(case: Case, charter: Charter, cost: int) -> list[tuple[str, Rate, int]]:
    """The buckets that a request draws on, by key, and what it takes of each. A changed rate is another bucket."""
    ask, own = case.ask, case.permit.purpose.budgets
    # What takes in or erases shows nobody anything.
    shows = not isinstance(case.request, protocol.Intake | protocol.Erase)
    found = [
        (key, rate, cost)
        for _, key, rate in shared(charter, ask.purpose, ask.holding, ask.reader, case.line.unit, shows=shows)
    ]
    if shows and own.record:
        named = f"record:{ask.purpose}:{ask.holding}"
        for handle in sorted(set(case.handles)):
            found += [(f"{named}:{handle.hex()}:{text}", _rate(text), 1) for text in own.record]
    return found


def shared(
    charter: Charter, purpose: str, holding: str, reader: bytes, unit: str, *, shows: bool
) -> list[tuple[str, str, Rate]]:
    """The buckets of whatever a reader asks for a purpose in a holding: whose each is, its key, its rate. ``shows``: those too that only
    what shows somebody something draws on."""
    own = charter.purposes[purpose].budgets
    found = [("reader", f"reader:{reader.hex()}:{purpose}:{text}", _rate(text)) for text in own.reader]
    found += [("unit", f"unit:{unit}:{purpose}:{text}", _rate(text)) for text in own.unit]
    found += [("purpose", f"purpose:{purpose}:{text}", _rate(text)) for text in own.purpose]
    if shows:
        of_holding = charter.budgets.holdings.get(holding, ())
        found += [("holding", f"holding:{holding}:{text}", _rate(text)) for text in of_holding]
        found += [("room", f"room:{text}", _rate(text)) for text in charter.budgets.room]
    return found
