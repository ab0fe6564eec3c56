"""Attempts of one kind, counted: what they were given, why they were refused, and whether the book says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from strongroom.client.device import SignedAsk
from strongroom.drill.intruder import Piece
from strongroom.drill.report import Report
from strongroom.drill.scene import Outcome, Scene
from strongroom.errors import StrongroomError
from strongroom.ledger import entry


@dataclass
class Attempts:
    """``house``: whose refusals count. ``given`` were not refused; ``silent`` were refused, and the book has no entry of it
    by that house; ``indexes``: of those entries."""

    scene: Scene
    house: str = "keyholder"
    tried: int = 0
    given: int = 0
    silent: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    indexes: list[int] = field(default_factory=list)

    def root(self, act: Callable[[], Outcome]) -> Outcome:
        """Root on the vault goes to the keyholder itself."""
        start = self.scene.stage.keyholder.book.size
        outcome = act()
        self._count(start, outcome.code)
        return outcome

    def shares(self, signed: SignedAsk, pieces: Sequence[Piece]) -> Outcome:
        """Root asks for the shares of ``pieces``."""
        return self.root(lambda: self.scene.shares(signed, pieces))

    def reader(self, act: Callable[[], object]) -> None:
        """A reader goes through the honest vault."""
        start = self.scene.stage.keyholder.book.size
        try:
            act()
            code = ""
        except StrongroomError as error:
            code = error.code
        self._count(start, code)

    def _count(self, start: int, code: str) -> None:
        self.tried += 1
        if not code:
            self.given += 1
            return
        self.codes[code] += 1
        written = [
            start + at
            for at, one in enumerate(self.scene.entries(start))
            if isinstance(one, entry.RefusalEntry) and (one.code, one.by) == (code, self.house)
        ]
        self.silent += not written
        self.indexes += written

    @property
    def seen(self) -> str:
        refused = self.codes.total() - self.silent
        why = ", ".join(f"{count} {code}" for code, count in self.codes.most_common())
        return f"{refused:,} refusals in the book ({why})" + (f", {self.silent} not in it" if self.silent else "")

    def report(self, report: Report, attack: str, got: str = "let through") -> None:
        """A finding that passes when all of them were refused, in public. ``got``: what those that were not refused got."""
        passed = not self.given and not self.silent
        report.add(attack, self.tried, f"{self.given} {got}", self.seen, passed=passed)
