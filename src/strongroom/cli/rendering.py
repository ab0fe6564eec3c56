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
from strongroom.errors import SealError
from strongroom.ledger import entry
from strongroom.seal.epoch import epoch_text

HEADERS = ["ENTRY", "TIME (UTC)", "TYPE", "PURPOSE", "UNIT", "ROLE", "WHAT"]
_STYLES = {
    "refusal": WARN,
    "heartbeat": FAINT,
    "erasure": WARN,
    "expiry": WARN,
    "hold": WARN,
    "notice": WARN,
    "charter": "bold",
}
_DONE = {"disclosure": "read", "check": "checked", "correction": "corrected", "export": "exported"}
_NOTICES = {
    "start": "the keyholder was started",
    "generation": "the keyholder was restored: every person's numbers begin anew",
}

Asked: TypeAlias = (
    entry.FindEntry
    | entry.IntakeEntry
    | entry.RefusalEntry
    | entry.ErasureEntry
    | entry.DisclosureEntry
    | entry.CheckEntry
    | entry.CorrectionEntry
    | entry.ExportEntry
)
Opened: TypeAlias = entry.DisclosureEntry | entry.CheckEntry | entry.CorrectionEntry | entry.ExportEntry

Cell: TypeAlias = str | tuple[str, str]
Known: TypeAlias = Mapping[bytes, Charter]
"""Charters by their hash."""


def known(enacted: Iterable[Enacted]) -> Known:
    return {one.hash: one.charter for one in enacted}


def compartments(item: Opened, charters: Known) -> str:
    """Their names, by the charter that the entry was made under."""
    charter = charters.get(item.charter)
    declared = charter.holdings[item.holding].compartments if charter and item.holding in charter.holdings else {}
    called = {found.number: name for name, found in declared.items()}
    return ", ".join(called.get(number, f"compartment {number}") for number in item.compartments)


def done(item: Opened, charters: Known) -> str:
    """What was done to which compartments: ``read contact``."""
    return f"{_DONE[str(item.__struct_config__.tag)]} {compartments(item, charters)}"


def countersigned(item: entry.Entry) -> str:
    """``, countersigned by 1``, or nothing. Who it was, nobody reads out of the ledger."""
    number = len(getattr(item, "countersigners", ()))
    return f", countersigned by {number}" if number else ""


def day(epoch: int) -> str:
    """A day since 1970 for people."""
    try:
        return epoch_text(epoch)
    except SealError:
        return f"day {epoch}"


def what(item: entry.Entry, charters: Known) -> str:
    """What an entry is about, in a few words."""
    match item:
        case entry.CharterEntry():
            found = charters.get(charter_hash(item.document.encode()))
            return f"{f'version {found.version}' if found else 'a charter'}, in force from {moment(item.effective)}"
        case entry.ExpiryEntry():
            return f"{item.holding}: the key of {day(item.epoch)} is destroyed"
        case entry.HoldEntry():
            return f"{item.holding}: {_hold(item)}"
        case entry.NoticeEntry():
            return f"{item.code} {item.scope}" if item.scope else _NOTICES[item.code]
        case entry.HeartbeatEntry():
            return "nothing else to say"
        case _:
            return f"{item.holding}: {_asked(item, charters)}{countersigned(item)}"


def _asked(item: Asked, charters: Known) -> str:
    match item:
        case entry.FindEntry():
            return "is somebody here?"
        case entry.IntakeEntry():
            told = f", {count(len(item.tags), 'person', 'persons')} told" if item.tags else ""
            return f"{count(item.count, 'identifier')} indexed{told}"
        case entry.RefusalEntry():
            return f"{item.code}, by the {item.by}"
        case entry.ErasureEntry():
            # Which of them are destroyed by now, later entries say.
            final = f"final on {day(item.epochs[-1])} unless a hold stands" if item.epochs else "final"
            return f"{count(item.count, 'record')} never opened again, {final}"
        case _:
            return f"{count(item.count, 'record')}, {done(item, charters)}"


def _hold(item: entry.HoldEntry) -> str:
    if item.until <= item.time:
        return f"the hold of {item.authority} is lifted"
    return f"no key is destroyed before {moment(item.until)}, by order of {item.authority}"


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
        if member in ("time", "effective", "until"):
            rows.append((member, f"{moment(value)} UTC  ({value})"))
        elif member == "epoch":
            rows.append((member, f"{day(value)}  ({value})"))
        elif member == "epochs":
            rows += [(member if place == 0 else "", f"{day(one)}  ({one})") for place, one in enumerate(value)]
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
