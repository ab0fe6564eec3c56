"""The charter's purposes as Cedar policies, entities and requests (SPEC.md section 6.2).

Generated, never written by hand: one ``permit`` a purpose, named ``purpose:NAME``. The custodian's rules can only
forbid on top, so nobody can widen a purpose without it standing in ``purposes``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from strongroom.catalog.model import Charter, Purpose, RosterLine
from strongroom.catalog.types import identifier_kinds
from strongroom.gate.ask import Ask, CheckAsk, ExportAsk, FindAsk, IntakeAsk, reader_id

_DAY = 86400
_THURSDAY = 4  # 1970-01-01, where Monday is 1


def policies(charter: Charter) -> str:
    """Cedar text of all permits, then the custodian's rules."""
    return "\n".join([*(_permit(name, purpose) for name, purpose in sorted(charter.purposes.items())), charter.rules])


def entities(charter: Charter, roster: Iterable[RosterLine]) -> list[dict[str, Any]]:
    """Cedar entities: holdings with their identifier kinds, and readers in their role and unit. A role or unit that no
    purpose names is left out: the schema does not know it, and nobody in it may do anything."""
    roles = {role for purpose in charter.purposes.values() for role in purpose.roles}
    units = {unit for purpose in charter.purposes.values() for unit in purpose.units}
    found: list[dict[str, Any]] = [
        {
            "uid": _uid("Holding", name),
            "attrs": {"name": name, "kinds": [_uid("Kind", kind) for kind in identifier_kinds(holding)]},
            "parents": [],
        }
        for name, holding in charter.holdings.items()
    ]
    for line in roster:
        parents = [_uid("Role", line.role)] if line.role in roles else []
        parents += [_uid("Unit", line.unit)] if line.unit in units else []
        found.append({"uid": _uid("Reader", reader_id(line.key).hex()), "attrs": {}, "parents": parents})
    return found


def request(ask: Ask, case: str, now: int) -> dict[str, Any]:
    """The Cedar request for ``ask`` under ``case`` at ``now`` (POSIX seconds; hour and weekday are UTC)."""
    context: dict[str, Any] = {
        "purpose": _ref("Purpose", ask.purpose),
        "fields": [_ref("Field", field) for field in fields(ask)],
        "case": case,
        "hour": now % _DAY // 3600,
        "weekday": (now // _DAY + _THURSDAY - 1) % 7 + 1,
        "count": count(ask),
    }
    if isinstance(ask, CheckAsk):
        context["test"] = ask.test
    if isinstance(ask, FindAsk):
        context["kind"] = _ref("Kind", ask.kind)
    return {
        "principal": _uid("Reader", ask.reader.hex()),
        "action": _uid("Action", str(ask.__struct_config__.tag)),
        "resource": _uid("Holding", ask.holding),
        "context": context,
    }


def count(ask: Ask) -> int:
    """How much is asked: records, identifiers of an intake, 1 for a find."""
    if isinstance(ask, IntakeAsk | ExportAsk):
        return ask.count
    return 1 if isinstance(ask, FindAsk) else len(ask.records)


def fields(ask: Ask) -> list[str]:
    """The fields that are named in ``ask``."""
    return [ask.field] if isinstance(ask, CheckAsk) else list(getattr(ask, "fields", ()))


def _permit(name: str, purpose: Purpose) -> str:
    # Names match [a-z][a-z0-9-]* (SPEC 1.4), so that json.dumps is only belt and braces.
    where = " ||\n      ".join(
        f'(resource == {_literal("Holding", holding)} && {_fields(sorted(reads))} && action != Action::"check")'
        for holding, reads in sorted(purpose.reads.items())
    )
    tested = "".join(
        f' ||\n      (resource == {_literal("Holding", holding)} && action == Action::"check" &&'
        f" context.fields == [{_literal('Field', field)}] &&"
        f" context has test && {json.dumps(sorted(allowed))}.contains(context.test))"
        for holding, tests in sorted(purpose.checks.items())
        for field, allowed in sorted(tests.items())
    )
    by = " ||\n      ".join(
        f"(resource == {_literal('Holding', holding)} && [{_literals('Kind', kinds)}].contains(context.kind))"
        for holding, kinds in sorted(purpose.finds.items())
    )
    finds = f"context has kind && ({by})" if by else "false"
    return f"""@id({json.dumps(f"purpose:{name}")})
permit (principal, action in [{_literals("Action", sorted(purpose.actions))}], resource)
when {{
  context.purpose == {_literal("Purpose", name)} &&
  principal in [{_literals("Role", sorted(purpose.roles))}] &&
  principal in [{_literals("Unit", sorted(purpose.units))}] &&
  ({where}{tested}) &&
  (action != Action::"find" || ({finds})) &&
  (action != Action::"export" || context.count <= {purpose.most})
}};
"""


def _fields(names: list[str]) -> str:
    # Cedar knows no empty set literal that it could give a type.
    return f"[{_literals('Field', names)}].containsAll(context.fields)" if names else "context.fields.isEmpty()"


def _literal(entity: str, name: str) -> str:
    return f"{entity}::{json.dumps(name)}"


def _literals(entity: str, names: list[str]) -> str:
    return ", ".join(_literal(entity, name) for name in names)


def _uid(entity: str, name: str) -> dict[str, str]:
    return {"type": entity, "id": name}


def _ref(entity: str, name: str) -> dict[str, dict[str, str]]:
    return {"__entity": _uid(entity, name)}
