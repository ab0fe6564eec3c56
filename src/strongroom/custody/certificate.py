"""Certificates of erasure: the keyholder's signed word, held against the mirror, and the file a person gets (SPEC.md section 8.9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.client import certificate as files
from strongroom.client.certificate import Erased, Proved, Verdict
from strongroom.custody.keydays import KeyDays
from strongroom.custody.room import Room
from strongroom.errors import InputError, ProofError
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, entry, note, proof
from strongroom.ledger.prover import Prover

MOST = 1000


@dataclass(frozen=True)
class Word:
    """What the keyholder said and signed, as it came; ``records`` is that, held against the ledger's entries ``named``."""

    text: bytes
    signature: bytes
    checkpoint: str
    size: int
    records: tuple[Erased, ...]
    marks: dict[bytes, bytes]
    named: tuple[int, ...]


def word(room: Room, holding: str, handles: Iterable[bytes], days: KeyDays | None = None) -> Word:
    """The keyholder's word that these records (at most 1,000) are erased. ``marks``: mark -> handle.

    Raises ``Refused`` (``record`` where one of them is not), ``LedgerError`` where the word is not signed, or the ledger does not
    bear it out.
    """
    wanted = sorted(set(handles))
    if not 1 <= len(wanted) <= MOST:
        raise InputError(f"name 1 to {MOST:,} records, by their handles")
    known = room.common()
    request = protocol.Certify(**known, holding=holding, records=wanted)
    answer = protocol.certified.parse(room.client.call("/v1/certify", request))
    text = answer.certificate.encode()
    said = protocol.certificate.parse(text)
    key = Ed25519PublicKey.from_public_bytes(room.rules().charter.keyholder.message)
    try:
        key.verify(answer.signature, protocol.certificate_message(text))
    except InvalidSignature:
        raise ProofError("the certificate is not signed by the keyholder") from None
    at = room.mirror.accept(answer.checkpoint, [], known["have"], room.fetch)
    stated = (said.room, said.holding, said.size, said.root, [one.handle for one in said.records])
    if stated != (room.keys.room, holding, at.size, at.root, wanted):
        raise ProofError("the certificate is not of these records at this checkpoint")
    destroyed = (days or KeyDays(room)).of(holding).destroyed
    named = sorted(
        index for index in ({one.entry for one in said.records} | set(destroyed.values())) if index < at.size
    )
    entries = {index: entry.parse(room.mirror.entry(index)) for index in named}
    return Word(
        text=text,
        signature=answer.signature,
        checkpoint=answer.checkpoint,
        size=at.size,
        records=files.erasures(said, entries),
        marks={one.mark: one.handle for one in said.records},
        named=tuple(named),
    )


def issue(room: Room, holding: str, handles: Iterable[bytes]) -> tuple[bytes, Verdict]:
    """The certificate file of erased records, and what it proves; it has been verified as anybody would. Raises as ``word``."""
    said = word(room, holding, handles)
    named = {0} | {one.entry for one in said.records}
    named |= {index for one in said.records for index, _ in one.destroyed.values()}
    prover, kept = Prover(room.mirror.read_tile), room.mirror.note
    # Where it is the vault's own newest too, its cosignature goes along.
    signed = kept if checkpoint.parse(note.parse_note(kept).text).size == said.size else said.checkpoint
    proved = [
        Proved(
            entry=room.mirror.entry(index).decode(),
            proof=proof.Proof(index, tuple(prover.inclusion(index, said.size)), signed).marshal(),
        )
        for index in sorted(named)
    ]
    data = files.marshal(said.text.decode(), said.signature, proved)
    return data, files.verify(data, genesis=room.anchors.genesis, log=room.anchors.log)
