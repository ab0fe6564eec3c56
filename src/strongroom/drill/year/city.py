"""The city's two houses in this process, its clock in our hand, and the devices of those who ask."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from strongroom.canonical import encode
from strongroom.catalog import fields, source
from strongroom.catalog.model import Purpose, RosterLine
from strongroom.cli import examples
from strongroom.client import device, subject
from strongroom.client.device import Device
from strongroom.custody import asking, ceremony, upkeep
from strongroom.custody.asking import Mandate
from strongroom.custody.intake.importer import import_file
from strongroom.custody.intake.source import Source
from strongroom.custody.intake.window import Errand
from strongroom.custody.room import Room
from strongroom.drill.report import Progress
from strongroom.drill.stage import Hands
from strongroom.keyholder import desk, files, protocol
from strongroom.keyholder.client import Client
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.core import Keyholder
from strongroom.ledger.note import verifier
from strongroom.seal import person

DAY = 86_400
REASON = "a matter that is dealt with at the desk today"


def found(root: Path, progress: Progress) -> None:
    """A room of examples/city under ``root``, with one reader for each role of each unit that its charter names."""
    ceremony.found(root, source.load(examples.charter("city"), "charter.yaml"), os.urandom, progress)
    city = City(root)
    lines = []
    for role, unit in _places(city.room):
        made = device.create(_device(root, role, unit), f"{role}-{unit}", os.urandom)
        lines.append(RosterLine(key=made.public, role=role, unit=unit))
    steward = ceremony.load_steward(root / "steward" / "steward.key")
    ceremony.amend(city.room, steward, lambda latest: latest, lines)
    city.close()


def _places(room: Room) -> list[tuple[str, str]]:
    """Roles with their units."""
    found = {
        (role, unit)
        for purpose in room.rules().charter.purposes.values()
        for group in (purpose, purpose.countersign)
        for role in group.roles
        for unit in group.units
    }
    return sorted(found)


def _device(root: Path, role: str, unit: str) -> Path:
    return root / "people" / f"{role}-{unit}.device"


class City:
    """Such a room, open."""

    def __init__(self, root: Path) -> None:
        self.root, self.hands = root, Hands()
        self.keyholder = self._keyholder()
        self.room = Room(root / "vault", transport=self.transport, clock=self.hands.wall)
        self._number = 0

    def _keyholder(self) -> Keyholder:
        return files.open_keyholder(
            self.root / "keyholder", self.root / "public", Clock(self.hands.wall, self.hands.steady)
        )

    def transport(self, path: str, signature: bytes, body: bytes) -> bytes:
        return encode(self.keyholder.ask(path, signature, body))

    def close(self) -> None:
        self.room.close()
        self.keyholder.store.close()

    # --- a day -----------------------------------------------------------------------------------------------------
    def sleep(self, seconds: int) -> None:
        """Time passes; the keyholder does what it does by itself."""
        self.hands.wait(seconds)
        self.room.status()  # without the vault's word on what day it is no key goes
        self.keyholder.tick()

    def upkeep(self) -> list[str]:
        """The custodian's timer. Returns problems."""
        return [problem for kept in upkeep.run(self.room) for problem in kept.problems]

    @property
    def today(self) -> int:
        return self.room.now() // DAY

    # --- asking ----------------------------------------------------------------------------------------------------
    def mandate(self, purpose: str, holding: str) -> Mandate:
        """The first reader that the purpose is for, with a second signature where it wants one."""
        declared = self.room.rules().charter.purposes[purpose]
        asker, seconds = self._signers(declared)
        return Mandate(asking.asker(self.room, asker), holding, purpose, f"case-{self._count()}", REASON, seconds)

    def _signers(self, purpose: Purpose) -> tuple[Device, tuple[Device, ...]]:
        first = (purpose.roles[0], purpose.units[0])
        others = [(r, u) for r in purpose.countersign.roles for u in purpose.countersign.units if u != first[1]]
        return self._reader(*first), tuple(self._reader(*one) for one in others[:1])

    def _reader(self, role: str, unit: str) -> Device:
        return device.load(_device(self.root, role, unit))

    def _count(self) -> int:
        self._number += 1
        return self._number

    def take_in(self, holding: str, purpose: str, rows: Sequence[Mapping[str, str]], upsert: str = "") -> None:
        """An import, as the exchange or the registry hands it in. Rows that are refused are a defect of the year."""
        path = self.root / f"{holding}-{self._count()}.jsonl"
        path.write_bytes(b"".join(encode(dict(row)) + b"\n" for row in rows))
        m = self.mandate(purpose, holding)
        errand = Errand(m.asker, m.purpose, m.case, m.reason, m.seconds)
        bad = path.with_suffix(".bad.csv")
        done = import_file(self.room, Source(path), holding, errand, bad_rows=bad, workers=1, upsert=upsert)
        path.unlink()
        assert (done.stored, done.bad) == (len(rows), 0), f"{holding}: {done.bad} rows were refused"

    def find(self, holding: str, purpose: str, kind: str, value: str) -> tuple[bytes, ...]:
        return asking.find(self.room, self.mandate(purpose, holding), kind, value).handles

    # --- people ----------------------------------------------------------------------------------------------------
    def inner(self, holding: str, field: str, value: str) -> bytes:
        """32 bytes that stand for an identifier's value, as both houses compute them."""
        declared = self.room.rules().charter.holdings[holding].fields[field]
        parsed = fields.parse(declared, value) or ""
        kind = fields.kind(field, declared)
        return person.inners(self.room.keys.holding(holding), kind, [fields.normal(declared, parsed)])[0]

    def enrol(self, holding: str, field: str, value: str) -> Device:
        """A device of the person with this identifier: the desk has seen who it is."""
        made = device.create(self.root / "people" / f"subject-{self._count()}.device", "subject", os.urandom)
        kind = fields.kind(field, self.room.rules().charter.holdings[holding].fields[field])
        who, code, now = self.inner(holding, field, value)[:16], desk.new_code(os.urandom), self.room.now()
        admission = protocol.Admit(code=protocol.code_hash(code), holding=holding, kind=kind, time=now, who=who)
        Client(self.transport, self.keyholder.keys.desk, self.room.keys.room).call("/v1/desk/admit", admission)
        subject.enrol(Client(self.transport, made.key, self.room.keys.room), made, code, now)
        return made

    def view(self, made: Device) -> subject.View:
        """Every read of the person, verified on their own device against the published ledger."""
        self.room.publish()
        client = Client(self.transport, made.key, self.room.keys.room)
        now, room = self.room.now(), self.room.keys.room
        said = subject.ask_reads(client, made, room, now, os.urandom)
        charter, public = self.room.rules().charter, self.root / "public"
        keys = [verifier(charter.keyholder.log), verifier(charter.keyholder.ml_dsa), verifier(charter.vault.cosigner)]
        return subject.verify_reads(
            said, made, room, self.room.anchors.genesis, lambda path: (public / path).read_bytes(), keys, now
        )

    def copy_vault(self, to: Path) -> None:
        """A backup of the vault, as its operator would make it."""
        to.mkdir(parents=True)
        source, copy = (closing(sqlite3.connect(folder / "vault.db")) for folder in (self.root / "vault", to))
        with source as now, copy as then:
            now.backup(then)
        for name in ("keys.json", "room.json", "holdings"):
            found = self.root / "vault" / name
            (shutil.copytree if found.is_dir() else shutil.copy)(found, to / name)
