"""A charter with what is looked up in it (SPEC.md section 6)."""

from __future__ import annotations

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter, RosterLine
from strongroom.gate import ask as asks
from strongroom.gate import permit


class InForce:
    """``index``: its entry. ``effective``: ledger time from which it is in force."""

    def __init__(self, index: int, effective: int, document: bytes, roster: bytes) -> None:
        self.index, self.effective, self.document = index, effective, document
        self.charter: Charter = charters.parse(document)
        self.hash = charters.charter_hash(document)
        self.lines: list[RosterLine] = charters.parse_roster(roster)
        self.roster = asks.readers(self.lines)
        self.units = permit.public_units(self.charter, self.lines)
        # Holding -> number of a compartment -> the field that names whom it is about, empty for the record's own.
        self.persons = {
            name: {one.number: one.person for one in holding.compartments.values()}
            for name, holding in self.charter.holdings.items()
        }
