"""What the vault, the desk, the operator and subjects say to the keyholder, and its answers (SPEC.md section 8)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.canonical import U32, Bytes16, Bytes32, Bytes64, Codec, HpkePublic, Name, Number, Record, encode
from strongroom.errors import Refused
from strongroom.gate.ask import Countersignature
from strongroom.seal.label import label

MAX_SLOTS = 10_000
MAX_RESEALED = 100
MAX_VERSIONS = 10_000
MAX_INNERS = 100_000
MAX_TAIL = 1_000
IDENTICAL_SECONDS = 120
# The largest request there can be is an intake of 100,000 inners, 4.3 MB; a roster takes what is left.
MAX_BODY = 8 * 2**20

_REQUEST = label("request")
_ANSWER = label("answer")
_READS = label("reads")

SealedBatch = Annotated[bytes, msgspec.Meta(min_length=1169, max_length=1169)]


class _FromVault(Record):
    have: Number
    root: Bytes32
    time: Number
    cosignature: Annotated[str, msgspec.Meta(max_length=1024)]


class _WithAsk(_FromVault):
    ask: Annotated[str, msgspec.Meta(max_length=65_536)]
    signature: Bytes64
    countersignatures: Annotated[list[Countersignature], msgspec.Meta(max_length=8)]


class _Slots(_WithAsk):
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


class Disclose(_Slots):
    """Whatever shares are given for: a disclosure, a check, a correction, one batch of an export."""

    fresh: HpkePublic


class Erase(_Slots):
    """No shares are given; the slots say whom to tell."""


class Find(_WithAsk):
    fresh: HpkePublic
    inner: Bytes32


class Intake(_WithAsk):
    """``fields``: identifier fields of the holding, or empty for the name of an import; ``inners``: a column each."""

    fresh: HpkePublic
    fields: Annotated[list[str], msgspec.Meta(min_length=1, max_length=256)]
    inners: list[bytes]


class Refusal(_WithAsk):
    code: Literal[
        "reason", "case", "rule", "purpose", "role", "unit", "holding", "field", "test", "version", "countersign"
    ]


class EnterCharter(_FromVault):
    document: str
    roster: str
    signature: Bytes64
    steward: Bytes32


class Epoch(_FromVault):
    holding: Name
    epoch: U32


class Supersede(_FromVault):
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


class Reseal(_FromVault):
    """Seal these batches to the holding's epoch ``epoch``, without those that were erased."""

    batches: Annotated[list[Aging], msgspec.Meta(min_length=1, max_length=MAX_RESEALED)]
    epoch: U32
    holding: Name


class Held(_FromVault):
    """Prove that these batches can be opened."""

    batches: Annotated[list[SealedBatch], msgspec.Meta(min_length=1, max_length=1000)]
    epochs: list[U32]
    expires: list[U32]
    holding: Name
    members: bytes


class Certify(_FromVault):
    """Say of erased records that they are, and whether for good."""

    holding: Name
    records: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=1000)]


class Entries(_FromVault):
    start: Number
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_TAIL)]


class Plain(_FromVault):
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
        "cosign": Plain,
        "publish": Plain,
        "status": Plain,
        "desk/admit": Admit,
        "subject/enrol": Enrol,
        "subject/reads": Reads,
        "operator": Operate,
    }.items()
}


class SealedAnswer(Record):
    """Outer answer to ``disclose``, ``find`` and ``intake``."""

    entries: list[str]
    sealed: bytes


class Shares(Record):
    receipt: str
    shares: bytes
    whos: bytes


class Token(Record):
    receipt: str
    token: Bytes16


class Tokens(Record):
    receipt: str
    tokens: list[bytes]


class Written(Record):
    entries: list[str]
    receipt: str


class Aged(Record):
    """A resealed batch: ``members`` that were kept, as in ``Aging``, with their ``deltas``; these are empty where the
    secret is the one it had and nothing was erased."""

    deltas: bytes
    members: bytes
    sealed: SealedBatch


class Resealed(Record):
    """``signature``: message key over ``reseal_message``, so that nobody between the houses feeds the vault rubbish."""

    batches: list[Aged]
    signature: Bytes64


class HeldProofs(Record):
    """32 bytes a batch, joined (``seal.slot.held``)."""

    proofs: bytes


class CertifiedRecord(Record):
    """``entry``: index of the erasure; ``epochs``: those of its keys that are not destroyed yet, final when empty."""

    entry: Number
    epochs: list[U32]
    handle: Bytes16
    mark: Bytes16


class Certificate(Record):
    """The keyholder's signed word on erased records at one size of the ledger."""

    holding: Name
    records: list[CertifiedRecord]
    room: Bytes16
    root: Bytes32
    size: Number
    time: Number
    v: Literal[1]


