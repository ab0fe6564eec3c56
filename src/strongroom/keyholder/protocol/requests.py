"""What the vault, the desk, the operator and subjects ask of the keyholder (SPEC.md section 8)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from strongroom.canonical import U32, Bytes16, Bytes32, Bytes64, Codec, HpkePublic, Name, Number, Record
from strongroom.gate.ask import Countersignature
from strongroom.seal.batch import SEALED_SIZE

MAX_SLOTS = 10_000
MAX_RESEALED = 100
MAX_AGING_MEMBERS = 50_000
"""Record versions of all batches of one reseal request together: a second's work, while others wait."""
MAX_VERSIONS = 10_000
MAX_INNERS = 100_000
MAX_TAIL = 1_000
MAX_PARTS = 256
IDENTICAL_SECONDS = 120
# The largest request there can be is an intake of 100,000 inners, 4.3 MB; a roster takes what is left.
MAX_BODY = 8 * 2**20

SealedBatch = Annotated[bytes, msgspec.Meta(min_length=SEALED_SIZE, max_length=SEALED_SIZE)]


class FromVault(Record):
    have: Number
    root: Bytes32
    time: Number
    cosignature: Annotated[str, msgspec.Meta(max_length=1024)]


class WithAsk(FromVault):
    ask: Annotated[str, msgspec.Meta(max_length=65_536)]
    signature: Bytes64
    countersignatures: Annotated[list[Countersignature], msgspec.Meta(max_length=8)]


class Slots(WithAsk):
    """``batches``, ``epochs``, ``expires`` and ``members`` (32 bytes each) stand one a batch, the other columns one a
    slot; ``deltas`` is empty where none of the batches was given another secret."""

    batches: Annotated[list[SealedBatch], msgspec.Meta(max_length=1000)]
    epochs: list[U32]
    expires: list[U32]
    members: bytes
    handles: bytes
    versions: bytes
    compartments: bytes
    masked: bytes
    batch: bytes
    deltas: bytes


class Disclose(Slots):
    """Whatever shares are given for: a disclosure, a check, a correction, one batch of an export."""

    fresh: HpkePublic


class Erase(Slots):
    """No shares are given; the slots say whom to tell."""


class Find(WithAsk):
    fresh: HpkePublic
    inner: Bytes32


class Intake(WithAsk):
    """``fields``: identifier fields of the holding, or empty for the name of an import; ``inners``: a column each."""

    fresh: HpkePublic
    fields: Annotated[list[str], msgspec.Meta(min_length=1, max_length=256)]
    inners: list[bytes]


class Refusal(WithAsk):
    code: Literal[
        "reason",
        "case",
        "rule",
        "purpose",
        "role",
        "unit",
        "holding",
        "field",
        "test",
        "version",
        "budget",
        "countersign",
    ]


class Together(FromVault):
    """Asks that arrived together. ``parts``: each the canonical text of a part (``protocol.together``), looked at for itself: one that is
    malformed harms no other."""

    fresh: HpkePublic
    parts: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_PARTS)]


class EnterCharter(FromVault):
    document: str
    roster: str
    signature: Bytes64
    steward: Bytes32


class Epoch(FromVault):
    holding: Name
    epoch: U32


class Supersede(FromVault):
    """Records that have a newer version: no purpose but one with ``history`` is given an older one from now on."""

    holding: Name
    handles: bytes
    versions: bytes


class Aging(Record):
    """One batch to be resealed: as it is stored, with its members (handle and version, 20 bytes each, sorted) and, where
    it was given another secret before, their deltas (32 each)."""

    deltas: bytes
    epoch: U32
    expires: U32
    members: bytes
    sealed: SealedBatch


class Reseal(FromVault):
    """Seal these batches to the holding's epoch ``epoch``, without those that were erased."""

    batches: Annotated[list[Aging], msgspec.Meta(min_length=1, max_length=MAX_RESEALED)]
    epoch: U32
    holding: Name


class Held(FromVault):
    """Prove that these batches can be opened."""

    batches: Annotated[list[SealedBatch], msgspec.Meta(min_length=1, max_length=1000)]
    epochs: list[U32]
    expires: list[U32]
    holding: Name
    members: bytes


class Certify(FromVault):
    """Say of erased records that they are, and whether for good."""

    holding: Name
    records: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=1000)]


class Entries(FromVault):
    start: Number
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_TAIL)]


class Budgets(FromVault):
    """How much is left to a reader who asks for a purpose in a holding."""

    holding: Name
    purpose: Name
    reader: Bytes16


class Plain(FromVault):
    """``cosign``, ``publish`` and ``status`` ask nothing further."""


class Admit(Record):
    code: Bytes32
    holding: Name
    kind: str
    time: Number
    who: Bytes16


class Enrol(Record):
    code: Annotated[str, msgspec.Meta(max_length=32)]
    device: Bytes32
    time: Number


class Reads(Record):
    device: Bytes32
    fresh: HpkePublic
    nonce: Bytes16
    time: Number


class Operate(Record):
    """``scope`` is of freeze and thaw; ``holding``, ``authority`` and ``until`` are of hold, which nothing else has."""

    action: Literal["freeze", "thaw", "hold"]
    authority: Annotated[str, msgspec.Meta(max_length=200)]
    holding: str
    nonce: Bytes16
    scope: Annotated[str, msgspec.Meta(max_length=80)]
    time: Number
    until: Number


REQUESTS: dict[str, Codec[Record]] = {
    f"/v1/{name}": Codec(kind, f"{name} request")
    for name, kind in {
        "disclose": Disclose,
        "erase": Erase,
        "find": Find,
        "intake": Intake,
        "refusal": Refusal,
        "charter": EnterCharter,
        "epoch": Epoch,
        "supersede": Supersede,
        "reseal": Reseal,
        "held": Held,
        "certify": Certify,
        "entries": Entries,
        "budgets": Budgets,
        "cosign": Plain,
        "publish": Plain,
        "status": Plain,
        "desk/admit": Admit,
        "subject/enrol": Enrol,
        "subject/reads": Reads,
        "operator": Operate,
        "together": Together,
    }.items()
}
