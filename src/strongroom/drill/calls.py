"""Calls among a few people, each of whom looks for reads of them (part of ``second_person``)."""

from __future__ import annotations

from collections import Counter

from strongroom.client.device import Device
from strongroom.drill.falsehood import ask_reads, fetch, view
from strongroom.drill.intruder import Piece
from strongroom.drill.scene import Scene
from strongroom.drill.stage import Stage
from strongroom.synth import people

CALLS = (
    (0, 1), (1, 0), (0, None), (2, 2), (0, 3), (3, 1), (1, 2), (2, 0), (3, 0), (1, 3), (3, None), (2, 1), (2, 3), (3, 2), (1, None), (4, 5),
)  # fmt: skip
"""Who called whom; nobody knows who was called where there is None. The last two persons have no device here."""
PERSONS = 4
"""Of these persons each has a device, enrolled by telephone."""
CALLER, CALLEE, CALL = 1, 2, 3
"""Numbers of the compartments."""
REST = 8 * 3600
"""Seconds after which a record may be read again, by the purpose's budget."""


class Calls(Scene):
    """Takes the calls in, and has those persons enrol."""

    def __init__(self, stage: Stage) -> None:
        phones = [one["phone"] for one in people.people(6, 41)]
        rows = [
            {"caller": phones[caller], "callee": "" if callee is None else phones[callee], "day": "2026-02-03"}
            for caller, callee in CALLS
        ]
        stage.admit("calls", rows)
        super().__init__(stage, "calls")
        callers = [caller for caller, _ in CALLS]
        self.devices = [stage.enrol(callers.index(one), "calls", "caller") for one in range(PERSONS)]
        self.whos = [stage.inner(callers.index(one), "calls", "caller")[:16] for one in range(PERSONS)]

    def handle(self, caller: int, callee: int | None) -> bytes:
        return self.stage.handle_of(CALLS.index((caller, callee)), "calls")

    def slots(self, caller: int, callee: int | None) -> list[Piece]:
        return self.pieces([self.handle(caller, callee)], [CALLER, CALLEE, CALL])

    def found(self, device: Device) -> Counter[int]:
        """Entries that the person finds, each as often as it has a tag of theirs; all of it proved."""
        said = ask_reads(self.stage, device)
        seen = view(self.stage, device, said, fetch(self.stage.root / "public"))
        assert seen.complete, "nobody hides anything here but by the slots"
        return Counter(one.index for one in seen.chains[0].reads)
