"""A registrar who goes on and on: corrects one record after another, erases now and then, and writes down what was done, durably.

Run as a process: ``corrector.py ROOM ACKNOWLEDGED``. A line a deed: ``corrected HANDLE VERSION NAME`` or ``erased HANDLE``.
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

from strongroom.client import device
from strongroom.custody import asking, correct
from strongroom.custody.asking import Mandate
from strongroom.custody.room import Room
from strongroom.errors import KeyholderUnavailable, Refused

REASON = "putting the register of residents right"


def main(directory: Path, acknowledged: Path) -> None:
    chooser = random.Random()
    room = Room(directory / "vault")
    while True:
        try:
            room.sync()
            break
        except KeyholderUnavailable:
            time.sleep(0.05)  # it was killed; another is being started
    number = room.holding("residents")
    who = asking.asker(room, device.load(directory / "people" / "rui.device"))
    amend, forget = (Mandate(who, "residents", purpose, "case-17", REASON) for purpose in ("amend", "forget"))
    with acknowledged.open("a") as file:
        while handles := room.store.handles(number, b"", 1000):
            handle = chooser.choice(handles)
            try:
                if chooser.random() < 0.1:
                    list(asking.erase(room, forget, [handle]))
                    line = f"erased {handle.hex()}"
                else:
                    name = f"name {chooser.randrange(10**9)}"
                    done = correct.correct(room, amend, [handle], {"name": name, "phone": None}, "register")
                    line = f"corrected {handle.hex()} {done.versions[0]} {name}"
            except KeyholderUnavailable:
                time.sleep(0.05)  # it was killed; another is being started
                continue
            except Refused as refusal:
                if refusal.code != "erased":
                    raise
                # An erasure that was cut off had got that far. Asked again, the vault takes note of it.
                with suppress(Refused, KeyholderUnavailable):
                    list(asking.erase(room, forget, [handle]))
                continue
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
