"""Asks, the evidence of them, and the words they come with (SPEC.md section 7)."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fuzz.sample import blank
from fuzz.seeds import texts
from fuzz.target import Target, text_of
from strongroom.canonical import encode
from strongroom.client.device import Asker, Device, SignedAsk
from strongroom.errors import CommitmentError, FormatError, Refused
from strongroom.gate import ask, reason

_NOW = 1_800_000_000


def targets() -> list[Target]:
    return [
        Target(
            name="gate.ask",
            read=ask.parse,
            write=encode,
            errors=Refused,
            seeds=lambda: [one.text for one in _asks()],
            of=(ask.parse,),
            weight=0.3,
        ),
        Target(
            name="gate.evidence",
            read=_evidence,
            errors=(FormatError, Refused, CommitmentError),
            seeds=lambda: [encode(_kept(one)) for one in _asks()],
            of=(ask.parse_evidence,),
            weight=0.3,
        ),
        Target(
            name="gate.private",
            read=ask.parse_private,
            write=encode,
            errors=Refused,
            seeds=lambda: [encode(one.private) for one in _asks()],
            of=(ask.parse_private,),
            weight=0.3,
        ),
        Target(
            name="gate.reason",
            read=lambda data: reason.check_reason(text_of(data)),
            errors=Refused,
            seeds=lambda: texts("reason", "reasons", "text"),
            of=(reason.check_reason,),
            weight=0.1,
        ),
        Target(
            name="gate.case",
            read=lambda data: reason.check_case(text_of(data)),
            errors=Refused,
            seeds=lambda: texts("reason", "cases", "text"),
            of=(reason.check_case,),
        ),
    ]


@cache
def _asks() -> tuple[SignedAsk, ...]:
    device = Device("ana", Ed25519PrivateKey.from_private_bytes(b"\7" * 32))
    asker = Asker(device, bytes(16), bytes(32), lambda count: b"\5" * count)
    case, why, records = "2027/114", "Renewal of an identity card at desk 4", [bytes(16), b"\1" * 16]
    return (
        asker.find("residents", "confirm", "phone", "+8613800138000", case, why, _NOW),
        asker.disclose("residents", "confirm", records, ["born", "name"], case, why, _NOW),
        asker.check("residents", "confirm", records, "name", "matches", "Ada Lovelace", case, why, _NOW),
        asker.correct("residents", "register", records, {"name": "Ada"}, case, why, _NOW),
        asker.erase("residents", "register", records, case, why, _NOW),
        asker.intake("residents", "register", 5, _NOW + 3600, case, why, _NOW),
        asker.export("residents", "register", ["name"], 5, _NOW + 3600, case, why, _NOW),
    )


def _kept(signed: SignedAsk) -> Any:
    private = encode(signed.private).decode()
    return blank(ask.Evidence, ask=signed.text.decode(), private=private, signature=signed.signature)


def _evidence(data: bytes) -> None:
    """Held against the hash of its own ask, so that changes come past it; what it commits to must still fit."""
    hash_ = ask.ask_hash(ask._evidence.parse(data).ask.encode())
    ask.parse_evidence(data, hash_)
