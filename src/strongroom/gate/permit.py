"""What purpose, role, unit, holding and fields allow: the rules that both houses keep (SPEC.md section 8.4).

Vault and keyholder call the same function on the same signed facts, so the keyholder refuses what a dishonest vault
lets through. Cedar (``gate.decision``) decides the same once more at the vault, with the custodian's own rules on top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strongroom.catalog.model import OTHER, Charter, Holding, Mask, Purpose, RosterLine
from strongroom.catalog.types import identifier_kinds
from strongroom.errors import Refused
from strongroom.gate.ask import Ask, CheckAsk, CorrectAsk, DiscloseAsk, EraseAsk, ExportAsk, FindAsk


@dataclass(frozen=True, slots=True)
class Permit:
    """``compartments``: numbers of those that may be opened for the ask; ``masks``: of a disclosure or an export, asked
    field -> mask. A correction and an erasure concern all compartments of a record, a find and an intake none."""

    purpose: Purpose
    compartments: frozenset[int]
    masks: Mapping[str, Mask]


_NAMES_FIELDS = (DiscloseAsk, CorrectAsk, ExportAsk)


def permitted(charter: Charter, ask: Ask, line: RosterLine) -> Permit:
    """What the reader of ``line`` may have of ``ask``. That charter, reader and signature are the right ones is
    checked before. Raises ``Refused`` with the first of the codes ``purpose``, ``role``, ``unit``, ``holding``,
    ``field``, ``test``, ``version``, ``budget`` (more than one export may have) that fails."""
    purpose, holding = _purpose(charter, ask, line)
    reads = purpose.reads[ask.holding]
    if isinstance(ask, FindAsk):
        if ask.kind not in identifier_kinds(holding):
            kinds = ", ".join(identifier_kinds(holding))
            raise Refused("field", f"{ask.holding} has no identifier of this kind, but: {kinds}")
        if ask.kind not in (finds := purpose.finds.get(ask.holding, ())):
            raise Refused(
                "field", f"{ask.purpose} may not look people up by this kind, but by: {', '.join(finds) or 'none'}"
            )
        return Permit(purpose, frozenset(), {})
    if isinstance(ask, CheckAsk):
        tests = purpose.checks.get(ask.holding, {}).get(ask.field)
        if tests is None:
            asked = ", ".join(sorted(purpose.checks.get(ask.holding, {})))
            raise Refused("field", f"{ask.purpose} asks nothing of this field, but of: {asked or 'none'}")
        if ask.test not in tests:
            raise Refused("test", f"{ask.purpose} does not allow this test of this field, but: {', '.join(tests)}")
        return Permit(purpose, _compartments(holding, [ask.field]), {})
    if isinstance(ask, EraseAsk):
        return Permit(purpose, _compartments(holding, holding.fields), {})
    if not isinstance(ask, _NAMES_FIELDS):
        return Permit(purpose, frozenset(), {})
    if not reads.keys() >= set(ask.fields):
        # The name is the reader's own text, and a refusal must not carry what a reader typed.
        does, known = "correct" if isinstance(ask, CorrectAsk) else "read", ", ".join(sorted(reads)) or "none"
        raise Refused("field", f"{ask.purpose} does not {does} one of the fields asked for, but: {known}")
    if isinstance(ask, CorrectAsk):
        return Permit(purpose, _compartments(holding, holding.fields), {})
    if isinstance(ask, DiscloseAsk) and ask.version and not purpose.history:
        raise Refused("version", f"{ask.purpose} does not read old versions")
    if isinstance(ask, ExportAsk) and ask.count > purpose.most:
        raise Refused("budget", f"{ask.purpose} exports at most {purpose.most:,} records at once")
    return Permit(purpose, _compartments(holding, ask.fields), {field: reads[field] for field in ask.fields})


def _purpose(charter: Charter, ask: Ask, line: RosterLine) -> tuple[Purpose, Holding]:
    """The purpose of ``ask``, if it is for this action, reader and holding."""
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
    holding = charter.holdings.get(ask.holding)
    if ask.holding not in purpose.reads or holding is None:
        raise Refused("holding", f"{ask.purpose} is not for this holding")
    return purpose, holding


def countersigned(charter: Charter, ask: Ask, line: RosterLine, others: Mapping[bytes, RosterLine]) -> None:
    """Whether the purpose's second signature is there. ``line`` is the asker's, ``others`` reader -> line of those
    whose countersignature was verified. Raises ``Refused`` (``countersign``)."""
    wanted = charter.purposes[ask.purpose].countersign
    for reader, other in others.items():
        if reader == ask.reader:
            raise Refused("countersign", "nobody countersigns an ask of their own")
        if other.role not in wanted.roles or other.unit not in wanted.units or other.unit == line.unit:
            raise Refused("countersign", f"{ask.purpose} is not for this reader to countersign")
    if wanted.roles and not others:
        roles = " or ".join(wanted.roles)
        raise Refused("countersign", f"{ask.purpose} wants a second signature ({roles}, of another unit)")


def _compartments(holding: Holding, fields: Iterable[str]) -> frozenset[int]:
    return frozenset([holding.compartments[holding.fields[field].compartment].number for field in fields])


def public_units(charter: Charter, roster: Iterable[RosterLine]) -> dict[str, str]:
    """Unit of the roster -> how an entry names it: itself, or ``other`` where fewer than ``merge_units_below`` readers
    are in it, so that a unit of one does not name its reader (SPEC.md 5.4)."""
    sizes = Counter(line.unit for line in roster)
    return {unit: unit if size >= charter.merge_units_below else OTHER for unit, size in sizes.items()}


def public_unit(charter: Charter, roster: Iterable[RosterLine], line: RosterLine) -> str:
    """How an entry names the unit of ``line``; a unit not in the roster is ``other``."""
    return public_units(charter, roster).get(line.unit, OTHER)
