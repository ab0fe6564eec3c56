"""What is held, for what, and by whom it may be read: the charter as data (SPEC.md section 6).

The records say what each member is; what must hold between them is ``catalog.validate``'s. Nothing here parses.
"""

from __future__ import annotations

from typing import Literal

from strongroom.canonical import U16, Bytes16, Bytes32, HpkePublic, Name, Number, Record

Mask = Literal["clear", "last-four", "initial", "year", "district"]
Action = Literal["find", "disclose", "check", "intake", "correct", "erase", "export"]
Test = Literal["adult", "district", "matches"]

# What entries say where they name none of the charter's own (SPEC.md 5.4): no unit, purpose or holding is called so.
OTHER = "other"
UNKNOWN = "unknown"


class Field(Record):
    """One field of a holding. ``type`` is a row of ``catalog.types.TYPES``; ``max`` is in UTF-8 bytes, 0 for the
    type's own; ``values`` are an enum's, ``pattern`` a text's or number's, ``region`` a phone's; empty elsewhere.
    ``needs``: of an enum, another field of the holding -> the values with which a record must have that field."""

    type: str
    compartment: Name
    identifier: Literal["none", "primary", "secondary"]
    required: bool
    max: Number
    values: list[str]
    needs: dict[Name, list[str]]
    pattern: str
    region: str


class Compartment(Record):
    """Fields sealed under one key. ``number`` is permanent; ``floor`` is the least padded size in bytes (SPEC 3.5);
    ``person`` is the primary identifier whose person it is about, empty where it is about nobody (SPEC 2.3)."""

    number: U16
    floor: Number
    person: str


class Holding(Record):
    """One declared collection of records. In days: ``retention``, 0 where it is open-ended, and ``rotation``, how often
    its keys change, and with that how soon an erasure is final (SPEC 3.1)."""

    about: str
    lawful_basis: str
    retention: Number
    rotation: Number
    compartments: dict[Name, Compartment]
    fields: dict[Name, Field]


class PurposeBudgets(Record):
    """Rates (``catalog.rate``) per reader, per unit, per record, and for the purpose as a whole."""

    reader: list[str]
    unit: list[str]
    record: list[str]
    purpose: list[str]


class Countersign(Record):
    """Who must sign an ask besides the asker: a reader of these roles, of one of these units, and not of the asker's
    own unit. Both are empty where one signature is enough."""

    roles: list[Name]
    units: list[Name]


class Purpose(Record):
    """A reason from the charter: ``roles`` of ``units`` may do ``actions`` in the holdings of ``reads`` (holding ->
    field -> mask), for this alone.

    ``finds``: holding -> kinds of identifier by which people may be looked up in it. ``checks``: holding -> field ->
    tests that may be asked of it. ``history``: it may read old versions too; ``held``: also what is kept past its date
    by a legal hold alone. ``tells``: what it takes in is tagged on the chains of the persons concerned. ``most``:
    records one export may have, 0 where it has none."""

    about: str
    lawful_basis: str
    actions: list[Action]
    roles: list[Name]
    units: list[Name]
    reads: dict[Name, dict[Name, Mask]]
    finds: dict[Name, list[str]]
    checks: dict[Name, dict[Name, list[Test]]]
    history: bool
    held: bool
    tells: bool
    most: Number
    countersign: Countersign
    budgets: PurposeBudgets


class RoomBudgets(Record):
    """Rates that hold whatever the purpose: for the whole room, and per holding."""

    room: list[str]
    holdings: dict[Name, list[str]]


class VaultKeys(Record):
    """``cosigner`` is a verifier key (SPEC 5.2), ``message`` an Ed25519 key that signs requests (SPEC 8.1)."""

    cosigner: str
    message: Bytes32


class KeyholderKeys(Record):
    """``log`` and ``ml_dsa`` are verifier keys (SPEC 5.2), the others Ed25519 keys (SPEC 8)."""

    desk: Bytes32
    log: str
    message: Bytes32
    ml_dsa: str
    operator: Bytes32


class Witnesses(Record):
    """Who cosigns the ledger besides the vault (SPEC 5.9). ``policy``: C2SP tlog-policy text of witnesses, groups and the
    quorum, without a log line; empty where nobody else does. ``fresh``: for how many seconds the cosignatures of a quorum
    are good. ``strict``: no share is given whose entry a quorum has not cosigned."""

    policy: str
    fresh: Number
    strict: bool


class Provider(Record):
    """An OpenID provider whose tokens open the vault's API (SPEC 10.3): ``issuer`` and ``audience`` as its tokens say
    them, ``keys``: SHA-256 thumbprints (RFC 7638) of the keys that may sign them, ``role`` and ``unit``: the claims that
    name these."""

    issuer: str
    audience: str
    keys: list[Bytes32]
    role: str
    unit: str


class Charter(Record):
    """Everything in force in a room (SPEC 6.2). ``delay`` and ``heartbeat`` are in seconds; ``buckets`` is holding ->
    kind -> root (SPEC 2.4); ``rules`` is Cedar text; ``providers`` are by a name of the custodian's choosing."""

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
    witnesses: Witnesses
    providers: dict[Name, Provider]
    rules: str


class RosterLine(Record):
    """One reader: the 32-byte Ed25519 key of the reader's device, a role and a unit. No name."""

    key: Bytes32
    role: Name
    unit: Name
