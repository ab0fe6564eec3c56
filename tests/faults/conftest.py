"""A room with people in it that tests of broken disks copy, and what its readers may ask."""

from __future__ import annotations

import csv
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import world
from tests.crash import houses
from tests.custody.life import mandate
from tests.world import Person, World

from strongroom.custody import asking
from strongroom.synth.people import people as synthetic

PEOPLE = 30
COLUMNS = ["id-number", "name", "born", "sex", "phone", "email"]
ROWS = 1500


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never opened by a test. ``people.pickle`` has who is in it; the first of them is erased."""
    root = tmp_path_factory.mktemp("held") / "room"
    text = world.CHARTER.replace("most: 40", "most: 10000")
    for rate in ("300/hour", "200/hour", "100000/day", "100/day", "1000/day", "200/day"):
        text = text.replace(f"[{rate}]", "[100000000/day]")
    world.found(root, text)
    town = World(root)
    people = town.take_in(PEOPLE)
    list(asking.erase(town.room, mandate(town, "forget"), [people[0].handle]))
    town.room.sync()
    town.room.publish()
    town.close()
    (root / "people.pickle").write_bytes(pickle.dumps(people))
    (root / "steward" / "charter.yaml").write_text(text.replace("[50/day]", "[51/day]"))
    return root


@pytest.fixture(autouse=True)
def _nothing_runs_on() -> Iterator[None]:
    yield
    houses.end_all()


@dataclass(frozen=True)
class Command:
    """``argv`` and ``stdin``. ``writes``: what it writes to: the vault's disk, the keyholder's, the published ledger's, or a file of its own."""

    argv: tuple[str, ...]
    stdin: str = ""
    writes: frozenset[str] = frozenset()


def ask(who: str, purpose: str) -> tuple[str, ...]:
    return ("--as", who, "--purpose", purpose, "--case", "c-1", "--reason", "a reason of enough letters")


def write_rows(path: Path, seed: int = 77, count: int = ROWS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(synthetic(count, seed))
    return path


def people_of(room: Path) -> list[Person]:
    return list(pickle.loads((room / "people.pickle").read_bytes()))  # noqa: S301 - our own


def commands(room: Path, out: Path, turn: int = 0, rows: int = ROWS) -> dict[str, Command]:
    """One of each kind that writes something; files go to ``out``, and what is read lies beside it. Each ``turn`` (below 20) has
    something to do anew."""
    people, given = people_of(room), out.parent
    charter = (room / "steward" / "charter.yaml").read_text()
    handles = [one.handle.hex() for one in people]
    write_rows(given / f"rows-{turn}.csv", 77 + turn, rows)
    (given / f"map-{turn}.yaml").write_text(f"email: {{constant: nobody-{turn}@riverton.example}}\nclear: [phone]\n")
    (given / f"charter-{turn}.yaml").write_text(charter.replace("[51/day]", f"[{51 + turn}/day]"))
    both, all_ = frozenset({"vault", "keyholder"}), frozenset({"vault", "keyholder", "out"})
    number = f"{people[1].values['id-number']}\n"
    return {
        "find": Command(("find", *ask("ana", "confirm"), "--by", "resident-id"), number, both),
        "disclose": Command(
            ("disclose", *ask("ana", "confirm"), "--fields", "name", "--receipt", str(out / "receipts"), handles[1]),
            "",
            all_,
        ),
        "check": Command(
            ("check", *ask("ana", "verify"), "--field", "born", "--test", "adult", handles[1]), "", both
        ),
        "correct": Command(
            ("correct", *ask("rui", "amend"), "--intake-purpose", "register", "--set", "name", handles[2]),
            f"Somebody Else {turn}\n",
            both,
        ),
        "erase": Command(
            ("erase", *ask("rui", "forget"), "--holding", "residents", "--yes", handles[3 + turn]), "", both
        ),
        "certificate": Command(
            ("certificate", "--holding", "residents", "--record", handles[0], "--out", str(out / f"erased-{turn}.json")),
            "",
            frozenset({"out"}),
        ),
        "import": Command(
            ("import", str(given / f"rows-{turn}.csv"), *ask("rui", "register"), "--workers", "1",
             "--errors", str(out / "bad.csv")), "", all_,
        ),
        "export": Command(
            ("export", *ask("ana", "extract"), "--fields", "name", "--to", str(out / f"out-{turn}.jsonl")), "", all_
        ),
        "migrate": Command(
            ("catalog", "migrate", "--map", str(given / f"map-{turn}.yaml"), "--intake-purpose", "register",
             "--bad", str(out / "unfit.csv"), *ask("rui", "amend")), "", both,
        ),
        "upkeep": Command(("upkeep", "--all"), "", frozenset()),
        "publish": Command(("ledger", "publish"), "", frozenset({"public"})),
        "prove": Command(("ledger", "prove", "2", "--out", str(out / "2.proof")), "", frozenset({"out"})),
        "watch": Command(("ledger", "watch", "--once", "--state", str(out / f"state-{turn}")), "", frozenset({"out"})),
        "report": Command(("report", "--out", str(out / "report.md")), "", frozenset({"out"})),
        "synth": Command(
            ("synth", "--holding", "residents", "--count", "500", "--out", str(out / f"synthetic-{turn}.csv")),
            "",
            frozenset({"out"}),
        ),
        "reader": Command(("reader", "add", f"zoe-{turn}", "--role", "clerk", "--unit", "registry"), "", both),
        "charter": Command(("charter", "apply", str(given / f"charter-{turn}.yaml")), "", both),
        "freeze": Command(("keyholder", "freeze", "holding:calls"), "", frozenset({"keyholder"})),
        "status": Command(("status",), "", frozenset()),
        "fsck": Command(("fsck",), "", frozenset()),
    }  # fmt: skip


def copy(held: Path, tmp_path: Path) -> Path:
    shutil.copytree(held, tmp_path / "room")
    return tmp_path / "room"
