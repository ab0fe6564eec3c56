"""What budgets have left, as a transaction of the keyholder's store changes it (SPEC.md section 8.5).

Asks that come together draw on the same few buckets, a reader's or the room's. So each is read once, changed in memory and written at the
end of the transaction: without that it would not be durable, and nothing would be given.
"""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.gate.budget import State


class Buckets:
    """Those that have changed and are not written yet. ``forget`` belongs after the transaction's end, however it ended."""

    def __init__(self) -> None:
        # Of the transaction, and since the last mark in it, which may yet be undone.
        self._kept: dict[str, State] = {}
        self._put: dict[str, State] = {}

    def get(self, key: str) -> State | None:
        return self._put.get(key) or self._kept.get(key)

    def put(self, states: Mapping[str, State]) -> None:
        self._put.update(states)

    def keep(self) -> None:
        """What was put can be undone no more."""
        if self._put:
            self._kept |= self._put
            self._put = {}

    def undo(self) -> None:
        """Back to what was kept last."""
        self._put = {}

    def take(self) -> dict[str, State]:
        """All of them, to be written."""
        self.keep()
        found, self._kept = self._kept, {}
        return found

    def forget(self) -> None:
        """Believe only the store again."""
        self._kept, self._put = {}, {}
