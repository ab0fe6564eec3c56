"""What the keyholder answers (SPEC.md section 8)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from strongroom.canonical import U32, Bytes16, Bytes32, Bytes64, Codec, HpkePublic, Name, Number, Record
from strongroom.seal.batch import SEALED_SIZE


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
    secret is the one it had and nothing was erased. Where all was erased, ``sealed`` is empty too: the batch is gone."""

    deltas: bytes
    members: bytes
    sealed: Annotated[bytes, msgspec.Meta(max_length=SEALED_SIZE)]


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
    """``witnessed``: the last checkpoint that a quorum of witnesses has cosigned, as a note; empty where there is none."""

    charter: Bytes32
    charter_version: Number
    checkpoint: str
    frozen: list[str]
    pending: list[Number]
    published: Number
    time: Number
    witnessed: str


class Bucket(Record):
    """``scope``: ``reader``, ``unit``, ``purpose``, ``holding`` or ``room``; ``rate`` as the charter has it; ``left``: whole units."""

    left: Number
    rate: str
    scope: str


class Buckets(Record):
    """In the order in which they are drawn on; ``time``: the ledger's."""

    buckets: list[Bucket]
    time: Number


class Done(Record):
    done: bool


class Enrolled(Record):
    """Whom a device was enrolled for: ``chain`` is the hash of the first of that person's chains, which no later one takes the place of."""

    chain: Bytes32
    holding: Name
    kind: str


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
    """``after``: seconds after which a budget has enough for what was asked; None where there is no such time."""

    code: str
    detail: str
    after: Number | None


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
buckets: Codec[Buckets] = Codec(Buckets, "keyholder's budgets")
status: Codec[Status] = Codec(Status, "keyholder's status")
done: Codec[Done] = Codec(Done, "keyholder's answer")
enrolled: Codec[Enrolled] = Codec(Enrolled, "keyholder's answer")
sealed_reads: Codec[SealedReads] = Codec(SealedReads, "keyholder's answer")
reads_inner: Codec[ReadsInner] = Codec(ReadsInner, "keyholder's answer")
statement: Codec[Statement] = Codec(Statement, "keyholder's statement")
problem: Codec[Problem] = Codec(Problem, "keyholder's refusal")
