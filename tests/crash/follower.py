"""Follows a change feed as an import does, upsert and deletions, each chunk read back.

Run as a process: ``follower.py ROOM FEED``. It ends well when all of the feed was taken in.
"""

from __future__ import annotations

import sys
from pathlib import Path

from strongroom.client import device
from strongroom.custody import asking
from strongroom.custody.intake import rows
from strongroom.custody.intake.feed import Feed
from strongroom.custody.intake.importer import Source, import_file
from strongroom.custody.intake.window import Errand
from strongroom.custody.room import Room


def main(directory: Path, source: Path) -> None:
    rows.MAX_ROWS = 15
    room = Room(directory / "vault")
    room.sync()
    asker = asking.asker(room, device.load(directory / "people" / "rui.device"))
    errand = Errand(asker, "announce", "feed-1", "following what the register says has changed")
    feed = Feed("op", Errand(asker, "forget", "feed-1", "following what the register says is gone"))
    side = source.with_suffix(".bad.csv")
    report = import_file(
        room, Source(source), "residents", errand, upsert="id-number", feed=feed, verify=True, bad_rows=side
    )
    assert report.bad == 0
    room.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
