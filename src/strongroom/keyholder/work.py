"""A request as it came, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.canonical import Record

# Makes the answer, once the transaction is durable and the checkpoint signed.
Finish = Callable[[], Record]


@dataclass(frozen=True)
class Work:
    """Path, the bytes of the signature header, body."""

    path: str
    signature: bytes
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What a request came to inside the transaction."""

    finish: Finish
