"""An operation of the vault as steps without I/O: what it says to the keyholder, and how it goes on with the answer.

A generator yields what it has to say and is sent the answer, settled: in the mirror, its entry proved. So the same steps serve one who asks
alone and waits (``alone``), and many who ask together (``together``). An error is thrown into it, and comes out as its own.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from strongroom.client.device import SignedAsk
from strongroom.keyholder import protocol

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Say:
    """A request of ``kind`` about an ask, with its own ``members``: not those that each request has, nor the ask's, nor ``fresh``.

    The evidence of the ask is kept before it is said.
    """

    signed: SignedAsk
    kind: type[protocol.Whole]
    members: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer. ``index``: of its entry, which the mirror has; ``receipt``: the C2SP tlog-proof of it. Of a disclosure also ``shares`` (32
    bytes a slot, joined) and ``whos`` (16), of a find ``token`` (16), of an intake ``tokens`` (a column of 16 bytes each a field)."""

    index: int
    receipt: str
    shares: bytes = field(default=b"", repr=False)
    whos: bytes = field(default=b"", repr=False)
    token: bytes = field(default=b"", repr=False)
    tokens: list[bytes] = field(default_factory=list, repr=False)


Steps: TypeAlias = Generator[Say, Settled, T]


def of_ask(signed: SignedAsk) -> dict[str, Any]:
    """The members by which a request to the keyholder carries an ask (SPEC.md section 8.1)."""
    return {
        "ask": signed.text.decode(),
        "signature": signed.signature,
        "countersignatures": list(signed.countersignatures),
    }
