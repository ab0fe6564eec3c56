"""Is this record erased, and for good? Anybody can tell from the file and one of two short texts (SPEC.md section 8.9).

The file holds the keyholder's signed word and the ledger's entries that bear it out, each with its proof. What cannot be told from
it: that a destroyed key has no copy. That is the keyholder's word alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.canonical import Bytes64, Codec, Record, encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.errors import CheckpointError, EntryError, FormatError, InputError, ProofError, StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, entry, note, proof
from strongroom.ledger.checkpoint import Checkpoint


class Proved(Record):
    """An entry of the ledger (its text) and its C2SP tlog-proof."""

    entry: str
    proof: str


class CertificateFile(Record):
    """``certificate`` and ``signature`` as the keyholder gave them. ``entries`` by index: the first charter, the erasures, and
    the expiry of each of their keys that is destroyed; no others. All proofs are under one checkpoint, of the certificate's size."""

    certificate: str
    entries: Annotated[list[Proved], msgspec.Meta(min_length=2)]
    signature: Bytes64
    v: Literal[1]


_file: Codec[CertificateFile] = Codec(CertificateFile, "certificate file")


@dataclass(frozen=True, slots=True)
class Erased:
    """One record. ``entry`` is the index of its erasure, ``time`` that entry's (POSIX seconds). ``destroyed``: the days of its keys
    -> (index, time) of the entry that says so; ``pending``: the days of those that are still there."""

    handle: bytes
    entry: int
    time: int
    destroyed: Mapping[int, tuple[int, int]]
    pending: tuple[int, ...]

    @property
    def final(self) -> bool:
        return not self.pending


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds at ``time``. ``charter`` is the room's first, ``genesis`` its hash; ``checkpoint`` what all of it was proved under."""

    charter: Charter
    genesis: bytes
    checkpoint: Checkpoint
    holding: str
    time: int
    records: tuple[Erased, ...]

    @property
    def final(self) -> bool:
        """Nothing that existed of these records can be opened by anybody any more."""
        return all(one.final for one in self.records)

    @property
    def final_on(self) -> int:
        """The day (since 1970-01-01 UTC) on which the last of their keys is destroyed, or was; no hold provided."""
        return max((day for one in self.records for day in (*one.pending, *one.destroyed)), default=0)


def marshal(text: str, signature: bytes, entries: list[Proved]) -> bytes:
    """The file's bytes."""
    return encode(CertificateFile(certificate=text, entries=entries, signature=signature, v=1))


def verify(data: bytes, *, genesis: bytes | None = None, log: str | None = None) -> Verdict:
    """Check a certificate file by the room's genesis (32 bytes) or its log's verifier key, had from elsewhere.

    Raises ``InputError`` when neither is given, ``FormatError``, ``NoteError``, ``CheckpointError``, ``EntryError`` or ``ProofError``
    for what does not hold: then the file proves nothing.
    """
    if genesis is None and log is None:
        raise InputError("a certificate is held against something had from elsewhere: give --genesis or --vkey")
    file = _file.parse(data)
    text = file.certificate.encode()
    said = protocol.certificate.parse(text)
    charter, hash_ = _first(file.entries[0].entry, genesis, log)
    at, entries = _entries(file, charter)
    if (at.size, at.root) != (said.size, said.root):
        raise ProofError("certificate: it is of another state of the ledger than its proofs")
    if said.room != charter.room:
        raise ProofError("certificate: of another room")
    try:
        # By 6.5 this key never changes, so the first charter's is the one.
        key = Ed25519PublicKey.from_public_bytes(charter.keyholder.message)
        key.verify(file.signature, protocol.certificate_message(text))
    except (InvalidSignature, ValueError):
        raise ProofError("certificate: not signed by the room's keyholder") from None
    records = erasures(said, entries)
    named = {0} | {one.entry for one in records} | {index for one in records for index, _ in one.destroyed.values()}
    if entries.keys() != named:
        raise ProofError(
            "certificate: its entries are not the first charter, the erasures and the expiries of their keys"
        )
    return Verdict(charter, hash_, at, said.holding, said.time, records)


def erasures(said: protocol.Certificate, entries: Mapping[int, entry.Entry]) -> tuple[Erased, ...]:
    """Hold the keyholder's word against the ledger's ``entries``, by index. Raises ``ProofError``."""
    handles, marks = [one.handle for one in said.records], {one.mark for one in said.records}
    if not handles or len(set(handles)) != len(handles) or len(marks) != len(handles):
        raise ProofError("certificate: a record twice, or two under one mark, or none")
    expiries: dict[int, tuple[int, int]] = {}
    for index, item in sorted(entries.items()):
        if isinstance(item, entry.ExpiryEntry) and item.holding == said.holding:
            expiries.setdefault(item.epoch, (index, item.time))
    return tuple(_erased(said.holding, one, entries.get(one.entry), expiries) for one in said.records)


def _erased(
    holding: str, one: protocol.CertifiedRecord, item: entry.Entry | None, expiries: Mapping[int, tuple[int, int]]
) -> Erased:
    if not isinstance(item, entry.ErasureEntry) or item.holding != holding or one.mark not in item.marks:
        raise ProofError(f"certificate: entry {one.entry} is not the erasure of record {one.handle.hex()}")
    pending = tuple(one.epochs)
    if list(pending) != sorted(set(pending)) or not set(pending) <= set(item.epochs):
        raise ProofError("certificate: it names keys that the erasure does not")
    destroyed = {}
    for epoch in item.epochs:
        if epoch not in pending:
            index, time = expiries.get(epoch, (-1, 0))
            if index <= one.entry:
                raise ProofError("certificate: a key is said to be destroyed, and the ledger does not say so")
            destroyed[epoch] = index, time
    return Erased(one.handle, one.entry, item.time, destroyed, pending)


def _first(text: str, genesis: bytes | None, log: str | None) -> tuple[Charter, bytes]:
    try:
        item = entry.parse(text.encode())
        document = item.document.encode() if isinstance(item, entry.CharterEntry) else b""
        charter = charters.parse(document)
    except StrongroomError as error:
        raise FormatError(
            f"certificate file: its first entry is no charter that this program reads ({error})"
        ) from None
    hash_ = charters.charter_hash(document)
    if genesis is not None and hash_ != genesis:
        raise CheckpointError("certificate file: of another room than the one of this first charter's hash, or forged")
    if log is not None and charter.keyholder.log != log:
        raise CheckpointError("certificate file: of another ledger than the one of this verifier key, or forged")
    return charter, hash_


def _entries(file: CertificateFile, charter: Charter) -> tuple[Checkpoint, dict[int, entry.Entry]]:
    """Every entry by its index, proved under one checkpoint of the charter's log."""
    log, found, last = [note.verifier(charter.keyholder.log)], dict[int, entry.Entry](), -1
    texts = set()
    for place, one in enumerate(file.entries):
        try:
            given = proof.parse(one.proof)
            proof.verify(given, one.entry.encode(), log)
            found[given.index] = entry.parse(one.entry.encode())
        except StrongroomError as error:
            raise type(error)(f"certificate file: entry {place} of it: {error}") from None
        if given.index <= last:
            raise EntryError("certificate file: its entries are not in order")
        last = given.index
        texts.add(given.checkpoint)
    if 0 not in found or len(texts) != 1:
        raise ProofError("certificate file: want the ledger's first entry, and one checkpoint for all")
    at = checkpoint.parse(note.parse_note(texts.pop()).text)
    if at.origin != f"{charter.name}/ledger":
        raise CheckpointError("certificate file: its checkpoint is of another ledger than its charter")
    return at, found
