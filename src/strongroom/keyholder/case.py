"""One request with an ask, as the checks fill it in, and the facts they are given (SPEC.md section 8.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from strongroom.catalog.model import Charter, RosterLine
from strongroom.gate import ask as asks
from strongroom.gate import permit
from strongroom.gate.budget import State
from strongroom.keyholder import protocol
from strongroom.keyholder.epochs import SealedBatch

# For how long after its time an ask is remembered as used: longer than any check of its age lets it pass.
_REMEMBER_SECONDS = 600

Asking: TypeAlias = protocol.Disclose | protocol.Erase | protocol.Find | protocol.Intake | protocol.Refusal


class Facts(Protocol):
    """What the checks need to know; the core answers out of its store."""

    room: bytes

    @property
    def charter(self) -> Charter: ...
    @property
    def charter_hash(self) -> bytes: ...
    @property
    def roster(self) -> dict[bytes, RosterLine]: ...
    @property
    def persons(self) -> Mapping[str, Mapping[int, str]]: ...
    def used(self, ask_hash: bytes, until: int) -> tuple[bytes, int, int, int] | None: ...
    def frozen(self) -> list[str]: ...
    def erased(self, holding: str, handles: Sequence[bytes]) -> bool: ...
    def newest(self, holding: str, handles: Sequence[bytes]) -> dict[bytes, int]: ...
    def held(self, holding: str, now: int) -> bool: ...
    def usable(self, holding: str, epoch: int, now: int) -> bool: ...
    def secret(self, holding: str, batch: SealedBatch) -> bytes: ...
    def budget(self, key: str) -> State | None: ...


@dataclass(slots=True)
class Case:
    """One request with an ask, filled in check by check. ``slots``: the request, where it has slots."""

    now: int
    request: Asking
    request_hash: bytes
    ask_hash: bytes = b""
    ask: asks.Ask = field(init=False)
    line: RosterLine = field(init=False)
    # Reader -> line of the roster of whoever countersigned.
    others: dict[bytes, RosterLine] = field(default_factory=dict)
    permit: permit.Permit = field(init=False)
    # Set when the byte-identical request was answered before: the index of its entry.
    answered: int | None = None
    # Identifiers or records left in the window that an earlier call opened.
    window: int | None = None
    handles: list[bytes] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    compartments: list[int] = field(default_factory=list)
    whos: list[bytes] = field(default_factory=list)
    shares: bytes = b""
    budgets: dict[str, State] = field(default_factory=dict)
    slots: protocol.Slots | None = field(init=False)

    def __post_init__(self) -> None:
        self.slots = self.request if isinstance(self.request, protocol.Slots) else None

    @property
    def until(self) -> int:
        """Until when the ask must be remembered as used: as long as any check of its age could let it pass again."""
        known = self.ask.time + _REMEMBER_SECONDS
        return max(known, self.ask.until) if isinstance(self.ask, asks.Windowed) else known

    @property
    def today(self) -> int:
        return self.now // 86400
