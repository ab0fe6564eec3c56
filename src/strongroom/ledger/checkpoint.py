"""The statement of what the ledger holds, which its key signs (C2SP tlog-checkpoint; SPEC.md section 5.2)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass

from strongroom.errors import CheckpointError

MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``size`` entries of the ledger named ``origin`` have the 32-byte ``root``."""

    origin: str
    size: int
    root: bytes

    def marshal(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def parse(text: str) -> Checkpoint:
    """Accept exactly what ``marshal`` emits, so no two texts mean one state. Extension lines are refused."""
    try:
        origin, size, root, _ = text.split("\n")
        found = Checkpoint(origin, int(size), b64decode(root, validate=True))
        origin.encode()
    except ValueError:
        raise CheckpointError("want three terminated lines: origin, size, root") from None
    if not found.origin or min(found.origin) < " " or not 0 <= found.size <= MAX_SIZE or len(found.root) != 32:
        raise CheckpointError("field out of range")
    # int() takes "+1", "1_0" and full-width digits; only encoding again settles the form.
    if found.marshal() != text:
        raise CheckpointError("not canonical")
    return found


def parse_any(text: str) -> Checkpoint:
    """Any log's checkpoint, for whoever cosigns it: extension lines may follow, which say nothing here (C2SP tlog-checkpoint)."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[3:-1]):
        raise CheckpointError("want terminated lines: origin, size, root, and no empty one")
    return parse("".join(f"{line}\n" for line in lines[:3]))
