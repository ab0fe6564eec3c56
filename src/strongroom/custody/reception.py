"""The desk on one machine: the vault hands a bucket key to the desk, which makes the person a code (SPEC.md sections 2.4, 8.7)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from strongroom.custody.buckets import bucket_key
from strongroom.custody.room import Room
from strongroom.keyholder import desk, keys, protocol
from strongroom.keyholder.client import Client, HttpTransport, Voice, address_file
from strongroom.seal import person


def admit(room: Room, keyholder: Path, holding: str, kind: str, value: str) -> str:
    """A code, good once, for the person who has shown the desk that ``value`` is theirs. About 2 s.

    Raises ``InputError``, ``ValueRejected``, ``ProofError`` when the vault's bucket key is not the charter's, ``Refused``.
    """
    charter = room.rules().charter
    nf = desk.normal_form(charter, holding, kind, value)
    given = bucket_key(room, holding, kind, person.bucket(kind, nf))
    who = desk.who(charter, holding, kind, nf, given.key, given.proof)
    code = desk.new_code(room.random)
    request = protocol.Admit(code=protocol.code_hash(code), holding=holding, kind=kind, time=room.now(), who=who)
    voice = Voice(room.keys.room, lambda: charter.keyholder.message)
    transport = HttpTransport(address_file(keyholder), voice)
    with closing(Client(transport, keys.load(keyholder).desk, room.keys.room)) as client:
        protocol.done.parse(client.call("/v1/desk/admit", request))
    return code
