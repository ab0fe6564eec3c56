"""What neither catalog nor ledger can know: who the controller is, whom data goes to (``report --about``; examples/city/about.yaml)."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.catalog.yamltree import Reader
from strongroom.errors import CatalogError as CatalogError  # noqa: PLC0414 - what ``load`` raises

MEMBERS = {
    "controller": "name and address of the controller",
    "contact": "how the controller is reached",
    "representative": "the controller's representative, joint controllers",
    "officer": "the data protection officer, or who answers for personal information protection",
    "recipients": "to whom data is disclosed outside the units named in the charter",
    "transfers": "transfers to other countries, and their safeguards",
    "sensitive": "which holdings are sensitive, and why",
    "automated": "automated decisions",
    "entrusted": "processors, and what they are entrusted with",
    "impact": "where the impact assessment lies, and when it was made",
}
"""Member -> what it is to say."""


@dataclass(frozen=True, slots=True)
class About:
    """Text of each member; empty where the custodian has not said."""

    told: dict[str, str]

    def said(self, member: str) -> str:
        """The custodian's words, or that there are none."""
        return (
            self.told.get(member)
            or f"*Not stated. Write `{member}:` ({MEMBERS[member]}) into the file given with --about.*"
        )


NOTHING = About({})


def load(text: str | bytes, name: str) -> About:
    """The file called ``name``: a YAML table of ``MEMBERS``, all optional. Raises ``CatalogError``."""
    read = Reader(name)
    found = read.table(read.document(text), "the file", (), tuple(MEMBERS))
    return About({member: " ".join(read.text(node, member).split()) for member, node in found.items()})
