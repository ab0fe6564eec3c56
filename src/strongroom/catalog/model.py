"""What is held, for what, and by whom it may be read: the charter as data (SPEC.md section 6)."""

from __future__ import annotations

import hashlib
from typing import Literal

from strongroom.canonical import Bytes16, Bytes32, Codec, HpkePublic, Name, Number, Record, U16, encode
from strongroom.errors import CatalogError, FormatError

Mask = Literal["clear", "last-four", "initial", "year", "district"]
Action = Literal["find", "disclose", "intake"]


class Field(Record):
    type: str
    compartment: Name
    identifier: Literal["none", "primary", "secondary"]
    required: bool
    max: U16
    values: list[str]
    pattern: str
    region: str


class Compartment(Record):
    number: U16
    floor: U16


class Holding(Record):
    about: str
    lawful_basis: str
    retention: Number
    compartments: dict[Name, Compartment]
    fields: dict[Name, Field]


class PurposeBudgets(Record):
    reader: list[str]
    unit: list[str]
    purpose: list[str]


class Purpose(Record):
    about: str
    lawful_basis: str
    actions: list[Action]
    roles: list[Name]
    units: list[Name]
    reads: dict[Name, dict[Name, Mask]]
    budgets: PurposeBudgets


class RoomBudgets(Record):
    room: list[str]
    holdings: dict[Name, list[str]]


class VaultKeys(Record):
    cosigner: str
    message: Bytes32


class KeyholderKeys(Record):
    desk: Bytes32
    log: str
    message: Bytes32
    ml_dsa: str
    operator: Bytes32


class Charter(Record):
    v: Literal[1]
    version: Number
    previous: Bytes32
    room: Bytes16
    name: str
    delay: Number
    heartbeat: Number
    merge_units_below: Number
    stewards: list[Bytes32]
    roster: Bytes32
    auditor: HpkePublic
    vault: VaultKeys
    keyholder: KeyholderKeys
    buckets: dict[Name, dict[str, Bytes32]]
    holdings: dict[Name, Holding]
    purposes: dict[Name, Purpose]
    budgets: RoomBudgets
    rules: str


class RosterLine(Record):
    key: Bytes32
    role: Name
    unit: Name
