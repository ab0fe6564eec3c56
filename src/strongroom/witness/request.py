"""What a log sends to a witness, and what a witness says when it is further (C2SP tlog-witness; SPEC.md section 5.9)."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from strongroom.errors import FormatError, NoteError
from strongroom.ledger.checkpoint import MAX_SIZE
from strongroom.ledger.key import unbase64
from strongroom.ledger.tree import HASH

MAX_BYTES = 262_144
"""Of a request: 63 hashes, and 16 signatures of any kind that there is."""

SIZE_TYPE = "text/x.tlog.size"
"""Content type of a 409 that tells which size the witness cosigned last."""

_MOST_HASHES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class Request:
    """``old``: the size that the witness cosigned last; ``proof``: from there to ``note``, a signed checkpoint of which nothing is
    verified."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def marshal(self) -> bytes:
        lines = [f"old {self.old}", *[b64encode(one).decode() for one in self.proof]]
        return ("\n".join(lines) + "\n\n" + self.note).encode()


def log_id(origin: str) -> str:
    """64 hexadecimal digits that name a log in a path."""
    return sha256(origin.encode()).hexdigest()


def parse(data: bytes) -> Request:
    """Exactly what ``marshal`` emits, at most 63 hashes. Raises FormatError."""
    if len(data) > MAX_BYTES:
        raise FormatError(f"a request is over {MAX_BYTES:,} bytes")
    try:
        above, parted, note = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise FormatError("a request is not UTF-8") from None
    old, *lines = above.split("\n")
    match = _OLD.fullmatch(old)
    if not parted or match is None or int(match[1]) > MAX_SIZE or len(lines) > _MOST_HASHES:
        raise FormatError("want `old SIZE`, at most 63 hashes, an empty line and a checkpoint")
    try:
        proof = tuple(unbase64(line) for line in lines)
    except NoteError:
        raise FormatError("a line of the consistency proof is not base64") from None
    if any(len(one) != HASH for one in proof):
        raise FormatError("a hash of the consistency proof is not 32 bytes")
    return Request(int(match[1]), proof, note)


def parse_size(data: bytes) -> int:
    """The size in a 409. Raises FormatError."""
    match = _SIZE.fullmatch(data)
    if match is None or int(match[1]) > MAX_SIZE:
        raise FormatError("a size is not a decimal number and a line feed")
    return int(match[1])
