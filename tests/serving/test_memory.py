"""The collector within a server, and after it."""

from __future__ import annotations

import gc
import weakref

from strongroom.serving import run


class _Circle:
    def __init__(self) -> None:
        self.itself = self


def test_a_server_collects_seldom_and_still_collects() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    seen: list[tuple[int, int, bool]] = []

    async def serving() -> None:
        gone = weakref.ref(_Circle())
        # As many things as one look needs, all of them held.
        held = [[] for _ in range(2 * gc.get_threshold()[0])]  # type: ignore[var-annotated]
        seen.append((gc.get_threshold()[0], gc.get_freeze_count(), gone() is None and bool(held)))

    run.begin(serving())
    ((young, frozen, collected),) = seen
    assert young > before[0][0]
    assert frozen > before[1]
    assert collected, "what is in a circle goes without anybody's asking"
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before[0], 0)
