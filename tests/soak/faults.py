"""What happens to the houses while they work, one thing after the other, in an order that chance draws."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.soak.servers import Server
from tests.soak.town import Town

Fault = Callable[[threading.Event], None]


@dataclass
class Faults:
    """``calm``: seconds between one fault and the next. Both houses are there again when ``storm`` returns."""

    town: Town
    keyholder: Server
    vault: Server
    chooser: Random
    calm: float
    struck: Counter[str] = field(default_factory=Counter)

    def storm(self, seconds: float, halt: threading.Event) -> None:
        """Every kind at least once, then as they come, until the time is over or somebody says halt."""
        until = time.monotonic() + seconds
        first = list(self._kinds())
        self.chooser.shuffle(first)
        while first or time.monotonic() < until:
            if halt.wait(self.calm * (0.5 + self.chooser.random())):
                return
            name = first.pop() if first else self.chooser.choice(list(self._kinds()))
            self._kinds()[name](halt)
            self.struck[name] += 1

    def _kinds(self) -> dict[str, Fault]:
        kinds: dict[str, Fault] = {
            "the keyholder killed": lambda halt: self._killed(self.keyholder, halt),
            "the vault killed": lambda halt: self._killed(self.vault, halt),
            "the keyholder stands still": lambda halt: self._still(self.keyholder, halt),
            "the vault stands still": lambda halt: self._still(self.vault, halt),
        }
        if self.town.disk is not None:
            kinds["the disk full"] = self._full
        return kinds

    def _killed(self, house: Server, halt: threading.Event) -> None:
        house.kill()
        halt.wait(0.3 * self.chooser.random())
        house.start()

    def _still(self, house: Server, halt: threading.Event) -> None:
        house.pause()
        halt.wait(1.5 * self.chooser.random())
        house.resume()

    def _full(self, halt: threading.Event) -> None:
        """No larger than what is on it, and a little more: what is written next has no room."""
        disk = self.town.disk
        assert disk is not None
        for leave in (4, 40, 200, 1000, 4000):
            held = os.statvfs(disk.seen)
            used = (held.f_blocks - held.f_bfree) * held.f_frsize // 1024
            try:
                disk.grow(used + leave)
                break
            except subprocess.CalledProcessError:
                continue  # the houses were faster
        halt.wait(1.5 * self.chooser.random())
        disk.grow(1024 * 1024)
