"""What was asked and what came of it, as those who asked saw it: the houses are held against this at the end."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["answered", "refused", "doubt", "cut"]
"""``doubt``: nobody told the asker whether it was done. ``cut``: it never went out whole, so it was not."""


@dataclass
class Act:
    """``hash``: of the ask (32 bytes). ``entries``: those that the answer, or the problem, named. ``cost``: records, finds or identifiers."""

    kind: str
    hash: bytes
    reader: bytes
    purpose: str
    cost: int
    outcome: Outcome
    entries: tuple[int, ...] = ()
    receipt: str = ""
    code: str = ""


@dataclass
class Model:
    """``names``: of each record what its name may be now, more than one where a correction is in doubt."""

    acts: list[Act] = field(default_factory=list)
    names: dict[bytes, set[str]] = field(default_factory=dict)
    numbers: dict[bytes, str] = field(default_factory=dict)
    erased: set[bytes] = field(default_factory=set)
    maybe_erased: set[bytes] = field(default_factory=set)
    maybe_stored: int = 0
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *acts: Act) -> None:
        with self.lock:
            self.acts += acts

    def say(self, wrong: str) -> None:
        with self.lock:
            self.wrong.append(wrong)

    def stored(self, handle: bytes, name: str, number: str) -> None:
        with self.lock:
            self.names[handle], self.numbers[handle] = {name}, number

    def tally(self) -> Counter[str]:
        with self.lock:
            return Counter(f"{act.kind} {act.outcome}{f' ({act.code})' if act.code else ''}" for act in self.acts)
