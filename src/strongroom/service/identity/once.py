"""What may be used once is used once: proofs, assertions, challenges. In bounded memory, and never by forgetting early."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable

MOST = 1 << 18


class Once:
    """Remembers what was used until it would be refused for its age anyway.

    ``most`` are remembered (100 bytes each). When more come, those that die first are forgotten, and with them
    everything that dies no later is refused from then on: a flood shortens the time for which something is good, and
    opens nothing. What was made before ``since``, when this process began, is refused: it might have been used before.
    """

    def __init__(self, since: int, random: Callable[[int], bytes], most: int = MOST) -> None:
        self._since, self._most = since, most
        # Keyed, so that nobody can make names that meet in the 8 bytes that are kept.
        self._key = random(16)
        self._used: dict[int, set[bytes]] = {}
        self._dies: list[int] = []
        self._floor = 0
        self._count = 0

    def use(self, name: str, born: int, dies: int, now: int) -> bool:
        """Whether this is the first time. ``name`` is one thing's for as long as it is good, from ``born`` to ``dies`` (seconds)."""
        self._forget(now)
        if born < self._since or dies <= self._floor:
            return False
        short = hashlib.blake2b(name.encode(), digest_size=8, key=self._key).digest()
        used = self._used.get(dies)
        if used is None:
            used = self._used[dies] = set()
            heapq.heappush(self._dies, dies)
        elif short in used:
            return False
        used.add(short)
        self._count += 1
        if self._count > self._most:
            self._floor = max(self._floor, self._drop())
        return True

    def __len__(self) -> int:
        return self._count

    def _forget(self, now: int) -> None:
        while self._dies and self._dies[0] < now:
            self._drop()

    def _drop(self) -> int:
        dies = heapq.heappop(self._dies)
        self._count -= len(self._used.pop(dies))
        return dies
