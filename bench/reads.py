"""Reads over loopback HTTP: one vault in this process, the keyholder in another, receipts and signatures on."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

from bench.measure import line, seconds, spread
from strongroom.cli import development
from strongroom.client import device
from strongroom.custody import read
from strongroom.custody.room import Room

REASON = "measuring how long a read takes"


def reads(root: Path, single: int, batches: int) -> None:
    """Single reads, then batches of 100 from all over the room, with the keyholder's cache cold and warm."""
    chooser = random.Random(7)
    with development.keyholder(root):
        room = Room(root / "vault")
        handles = [row.handle for row in room.store.records(room.holding("residents"))]
        chosen = chooser.sample(handles, min(len(handles), single))
        line("one record, one connection", spread(_read(room, root, [handle], 1)[0] for handle in chosen))
        room.close()
    groups = [chooser.sample(handles, min(100, len(handles))) for _ in range(batches)]
    with development.keyholder(root):
        room = Room(root / "vault")
        for state in ("cold", "warm"):
            times = [_read(room, root, group, 1)[0] for group in groups]
            rate = sum(map(len, groups)) / sum(times)
            line(f"batches of 100, keyholder's cache {state}", f"{rate:,.0f} records/s; {spread(times)}")
        room.close()


def _read(room: Room, root: Path, handles: Sequence[bytes], times: int) -> list[float]:
    asker = device.Asker(
        device.load(root / "people" / "reader.device"), room.keys.room, room.rules().enacted.hash, os.urandom
    )
    taken = []
    for _ in range(times):
        # The reader's signature is made on the reader's device: not the vault's time.
        signed = asker.disclose(
            "residents", "measure", handles, ["name", "born", "phone"], "b-1", REASON, int(time.time())
        )
        taken.append(seconds(lambda signed=signed: read.disclose(room, signed)))  # type: ignore[misc]
    return taken
