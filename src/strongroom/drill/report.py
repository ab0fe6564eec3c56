"""What a drill says at its end: what was tried, what the attacker got, what was seen by whom, and whether that may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One attack of a drill. ``tried`` is how often; ``got`` and ``seen`` are for people."""

    attack: str
    tried: int
    got: str
    seen: str
    passed: bool

    def document(self) -> dict[str, Any]:
        return {
            "attack": self.attack,
            "tried": self.tried,
            "got": self.got,
            "seen": self.seen,
            "passed": self.passed,
        }


@dataclass
class Report:
    """A drill's outcome. It passes when it tried something and every finding passed."""

    name: str
    attack: str
    findings: list[Finding] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    """What the attacker gets all the same: stated in THREATS.md, measured here, and no failure."""
    seconds: float = 0.0

    @property
    def failed(self) -> list[Finding]:
        return [one for one in self.findings if not one.passed]

    @property
    def passed(self) -> bool:
        return bool(self.findings) and not self.failed

    @property
    def tried(self) -> int:
        return sum(one.tried for one in self.findings)

    @property
    def verdict(self) -> str:
        """PASS or FAIL with the reason, in one line."""
        if not self.findings:
            return "FAIL: nothing was tried"
        if self.passed:
            return f"PASS: {len(self.findings)} attacks, {self.tried:,} tries, none got more than it may"
        worst = self.failed[0]
        more = f" (and {len(self.failed) - 1} more)" if len(self.failed) > 1 else ""
        return f"FAIL: {worst.attack}: {worst.got}{more}"

    def add(self, attack: str, tried: int, got: str, seen: str, *, passed: bool) -> None:
        # An attack that was never made proves nothing, whatever it "got".
        self.findings.append(Finding(attack, tried, got if tried else "never tried", seen, passed and tried > 0))

    def limit(self, text: str) -> None:
        self.limits.append(text)

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "attack": self.attack,
            "findings": [one.document() for one in self.findings],
            "limits": self.limits,
            "tried": self.tried,
            "passed": self.passed,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 2),
        }


def listed(parts: Sequence[str], most: int = 3) -> str:
    """A few of ``parts`` for a line of text."""
    shown = ", ".join(parts[:most])
    return f"{shown} and {len(parts) - most} more" if len(parts) > most else shown