class Certified(Record):
    """``certificate``: canonical text; ``signature``: message key over ``certificate_message``."""

    certificate: str
    checkpoint: str
    signature: Bytes64


class EpochKey(Record):
    public: HpkePublic
    signature: Bytes64


class Tail(Record):
    checkpoint: str
    entries: list[str]


class Published(Record):
    checkpoint: str


class Status(Record):
    charter: Bytes32
    charter_version: Number
    checkpoint: str
    frozen: list[str]
    pending: list[Number]
    published: Number
    time: Number


class Done(Record):
    done: bool


class Chain(Record):
    count: Number
    generation: Number
    holding: Name
    key: Bytes32
    kind: str


class StatedChain(Record):
    chain: Bytes32
    count: Number
    generation: Number
    holding: Name
    kind: str


class Statement(Record):
    """The keyholder's signed word on how many reads a subject's chains have at one size of the ledger."""

    chains: list[StatedChain]
    device: Bytes32
    room: Bytes16
    root: Bytes32
    size: Number
    time: Number
    v: Literal[1]


class ReadsInner(Record):
    chains: list[Chain]
    checkpoint: str
    signature: Bytes64
    statement: str


class SealedReads(Record):
    sealed: bytes


class Problem(Record):
    code: str
    detail: str


sealed_answer: Codec[SealedAnswer] = Codec(SealedAnswer, "keyholder's answer")
shares: Codec[Shares] = Codec(Shares, "keyholder's shares")
token: Codec[Token] = Codec(Token, "keyholder's token")
tokens: Codec[Tokens] = Codec(Tokens, "keyholder's tokens")
written: Codec[Written] = Codec(Written, "keyholder's answer")
resealed: Codec[Resealed] = Codec(Resealed, "keyholder's resealed batches")
held_proofs: Codec[HeldProofs] = Codec(HeldProofs, "keyholder's proofs")
certified: Codec[Certified] = Codec(Certified, "keyholder's certificate")
certificate: Codec[Certificate] = Codec(Certificate, "certificate")
epoch_key: Codec[EpochKey] = Codec(EpochKey, "keyholder's epoch key")
tail: Codec[Tail] = Codec(Tail, "keyholder's entries")
published: Codec[Published] = Codec(Published, "keyholder's answer")
status: Codec[Status] = Codec(Status, "keyholder's status")
done: Codec[Done] = Codec(Done, "keyholder's answer")
sealed_reads: Codec[SealedReads] = Codec(SealedReads, "keyholder's answer")
reads_inner: Codec[ReadsInner] = Codec(ReadsInner, "keyholder's answer")
statement: Codec[Statement] = Codec(Statement, "keyholder's statement")
problem: Codec[Problem] = Codec(Problem, "keyholder's refusal")


def sign_request(room: bytes, path: str, body: bytes, key: Ed25519PrivateKey) -> bytes:
    """64 bytes for the ``Strongroom-Signature`` header (SPEC.md 8.1)."""
    return key.sign(_REQUEST + room + path.encode() + b"\0" + body)


def verify_request(room: bytes, path: str, body: bytes, signature: bytes, key: bytes, code: str) -> None:
    """Raises ``Refused`` with ``code`` unless ``key`` (32 bytes) signed exactly this request."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _REQUEST + room + path.encode() + b"\0" + body)
    except (InvalidSignature, ValueError):
        raise Refused(code, "the request is not signed by the key in the charter for it") from None


def answer_info(room: bytes, body: bytes) -> bytes:
    """HPKE info of an answer to the vault (SPEC.md 8.2): it fits this request of this room alone."""
    return _ANSWER + room + hashlib.sha256(body).digest()


def reads_info(room: bytes, body: bytes) -> bytes:
    """HPKE info of an answer to a subject (SPEC.md 8.7)."""
    return _READS + room + hashlib.sha256(body).digest()


def epoch_message(room: bytes, holding: bytes, epoch: int, public: bytes) -> bytes:
    """What the message key signs to vouch for an epoch's public key (SPEC.md 8.2)."""
    return label("epoch") + room + holding + epoch.to_bytes(4, "big") + public


def reseal_message(room: bytes, holding: bytes, epoch: int, asked: bytes, batches: list[Aged]) -> bytes:
    """What the message key signs under resealed batches; ``asked``: the body of the request (SPEC.md 8.9)."""
    given = hashlib.sha256(encode(batches)).digest()
    return label("resealed") + room + holding + epoch.to_bytes(4, "big") + hashlib.sha256(asked).digest() + given


def certificate_message(text: bytes) -> bytes:
    return label("certificate") + text


def statement_message(text: bytes) -> bytes:
    return label("statement") + text


def chain_hash(key: bytes) -> bytes:
    return hashlib.sha256(label("chain-hash") + key).digest()


def code_hash(code: str) -> bytes:
    return hashlib.sha256(label("code") + code.encode()).digest()
