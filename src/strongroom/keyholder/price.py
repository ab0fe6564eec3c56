"""What a request costs, and in which buckets (SPEC.md section 8.5)."""

from __future__ import annotations

from strongroom.catalog.model import Charter
from strongroom.catalog.rate import Rate, parse_rate
from strongroom.keyholder import protocol
from strongroom.keyholder.case import Case


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
    scopes = [
        (f"reader:{ask.reader.hex()}:{ask.purpose}", own.reader, cost),
        (f"unit:{case.line.unit}:{ask.purpose}", own.unit, cost),
        (f"purpose:{ask.purpose}", own.purpose, cost),
    ]
    # What takes in or erases shows nobody anything.
    if not isinstance(case.request, protocol.Intake | protocol.Erase):
        scopes += [
            (f"holding:{ask.holding}", charter.budgets.holdings.get(ask.holding, []), cost),
            ("room", charter.budgets.room, cost),
        ]
        if own.record:
            named = f"record:{ask.purpose}:{ask.holding}"
            scopes += [(f"{named}:{handle.hex()}", own.record, 1) for handle in sorted(set(case.handles))]
    return [(f"{scope}:{text}", parse_rate(text), each) for scope, texts, each in scopes for text in texts]
