"""The keyholder's desk at work: who stands before it gets a code, by one bucket key that the vault gave (SPEC.md sections 2.4, 8.7)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec

from strongroom.canonical import Bytes32, Codec, Name, Record, encode
from strongroom.catalog.model import Charter
from strongroom.errors import InputError
from strongroom.keyholder import desk, files, keys, protocol
from strongroom.keyholder.client import Client, HttpTransport, Voice, address_file

BucketNumber = Annotated[int, msgspec.Meta(ge=0, lt=desk.BUCKETS)]


class Bucket(Record):
    """One bucket key of the vault's, on its way to the desk: who has it can test guesses of the identifiers in that bucket, one in
    2^20, and no others. ``proof``: 20 hashes to the root in the charter."""

    bucket: BucketNumber
    holding: Name
    key: Bytes32
    kind: str
    proof: Annotated[list[Bytes32], msgspec.Meta(min_length=20, max_length=20)]


_bucket: Codec[Bucket] = Codec(Bucket, "the bucket key", InputError)


def load(path: Path) -> Bucket:
    """Raises ``InputError``."""
    try:
        return _bucket.parse(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: no bucket key ({error.strerror})") from None


def charter(directory: Path, public: Path) -> Charter:
    """The charter in force by the keyholder's book. Raises ``StoreError``, ``Refused`` where there is none."""
    keyholder = files.open_keyholder(directory, public)
    with closing(keyholder.store):
        keyholder.set_time(keyholder.now())
        return keyholder.charter


def admit(directory: Path, rules: Charter, nf: str, given: Bucket, now: int, random: Callable[[int], bytes]) -> str:
    """A code, good once, for the person whose identifier has the normal form ``nf``. ``directory``: the keyholder's, that runs.

    Raises ``ProofError`` when the bucket key is not the charter's, or of another bucket than this identifier's; ``Refused``.
    """
    who = desk.who(rules, given.holding, given.kind, nf, given.key, given.proof)
    code = desk.new_code(random)
    request = protocol.Admit(code=protocol.code_hash(code), holding=given.holding, kind=given.kind, time=now, who=who)
    own = keys.load(directory)
    transport = HttpTransport(address_file(directory), Voice(own.room, lambda: rules.keyholder.message))
    with closing(Client(transport, own.desk, own.room)) as client:
        protocol.done.parse(client.call("/v1/desk/admit", request))
    return code


def marshal(given: Bucket) -> bytes:
    return encode(given)
