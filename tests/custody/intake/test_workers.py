"""The importer's worker processes: that they take all of it, and end with it, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.houses import Keyholder
from tests.custody.intake.test_importer import residents, write_csv

from strongroom.client import device
from strongroom.custody import asking
from strongroom.custody.intake import importer, rows
from strongroom.custody.intake.importer import Progress, Report, Source
from strongroom.custody.intake.window import Errand
from strongroom.custody.room import Room
from strongroom.errors import Refused, StoreError

COUNT, CHUNK = 6000, 500

IMPORTER = """
import sys
import time
from pathlib import Path
from strongroom.custody.intake import importer, rows
from tests.custody.intake import test_workers
if __name__ == "__main__":
    root, path = map(Path, sys.argv[1:])
    # It waits to be struck: what lies ready is done meanwhile, and more is not handed in.
    test_workers.take(root, path, lambda _: (print("a chunk", flush=True), time.sleep(1)))
"""


def take(root: Path, path: Path | Source, progress: importer.Watch = lambda _: None, chunk: int = CHUNK) -> Report:
    """Import with two processes, whatever the file's size."""
    importer._FEW_BYTES, rows.MAX_ROWS = 0, chunk
    room = Room(root / "vault")
    try:
        room.sync()
        asker = asking.asker(room, device.load(root / "people" / "rui.device"))
        errand = Errand(asker, "register", "register-1", "taking in the yearly register")
        source = path if isinstance(path, Source) else Source(path)
        return importer.import_file(
            room, source, "residents", errand, bad_rows=root / "bad.csv", workers=2, progress=progress
        )
    finally:
        room.close()


@pytest.fixture
def houses(founded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A room with its keyholder running, a process of its own."""
    monkeypatch.setattr(importer, "_FEW_BYTES", 0)
    monkeypatch.setattr(rows, "MAX_ROWS", CHUNK)
    root = tmp_path / "room"
    shutil.copytree(founded, root)
    keyholder = Keyholder(root, tmp_path / "log")
    keyholder.ensure()
    yield root
    keyholder.stop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    all_ = residents(COUNT)
    all_[CHUNK]["born"] = all_[-1]["sex"] = "?"
    return write_csv(tmp_path / "residents.csv", all_)


def stored(root: Path) -> int:
    room = Room(root / "vault")
    found = room.store.holdings()
    room.close()
    assert all(holding.records == holding.versions for holding in found)
    return found[0].records if found else 0


def start(root: Path, file: Path) -> subprocess.Popen[str]:
    script = root / "importer.py"
    script.write_text(IMPORTER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    return subprocess.Popen([sys.executable, script, root, file], stdout=subprocess.PIPE, text=True, env=environment)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_workers_take_all_of_it_in_order(houses: Path, file: Path) -> None:
    seen: list[Progress] = []
    report = take(houses, file, seen.append)
    assert (report.rows, report.stored, report.bad) == (COUNT, COUNT - 2, 2)
    assert stored(houses) == COUNT - 2
    assert [one.read for one in seen] == sorted(one.read for one in seen)
    assert len(report.entries) == 1 + COUNT // CHUNK
    assert (houses / "bad.csv").read_text().splitlines()[1:] == [
        f"{CHUNK + 2},born,\"want a date as YYYY-MM-DD, YYYY/MM/DD or YYYYMMDD\"",
        f"{COUNT + 1},sex,is not one of the declared values",
    ]  # fmt: skip
    assert take(houses, file).already
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_importer_and_the_next_run_goes_on(
    houses: Path, file: Path, number: signal.Signals
) -> None:
    importer = start(houses, file)
    assert importer.stdout is not None
    importer.stdout.readline()
    workers = children(importer.pid)
    assert len(workers) >= 2
    importer.send_signal(number)
    assert importer.wait(30) != 0
    importer.stdout.close()
    deadline = time.monotonic() + 10
    while any(map(alive, workers)):
        assert time.monotonic() < deadline, "a worker outlived its importer"
        time.sleep(0.02)
    assert 0 < stored(houses) < COUNT - 2
    if number == signal.SIGINT:
        assert (houses / "bad.csv").exists()
    report = take(houses, file)
    assert report.resumed
    assert (report.stored, report.bad, stored(houses)) == (COUNT - 2, 2, COUNT - 2)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_a_killed_worker_stops_the_import_which_goes_on(houses: Path, file: Path) -> None:
    def kill_one(_: Progress) -> None:
        for process in multiprocessing.active_children():
            os.kill(process.pid or 0, signal.SIGKILL)
            return

    with pytest.raises(StoreError, match="goes on where it stopped"):
        take(houses, file, kill_one)
    assert stored(houses) < COUNT - 2
    report = take(houses, file)
    assert (report.stored, stored(houses)) == (COUNT - 2, COUNT - 2)


def test_the_reason_of_a_refusal_is_told_and_not_what_came_of_it(houses: Path, tmp_path: Path) -> None:
    """The room's registrar may have 100,000 identifiers indexed a day; the file has more."""
    one = residents(1)[0]
    path = write_csv(tmp_path / "many.csv", [one] * 55_000)
    with pytest.raises(Refused, match="100000/day is spent") as refused:
        take(houses, path, chunk=10_000)
    assert refused.value.code == "budget"
    assert 40_000 <= stored(houses) < 55_000
