"""The vault's part at the desk: it hands over one bucket key (SPEC.md sections 2.4, 8.7)."""

from __future__ import annotations

from pathlib import Path

from strongroom.custody.buckets import bucket_key
from strongroom.custody.room import Room
from strongroom.keyholder import admission, desk
from strongroom.keyholder.admission import Bucket
from strongroom.seal import person


def bucket(room: Room, holding: str, kind: str, number: int) -> Bucket:
    """The key of one bucket, with its proof. About 2 s. Raises ``InputError``."""
    found = bucket_key(room, holding, kind, number)
    return Bucket(bucket=number, holding=holding, key=found.key, kind=kind, proof=list(found.proof))


def admit(room: Room, keyholder: Path, holding: str, kind: str, value: str) -> str:
    """Both parts, on one machine: a code, good once, for the person who has shown the desk that ``value`` is theirs.

    Raises ``InputError``, ``ValueRejected``, ``ProofError`` when the vault's bucket key is not the charter's, ``Refused``.
    """
    charter = room.rules().charter
    nf = desk.normal_form(charter, holding, kind, value)
    given = bucket(room, holding, kind, person.bucket(kind, nf))
    return admission.admit(keyholder, charter, nf, given, room.now(), room.random)
