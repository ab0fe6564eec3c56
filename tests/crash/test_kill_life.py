"""Kill -9 of either house in the middle of corrections, erasures and exports."""

from __future__ import annotations

import json
import pickle
import random
import shutil
import sys
from pathlib import Path

import pytest
from tests import world
from tests.crash.corrector import __file__ as corrector_script
from tests.crash.houses import STRONGROOM, Keyholder, fsck, kill, soon, start, until

from strongroom.custody import asking, newest
from strongroom.custody.asking import Mandate
from strongroom.errors import InputError, Refused
from strongroom.ledger import entry

PEOPLE = 3000
pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A room with people in it, whose budgets do not end before the kills do."""
    root = tmp_path_factory.mktemp("peopled") / "room"
    text = world.CHARTER.replace("most: 40", "most: 10000")
    for rate in ("300/hour", "200/hour", "100000/day", "100/day", "1000/day", "200/day"):
        text = text.replace(f"[{rate}]", "[100000000/day]")
    world.found(root, text)
    town = world.World(root)
    (root / "handles.pickle").write_bytes(pickle.dumps(sorted(one.handle for one in town.take_in(PEOPLE))))
    town.close()
    return root


def _town(room: Path, keyholder: Keyholder, log: Path) -> world.World:
    """Both houses once they have stopped, whole."""
    keyholder.ensure()
    keyholder.stop()
    checked = fsck(room)
    assert checked.returncode == 0, checked.stdout + checked.stderr + log.read_text(errors="replace")
    return world.World(room)


def test_exports_survive_kills(peopled: Path, tmp_path: Path, kills: int) -> None:
    """Whenever one is complete it has each record once, and no half line; every batch that was given is in the book."""
    room, log = tmp_path / "room", tmp_path / "log"
    shutil.copytree(peopled, room)
    handles = [handle.hex() for handle in pickle.loads((room / "handles.pickle").read_bytes())]  # noqa: S301
    chooser, keyholder = random.Random(kills), Keyholder(room, log)
    done = killed = 0
    wanted = (kills + 1) // 2
    receipts: list[dict[str, object]] = []
    while killed < wanted or done == 0:
        keyholder.ensure()
        out = tmp_path / f"out-{done}.jsonl"
        ask = ["--as", "ana", "--purpose", "extract", "--case", "c-1", "--reason", "a sample for the yearly check"]
        exporter = start([*STRONGROOM, "export", *ask, "--fields", "name", "--to", str(out), "--room", str(room)], log)
        if killed < wanted and not until(exporter, 0.5 + soon(chooser, 1.5)):
            if chooser.random() < 0.3:
                keyholder.kill()
                exporter.wait(60)
            kill(exporter)
            killed += 1
        elif exporter.wait(120) == 0:
            lines = [json.loads(line) for line in out.read_text().splitlines()]
            assert [line["handle"] for line in lines] == handles
            assert all(line["fields"]["name"] for line in lines)
            receipts += [
                json.loads(line) for line in out.with_name(f"{out.name}.receipts").read_text().splitlines()[1:]
            ]
            done += 1
    town = _town(room, keyholder, log)
    for one in receipts:
        assert town.room.mirror.entry(int(str(one["entry"]))).decode() == one["text"]
    assert sum(int(str(one["records"])) for one in receipts) >= done * PEOPLE
    town.close()


def test_corrections_and_erasures_survive_kills(peopled: Path, tmp_path: Path, kills: int) -> None:
    """What was acknowledged is so; of what was not, each record is as it was or as it was to be; nothing erased comes back."""
    room, log, acknowledged = tmp_path / "room", tmp_path / "log", tmp_path / "acknowledged"
    shutil.copytree(peopled, room)
    chooser, keyholder = random.Random(kills), Keyholder(room, log)
    for seed in range(kills // 2 + 1):
        keyholder.ensure()
        corrector = start([sys.executable, corrector_script, str(room), str(acknowledged), str(seed)], log)
        until(corrector, 1 + soon(chooser, 1.5))
        if chooser.random() < 0.4:
            keyholder.kill()
            keyholder.ensure()
            until(corrector, 0.5)
        assert corrector.poll() is None, log.read_text(errors="replace")
        kill(corrector)
    said: dict[str, tuple[int, str]] = {}
    erased = set()
    for line in acknowledged.read_text().splitlines():
        deed, handle, *rest = line.split(" ", 3)
        if deed == "erased":
            erased.add(handle)
        else:
            said[handle] = int(rest[0]), rest[1]
    assert said
    assert erased
    town = _town(room, keyholder, log)
    newest.tell(town.room, "residents")
    asker = town.asker()
    review = Mandate(asker, "residents", "review", "case-17", "looking at what was put right")
    number = town.room.holding("residents")
    assert town.room.store.unsettled(number, 9) == []
    for handle in erased:
        with pytest.raises(InputError, match="not in residents"):
            list(asking.disclose(town.room, review, [bytes.fromhex(handle)], ["name"]))
    cut = 0
    for handle, (version, name) in said.items():
        if handle in erased:
            continue
        try:
            (found,) = asking.disclose(town.room, review, [bytes.fromhex(handle)], ["name", "phone"], version)
        except (InputError, Refused) as error:
            if error.code not in ("input", "erased"):
                raise
            cut += 1
        else:
            assert found.values == ({"name": name, "phone": None},)
    # Erasures that were written and never acknowledged.
    assert cut <= sum(item.count for item in _erasures(town)) - len(erased)
    town.close()


def _erasures(town: world.World) -> list[entry.ErasureEntry]:
    store = town.keyholder.store
    found = (entry.parse(data) for data in store.entries(0, store.size()))
    return [item for item in found if isinstance(item, entry.ErasureEntry)]
