"""One small valid charter to change in tests, with keys that are nobody's."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from strongroom.catalog.model import (
    Charter,
    Compartment,
    Countersign,
    Field,
    Holding,
    KeyholderKeys,
    Mask,
    Purpose,
    PurposeBudgets,
    RoomBudgets,
    RosterLine,
    VaultKeys,
    Witnesses,
)


def key(name: str, length: int = 32) -> bytes:
    return (hashlib.sha256(name.encode()).digest() * 50)[:length]


def vkey(name: str, algorithm: int, length: int = 32) -> str:
    material = bytes([algorithm]) + key(name, length)
    key_id = hashlib.sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(material).decode()}"


def field(kind: str, compartment: str = "identity", identifier: Any = "none", **more: Any) -> Field:
    return Field(
        **{
            "type": kind,
            "compartment": compartment,
            "identifier": identifier,
            "required": False,
            "max": 0,
            "values": [],
            "needs": {},
            "pattern": "",
            "region": "",
        }
        | more
    )


def compartment(number: int, floor: int = 256, person: str = "id-number") -> Compartment:
    return Compartment(number=number, floor=floor, person=person)


def holding(**changes: Any) -> Holding:
    members: dict[str, Any] = {
        "about": "Those who live here",
        "lawful_basis": "Residence Act, section 3",
        "retention": 3650,
        "rotation": 30,
        "compartments": {"identity": compartment(1), "contact": compartment(2)},
        "fields": {
            "id-number": field("resident-id", identifier="primary", required=True),
            "name": field("person-name"),
            "born": field("date"),
            "sex": field("enum", values=["female", "male", "other"]),
            "phone": field("phone", "contact", "secondary", region="CN"),
            "address": field("address", "contact"),
        },
    }
    return Holding(**members | changes)


def purpose(**changes: Any) -> Purpose:
    clear: Mask = "clear"
    members: dict[str, Any] = {
        "about": "To see that somebody is who they say",
        "lawful_basis": "Residence Act, section 9",
        "actions": ["find", "disclose"],
        "roles": ["clerk"],
        "units": ["registry", "health"],
        "reads": {"residents": {"name": clear, "id-number": "last-four", "born": "year"}},
        "finds": {"residents": ["phone", "resident-id"]},
        "checks": {},
        "history": False,
        "held": False,
        "tells": False,
        "most": 0,
        "countersign": Countersign(roles=[], units=[]),
        "budgets": PurposeBudgets(reader=["20/minute", "200/day"], unit=[], record=[], purpose=["5000/day"]),
    }
    return Purpose(**members | changes)


def charter(**changes: Any) -> Charter:
    name = changes.get("name", "riverton.example")
    members: dict[str, Any] = {
        "v": 1,
        "version": 1,
        "previous": bytes(32),
        "room": key("room", 16),
        "name": name,
        "delay": 259200,
        "heartbeat": 3600,
        "merge_units_below": 3,
        "stewards": [key("steward")],
        "roster": key("roster"),
        "auditor": key("auditor", 1216),
        "vault": VaultKeys(cosigner=vkey(f"{name}/ledger/vault", 4), message=key("vault")),
        "keyholder": KeyholderKeys(
            desk=key("desk"),
            log=vkey(f"{name}/ledger", 1),
            message=key("keyholder"),
            ml_dsa=vkey(f"{name}/ledger/ml-dsa", 6, 1312),
            operator=key("operator"),
        ),
        "buckets": {"residents": {"phone": key("phones"), "resident-id": key("ids")}},
        "holdings": {"residents": holding()},
        "purposes": {
            "confirm-identity": purpose(),
            "register": purpose(
                actions=["intake"], roles=["registrar"], units=["registry"], reads={"residents": {}}, finds={}
            ),
        },
        "budgets": RoomBudgets(room=["100/minute", "10000/day"], holdings={"residents": ["9000/day"]}),
        "witnesses": Witnesses(policy="", fresh=3600, strict=False),
        "providers": {},
        "rules": '@id("no-reads-at-night") forbid (principal, action == Action::"disclose", resource)\n'
        "when { context.hour < 6 };\n",
    }
    return Charter(**members | changes)


def line(name: str = "ann", role: str = "clerk", unit: str = "registry") -> RosterLine:
    return RosterLine(key=key(name), role=role, unit=unit)
