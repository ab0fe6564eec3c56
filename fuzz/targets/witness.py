"""What a witness is sent and says, and policies of witnesses (SPEC.md section 5.9)."""

from __future__ import annotations

from functools import cache

from fuzz import parsers
from fuzz.sample import seeds_of
from fuzz.scratch import file
from fuzz.seeds import vector
from fuzz.target import Target, text_of
from strongroom.errors import CheckpointError, FormatError, LedgerError, PolicyError, StoreError
from strongroom.ledger import checkpoint, note, policy, witnessed
from strongroom.witness import house, request


def targets() -> list[Target]:
    return [
        Target(
            name="ledger.policy",
            read=policy.parse,
            errors=PolicyError,
            # A key that does not fit is named: a verifier key is no secret.
            silent=False,
            seeds=lambda: [case["policy"].encode() for case in vector("ledger-policy")["cases"]],
            of=(policy.parse,),
            weight=0.3,
        ),
        Target(
            name="ledger.charters-policy",
            read=lambda data: policy.for_charter(text_of(data)),
            errors=PolicyError,
            # A witness is named by its key's name, which the charter has made public.
            silent=False,
            seeds=lambda: [f"witness w {vkey} https://w.example\nquorum w\n".encode() for vkey in _vkeys()[:3]],
            of=(policy.for_charter,),
            weight=0.1,
        ),
        Target(
            name="ledger.any-checkpoint",
            read=lambda data: checkpoint.parse_any(text_of(data)),
            errors=CheckpointError,
            seeds=lambda: [_text(body) for body in _bodies()],
            of=(checkpoint.parse_any,),
        ),
        Target(
            name="ledger.witnessed",
            read=lambda data: witnessed.claimed(text_of(data)),
            errors=LedgerError,
            seeds=lambda: [request.parse(body).note.encode() for body in _bodies()[-1:]],
            of=(witnessed.claimed,),
            weight=0.3,
        ),
        Target(
            name="witness.request",
            read=request.parse,
            write=lambda found: found.marshal(),
            errors=FormatError,
            seeds=_bodies,
            of=(request.parse,),
            weight=0.3,
        ),
        Target(
            name="witness.size",
            read=request.parse_size,
            write=lambda found: f"{found}\n".encode(),
            errors=FormatError,
            seeds=lambda: [b"0\n", b"20852163\n", b"9223372036854775807\n"],
            of=(request.parse_size,),
        ),
        Target(
            name="files.witness-keys",
            read=lambda data: house.load(file(data, "keys.json").parent),
            errors=(StoreError, LedgerError),
            seeds=lambda: seeds_of(parsers.codecs()["witness.house._codec"]),
            of=(house.load,),
            weight=0.1,
        ),
    ]


@cache
def _bodies() -> list[bytes]:
    return [one["body"].encode() for one in vector("witness")["steps"] if one["status"] in (200, 409, 422)]


def _text(body: bytes) -> bytes:
    return note.parse_note(request.parse(body).note).text.encode()


def _vkeys() -> list[str]:
    found: list[str] = vector("ledger-policy")["vkeys"]
    return found
