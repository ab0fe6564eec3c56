"""Kill -9 of either house at random points: nothing acknowledged is lost, no share is without its entry.

``make kill N=200`` runs these as often as wished.
"""

from __future__ import annotations

import base64
import csv
import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests import world
from tests.crash.follower import __file__ as follower_script
from tests.crash.houses import STRONGROOM, Keyholder, fsck, kill, soon, start, until
from tests.crash.reader import __file__ as reader_script

from strongroom.custody.room import Room
from strongroom.keyholder import files
from strongroom.ledger import entry, note, proof
from strongroom.synth.people import people

ROWS = 12_000
pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A room whose budgets do not end before the kills do."""
    root = tmp_path_factory.mktemp("roomy") / "room"
    charter = world.CHARTER.replace("300/hour", "1000000/hour").replace("200/hour", "1000000/hour")
    world.found(root, charter.replace("[100000/day]", "[100000000/day]").replace("[1000/day]", "[100000000/day]"))
    return root


def _rows(path: Path, seed: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id-number", "name", "born", "sex", "phone", "email"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(people(ROWS, seed))
    return path


def test_import_survives_kills(roomy: Path, tmp_path: Path, kills: int) -> None:
    room, log = tmp_path / "room", tmp_path / "log"
    shutil.copytree(roomy, room)
    chooser, keyholder = random.Random(kills), Keyholder(room, log)
    done = killed = 0
    file = _rows(tmp_path / "rows-0.csv", 1)
    wanted = (kills + 1) // 2
    while killed < wanted or done == 0:
        keyholder.ensure()
        arguments = ["--as", "rui", "--purpose", "register", "--case", "c-1", "--reason", "taking in the register"]
        errors = ["--errors", str(tmp_path / "bad.csv"), "--room", str(room)]
        importer = start([*STRONGROOM, "import", str(file), *arguments, *errors], log)
        if killed < wanted and not until(importer, 0.4 + soon(chooser, 3)):
            if chooser.random() < 0.5:
                keyholder.kill()
                importer.wait(60)  # it says that the keyholder is gone, and can be run again
            kill(importer)
            killed += 1
            continue
        importer.wait(120)
        if importer.returncode == 0:
            done += 1
            file = _rows(tmp_path / f"rows-{done}.csv", done + 1)
    keyholder.ensure()
    keyholder.stop()
    checked = fsck(room)
    assert checked.returncode == 0, checked.stdout + checked.stderr + log.read_text(errors="replace")
    opened = Room(room / "vault")
    stored = opened.store.holdings()[0].records
    opened.close()
    # Each file that was finished is there once, whole; the one begun last may be there in part.
    assert done * ROWS <= stored <= (done + 1) * ROWS


def test_a_feed_survives_kills(roomy: Path, tmp_path: Path, kills: int) -> None:
    """What it says in the end is so, row by row, however often it was cut and gone on with."""
    room, log = tmp_path / "room", tmp_path / "log"
    shutil.copytree(roomy, room)
    chooser, keyholder = random.Random(kills), Keyholder(room, log)
    register = list(people(20, 5))
    said: dict[int, str] = {}
    feeds = killed = 0
    feed: Path | None = None
    wanted = kills // 3 + 1
    while killed < wanted or feeds == 0:
        keyholder.ensure()
        if feed is None:
            feed = _changes(tmp_path / f"feed-{feeds}.csv", register, said, chooser)
        follower = start([sys.executable, follower_script, str(room), str(feed)], log)
        if killed < wanted and not until(follower, 0.6 + soon(chooser, 3)):
            if chooser.random() < 0.3:
                keyholder.kill()
                follower.wait(60)
            kill(follower)
            killed += 1
        elif follower.wait(120) == 0:
            feed, feeds = None, feeds + 1
    while feed is not None:
        if start([sys.executable, follower_script, str(room), str(feed)], log).wait(120) == 0:
            feed = None
    keyholder.stop()
    checked = fsck(room)
    assert checked.returncode == 0, checked.stdout + checked.stderr + log.read_text(errors="replace")
    town = world.World(room)
    for at, one in enumerate(register):
        handles = town.find("resident-id", one["id-number"]).handles
        shown = [values["name"] for values in town.disclose(handles).values] if handles else []
        assert shown == [said[at]] if at in said else not shown
    assert town.room.store.unsettled(town.room.holding("residents"), 9) == []
    town.close()


def _changes(path: Path, register: list[dict[str, str]], said: dict[int, str], chooser: random.Random) -> Path:
    """120 changes of the register, a third of them deletions; ``said`` is what holds after them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(
            file, ["op", "id-number", "name", "born", "sex", "phone", "email"], extrasaction="ignore"
        )
        writer.writeheader()
        for at in range(120):
            who = chooser.randrange(len(register))
            if chooser.random() < 0.33:
                writer.writerow({"op": "d", "id-number": register[who]["id-number"]})
                said.pop(who, None)
            else:
                said[who] = f"Name {path.stem} {at}"
                writer.writerow({**register[who], "op": "u", "name": said[who]})
    return path


def test_reads_survive_kills(roomy: Path, tmp_path: Path, kills: int) -> None:
    room, log, acknowledged = tmp_path / "room", tmp_path / "log", tmp_path / "acknowledged"
    acknowledged.touch()
    town = world.copy(roomy, room)
    town.take_in(20)
    town.close()
    chooser, keyholder = random.Random(kills), Keyholder(room, log)
    reader = None
    for turn in range(kills // 2):
        keyholder.ensure()
        if reader is None or reader.poll() is not None:
            reader = start([sys.executable, reader_script, str(room), str(acknowledged), str(turn)], log)
        until(reader, 0.7 + soon(chooser, 1.5))
        if chooser.random() < 0.5:
            keyholder.kill()
        else:
            kill(reader)
    if reader is not None:
        kill(reader)
    keyholder.ensure()
    keyholder.stop()
    checked = fsck(room)
    assert checked.returncode == 0, checked.stdout + checked.stderr + log.read_text(errors="replace")
    _every_acknowledged_read_is_in_the_book(room, acknowledged)


def _every_acknowledged_read_is_in_the_book(room: Path, acknowledged: Path) -> None:
    lines = [line.split() for line in acknowledged.read_text().splitlines()]
    assert lines, "no read was ever given: the test tested nothing"
    with files.lock(room / "keyholder"):
        keyholder = files.open_keyholder(room / "keyholder", room / "public")
        verifiers = [note.verifier(keyholder.keys.log.vkey)]
        entries = keyholder.store.entries(0, keyholder.book.size)
        numbered = Counter(int(index) for index, _, _ in lines)
        assert max(numbered.values()) == 1, "two reads were given on one entry"
        for index, _, receipt in lines:
            found = proof.parse(base64.b64decode(receipt).decode())
            assert found.index == int(index)
            proof.verify(found, entries[found.index], verifiers)
            assert isinstance(entry.parse(entries[found.index]), entry.DisclosureEntry)
        keyholder.store.close()
