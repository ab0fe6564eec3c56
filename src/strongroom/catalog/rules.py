"""The custodian's own rules: Cedar ``forbid`` policies over a closed schema (SPEC.md section 6.2).

The schema enumerates the charter's own names, so a rule that mistypes a role or a field is refused: at run time Cedar
would take it for somebody else's, and the rule would forbid nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import get_args

import cedarpy

from strongroom.catalog.model import Action, Holding, Purpose
from strongroom.catalog.types import identifier_kinds
from strongroom.errors import FormatError

MAX_BYTES = 16_384
MAX_DEPTH = 16
MAX_IFS = 16

ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TEXT_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*', re.DOTALL)


def schema(holdings: Mapping[str, Holding], purposes: Mapping[str, Purpose]) -> str:
    """Cedar schema text: who asks (``principal``), what (``action``), of which holding (``resource``), and the facts
    (``context``). Hours and weekdays are UTC; Monday is 1."""
    names: dict[str, Iterable[str]] = {
        "Purpose": purposes,
        "Role": {role for purpose in purposes.values() for role in purpose.roles},
        "Unit": {unit for purpose in purposes.values() for unit in purpose.units},
        "Field": {field for holding in holdings.values() for field in holding.fields},
        "Kind": {kind for holding in holdings.values() for kind in identifier_kinds(holding)},
    }
    lines = [
        # An enumeration may not be empty; "-" is no name of ours.
        f"entity {entity} enum [{', '.join(json.dumps(name) for name in sorted(found) or ['-'])}];"
        for entity, found in names.items()
    ]
    return "\n".join(lines) + (
        "\nentity Holding = { name: String, kinds: Set<Kind> };\nentity Reader in [Role, Unit];\n"
        "type Facts = { purpose: Purpose, fields: Set<Field>, kind?: Kind, test?: String, case: String, hour: Long, "
        "weekday: Long, count: Long };\n"
        f"action {', '.join(get_args(Action))} appliesTo "
        "{ principal: [Reader], resource: [Holding], context: Facts };\n"
    )


def check(rules: str, against: str) -> None:
    """Raises ``FormatError`` unless ``rules`` is Cedar text of ``forbid`` policies, each with an ``@id`` of its own,
    that fit the schema ``against``."""
    if not rules.strip():
        return
    if len(rules.encode()) > MAX_BYTES:
        raise FormatError(f"rules have at most {MAX_BYTES:,} bytes")
    _shallow(rules)
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(rules))
    except ValueError as error:
        raise FormatError(f"not Cedar: {error}") from None
    if parsed.get("templates"):
        raise FormatError("templates (?principal, ?resource) have no place in rules")
    seen: set[str] = set()
    for policy in parsed["staticPolicies"].values():
        if policy["effect"] != "forbid":
            raise FormatError("only forbid policies may be added; what is permitted is what the purposes say")
        name = policy.get("annotations", {}).get("id") or ""
        if not ID.fullmatch(name):
            raise FormatError('each rule needs a name of its own before forbid, such as @id("no-reads-at-night")')
        if name in seen:
            raise FormatError(f"two rules are called {name}")
        seen.add(name)
    found = cedarpy.validate_policies(rules, against)
    if not found.validation_passed:
        where = found.id_annotations_by_policy_id
        texts = sorted({f"rule {where.get(error.policy_id, '?')}: {_plain(error.error)}" for error in found.errors})
        raise FormatError("; ".join(texts[:3]))


def names(rules: str) -> list[str]:
    """The names of rules that ``check`` has passed: what stands in a comment is none."""
    if not rules.strip():
        return []
    return sorted(
        policy["annotations"]["id"]
        for policy in json.loads(cedarpy.policies_to_json_str(rules))["staticPolicies"].values()
    )


def _plain(message: str) -> str:
    return re.sub(r"^for policy `[^`]*`, ", "", message)


def _shallow(rules: str) -> None:
    # Cedar's parser recurses: a thousand nested brackets end the process, and no exception is left to catch.
    bare = _TEXT_OR_COMMENT.sub(" ", rules)
    depth = deepest = 0
    for sign in re.findall(r"[(\[{)\]}]", bare):
        depth += 1 if sign in "([{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or len(re.findall(r"\bif\b", bare)) > MAX_IFS:
        raise FormatError(f"rules nest at most {MAX_DEPTH} brackets deep, with at most {MAX_IFS} ifs; split the rule")
