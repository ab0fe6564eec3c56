"""The vault's own decision, before the keyholder is asked (SPEC.md sections 7.3, 8.4 and 8.6).

Reason and case first, then what ``permit`` says (as the keyholder will), then Cedar over the generated policies with
the custodian's ``forbid`` rules. Cedar and ``permit`` must agree on everything but those rules; where they do not, the
answer is no.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from strongroom.canonical import encode
from strongroom.catalog import migration, rules
from strongroom.catalog.model import Charter, Mask, Purpose, RosterLine
from strongroom.errors import CatalogError, Refused
from strongroom.gate import cedar
from strongroom.gate.ask import MAP, VALUES, Ask, CheckAsk, CorrectAsk, FindAsk, PrivateHalf, reader_id, written
from strongroom.gate.permit import countersigned, permitted
from strongroom.gate.reason import check_case, check_reason

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Grant:
    """What the vault may open and show. ``fields``: field -> mask; ``compartments``: numbers (``permit.Permit``)."""

    fields: Mapping[str, Mask]
    compartments: frozenset[int]
    purpose: Purpose


class Gate:
    """One charter and its roster, compiled once; to be replaced when another charter takes effect."""

    def __init__(self, charter: Charter, roster: Iterable[RosterLine]) -> None:
        """``charter`` must come from ``catalog.charter.parse``, which has validated its rules."""
        self._charter = charter
        self._policies = cedarpy.PolicySet.from_str(cedar.policies(charter))
        schema = cedarpy.Schema.from_str(rules.schema(charter.holdings, charter.purposes))
        entities = json.dumps(cedar.entities(charter, roster))
        self._entities = cedarpy.Entities.from_json_str(entities, schema)
        # Where no rule looks at the case (nor might, by an escape in a name) it changes nothing: then one decision serves for all cases.
        self._by_case = "case" in charter.rules or "\\" in charter.rules
        self._decided: dict[bytes, str] = {}

    def decide(
        self,
        ask: Ask,
        private: PrivateHalf,
        line: RosterLine,
        now: int,
        others: Mapping[bytes, RosterLine] | None = None,
    ) -> Grant:
        """What may be given for ``ask`` at ``now``. Charter, signatures and time are checked before; ``others``: reader
        -> line of those who countersigned.

        Raises ``Refused``: ``reader`` or ``ask`` when the parts do not belong together, ``reason``, ``case``, the codes
        of ``permitted``, ``countersign``, ``rule`` with the names of the custodian's rules that forbid it.
        """
        _together(ask, private, line)
        check_reason(private.reason)
        check_case(private.case)
        permit = permitted(self._charter, ask, line)
        if isinstance(ask, CorrectAsk):
            _map_fits(self._charter, ask, private)
        countersigned(self._charter, ask, line, others or {})
        forbidden = self._forbidden(cedar.request(ask, private.case if self._by_case else "", now))
        if forbidden:
            raise Refused("rule", forbidden)
        return Grant(permit.masks, permit.compartments, permit.purpose)

    def _forbidden(self, request: dict[str, Any]) -> str:
        """Why Cedar says no, empty when it does not. It is a function of the request alone, and costs as much as verifying a signature: so it
        is remembered by the whole request, the hour and the weekday among it."""
        key = encode(request)
        found = self._decided.get(key)
        if found is None:
            if len(self._decided) >= _REMEMBERED:
                self._decided.clear()
            found = self._decided[key] = self._evaluated(request)
        return found

    def _evaluated(self, request: dict[str, Any]) -> str:
        result = cedarpy.is_authorized(request, self._policies, self._entities)
        found = result.diagnostics
        # Cedar skips a policy that fails to evaluate: a forbid that failed would forbid nothing.
        if found.errors:
            return "a rule could not be evaluated; nothing is read until the charter is mended"
        if result.allowed:
            return ""
        names = sorted(name for name in found.id_annotations_by_reason.values())
        return f"forbidden by {', '.join(names)}" if names else "not permitted by any purpose"


def _together(ask: Ask, private: PrivateHalf, line: RosterLine) -> None:
    if ask.reader != reader_id(line.key):
        raise Refused("reader", "the ask is another reader's")
    if private.reader != ask.reader or private.commitment() != ask.commitment:
        raise Refused("ask", "case and reason are not those that the ask commits to")
    kind = private.subject.kind if private.subject else None
    wanted = ask.kind if isinstance(ask, FindAsk) else ask.field if isinstance(ask, CheckAsk) else None
    if isinstance(ask, CheckAsk) and ask.test == "adult":
        wanted = None  # it compares with nothing
    if isinstance(ask, CorrectAsk):
        values = written(private)
        if kind not in (VALUES, MAP) or (values is not None and sorted(values) != ask.fields):
            raise Refused("ask", "a correction names what it writes into each of its fields, and into no other")
    elif kind != wanted:
        raise Refused(
            "ask", "a find, a check that compares and a correction name the value of what they ask; nothing else does"
        )


def _map_fits(charter: Charter, ask: CorrectAsk, private: PrivateHalf) -> None:
    """A map fills the fields of the ask, from such as the purpose reads."""
    if private.subject is None or private.subject.kind != MAP:
        return
    try:
        found = migration.load(private.subject.value, "the map", charter.holdings[ask.holding])
    except CatalogError:
        raise Refused("ask", "the map is not one for this holding") from None
    if list(found.fields) != ask.fields:
        raise Refused("ask", "the map fills other fields than the correction names")
    if found.unread(charter.purposes[ask.purpose].reads[ask.holding]):
        raise Refused("field", f"{ask.purpose} does not read clear all that the map fills fields from")
