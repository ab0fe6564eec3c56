"""How an entry looks: in a line, whole, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from strongroom.canonical import encode
from strongroom.catalog.charter import charter_hash
from strongroom.catalog.model import Charter
from strongroom.cli.output import FAINT, WARN, Output, count, moment
from strongroom.custody.mirror import Enacted
from strongroom.ledger import entry

HEADERS = ["ENTRY", "TIME (UTC)", "TYPE", "PURPOSE", "UNIT", "ROLE", "WHAT"]
_STYLES = {"refusal": WARN, "heartbeat": FAINT, "erasure": WARN, "notice": WARN, "charter": "bold"}

Cell: TypeAlias = str | tuple[str, str]
Known: TypeAlias = Mapping[bytes, Charter]
"""Charters by their hash."""


def known(enacted: Iterable[Enacted]) -> Known:
    return {one.hash: one.charter for one in enacted}


def compartments(item: entry.DisclosureEntry, charters: Known) -> str:
    """Their names, by the charter that the entry was made under."""
    charter = charters.get(item.charter)
    declared = charter.holdings[item.holding].compartments if charter and item.holding in charter.holdings else {}
    called = {found.number: name for name, found in declared.items()}
    return ", ".join(called.get(number, f"compartment {number}") for number in item.compartments)


def what(item: entry.Entry, charters: Known) -> str:
    """What an entry is about, in a few words."""
    match item:
        case entry.CharterEntry():
            found = charters.get(charter_hash(item.document.encode()))
            return f"{f'version {found.version}' if found else 'a charter'}, in force from {moment(item.effective)}"
        case entry.DisclosureEntry():
            return f"{item.holding}: {count(item.count, 'record')}, {compartments(item, charters)}"
        case entry.FindEntry():
            return f"{item.holding}: is somebody here?"
        case entry.IntakeEntry():
            return f"{item.holding}: {count(item.count, 'identifier')} indexed"
        case entry.RefusalEntry():
            return f"{item.holding}: {item.code}, by the {item.by}"
        case entry.ErasureEntry():
            return f"{item.holding}: {count(item.count, 'record')} never opened again"
        case entry.NoticeEntry():
            return f"{item.code} {item.scope}" if item.scope else "the keyholder was started"
        case entry.HeartbeatEntry():
            return "nothing else to say"


def row(index: int, item: entry.Entry, charters: Known) -> list[Cell]:
    name = str(item.__struct_config__.tag)
    purpose, unit, role = (getattr(item, member, "") for member in ("purpose", "unit", "role"))
    return [
        str(index),
        (moment(item.time), FAINT),
        (name, _STYLES.get(name, "")),
        purpose,
        unit,
        role,
        what(item, charters),
    ]


def whole(out: Output, index: int, item: entry.Entry, charters: Known) -> None:
    """Every member of one entry."""
    out.line((f"entry {index}", "bold"), f"   {item.__struct_config__.tag}   {what(item, charters)}")
    out.blank()
    rows: list[tuple[str, Cell]] = []
    for member, value in document(index, item)["entry"].items():
        if member in ("v", "type"):
            continue
        if member in ("time", "effective"):
            rows.append((member, f"{moment(value)} UTC  ({value})"))
        elif member == "document":
            rows.append((member, f"{len(value):,} characters; strongroom charter show prints it"))
        elif isinstance(value, list):
            rows += [(member if place == 0 else "", str(one)) for place, one in enumerate(value)]
        else:
            rows.append((member, str(value)))
    out.pairs(rows)


def document(index: int, item: entry.Entry) -> dict[str, Any]:
    """The entry's own members, bytes as they stand in the ledger: base64."""
    return {"entry": json.loads(encode(item)), "index": index}
