"""What purpose, role, unit, holding and fields allow: the rules that both houses keep (SPEC.md section 8.4).

Vault and keyholder call the same function on the same signed facts, so the keyholder refuses what a dishonest vault
lets through. Cedar (``gate.decision``) decides the same once more at the vault, with the custodian's own rules on top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strongroom.catalog.model import OTHER, Charter, Mask, Purpose, RosterLine
from strongroom.catalog.types import identifier_kinds
from strongroom.errors import Refused
from strongroom.gate.ask import Ask, DiscloseAsk, FindAsk


@dataclass(frozen=True, slots=True)
class Permit:
    """``masks``: asked field -> mask; ``compartments``: numbers of those that hold the asked fields. Both are empty
    for a find and an intake, which open nothing."""

    purpose: Purpose
    compartments: frozenset[int]
    masks: Mapping[str, Mask]


def permitted(charter: Charter, ask: Ask, line: RosterLine) -> Permit:
    """What the reader of ``line`` may have of ``ask``. That charter, reader and signature are the right ones is
    checked before. Raises ``Refused`` with the first of the codes ``purpose``, ``role``, ``unit``, ``holding``,
    ``field`` that fails."""
    purpose = charter.purposes.get(ask.purpose)
    if purpose is None:
        raise Refused("purpose", "the charter has no such purpose")
    action = ask.__struct_config__.tag
    if action not in purpose.actions:
        raise Refused("purpose", f"{ask.purpose} does not allow to {action}")
    if line.role not in purpose.roles:
        raise Refused("role", f"{ask.purpose} is not for a {line.role}")
    if line.unit not in purpose.units:
        raise Refused("unit", f"{ask.purpose} is not for the unit {line.unit}")
    reads, holding = purpose.reads.get(ask.holding), charter.holdings.get(ask.holding)
    if reads is None or holding is None:
        raise Refused("holding", f"{ask.purpose} is not for this holding")
    if isinstance(ask, FindAsk):
        if ask.kind not in identifier_kinds(holding):
            raise Refused("field", f"{ask.holding} has no identifier of this kind")
        if ask.kind not in purpose.finds.get(ask.holding, ()):
            raise Refused("field", f"{ask.purpose} may not look people up by this kind")
        return Permit(purpose, frozenset(), {})
    if not isinstance(ask, DiscloseAsk):
        return Permit(purpose, frozenset(), {})
    masks: dict[str, Mask] = {}
    compartments = set()
    for field in ask.fields:
        if field not in reads:
            # The name is the reader's own text, and a refusal must not carry what a reader typed.
            raise Refused("field", f"{ask.purpose} does not read one of the fields asked for")
        masks[field] = reads[field]
        compartments.add(holding.compartments[holding.fields[field].compartment].number)
    return Permit(purpose, frozenset(compartments), masks)


def public_units(charter: Charter, roster: Iterable[RosterLine]) -> dict[str, str]:
    """Unit of the roster -> how an entry names it: itself, or ``other`` where fewer than ``merge_units_below`` readers
    are in it, so that a unit of one does not name its reader (SPEC.md 5.4)."""
    sizes = Counter(line.unit for line in roster)
    return {unit: unit if size >= charter.merge_units_below else OTHER for unit, size in sizes.items()}


def public_unit(charter: Charter, roster: Iterable[RosterLine], line: RosterLine) -> str:
    """How an entry names the unit of ``line``; a unit not in the roster is ``other``."""
    return public_units(charter, roster).get(line.unit, OTHER)
