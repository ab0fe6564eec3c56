"""A reader that goes on and on: discloses one record after another, and writes down what it was given, durably.

Run as a process: ``reader.py ROOM ACKNOWLEDGED``. A line a read: entry index, handle, receipt in base64.
"""

from __future__ import annotations

import base64
import os
import random
import sys
import time
from pathlib import Path

from strongroom.client import device
from strongroom.custody import asking, read
from strongroom.custody.room import Room
from strongroom.errors import KeyholderUnavailable

REASON = "confirming an application for a passport"


def main(directory: Path, acknowledged: Path) -> None:
    chooser = random.Random()
    room = Room(directory / "vault")
    while True:
        try:
            room.sync()
            break
        except KeyholderUnavailable:
            time.sleep(0.05)  # it was killed; another is being started
    handles = [row.handle for row in room.store.records(room.holding("residents"))]
    who = asking.asker(room, device.load(directory / "people" / "ana.device"))
    with acknowledged.open("a") as file:
        while True:
            handle = chooser.choice(handles)
            signed = who.disclose("residents", "confirm", [handle], ["name"], "case-17", REASON, int(time.time()))
            try:
                given = read.disclose(room, signed)
            except KeyholderUnavailable:
                time.sleep(0.05)  # it was killed; another is being started
                continue
            assert given.values[0]["name"]
            receipt = base64.b64encode(given.receipt.encode()).decode()
            file.write(f"{given.index} {handle.hex()} {receipt}\n")
            file.flush()
            os.fsync(file.fileno())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
