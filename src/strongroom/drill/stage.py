"""A small real room for one drill: both houses on disk, the keyholder in this process, its clock in our hand.

Founding derives six million bucket keys, so it is done once into a template and copied for each drill. The drill
is the referee too: it has both houses' keys, and uses them only to count what the attacker got.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from strongroom.canonical import encode
from strongroom.catalog import fields, source
from strongroom.catalog.model import RosterLine
from strongroom.catalog.types import kind, primaries
from strongroom.client import device, subject
from strongroom.custody import asking, ceremony, correct
from strongroom.custody.asking import Mandate
from strongroom.custody.intake import identifiers
from strongroom.custody.room import Room
from strongroom.drill import charter, intake
from strongroom.drill.report import Progress
from strongroom.keyholder import desk, files, protocol
from strongroom.keyholder.client import Client, Transport
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.core import Keyholder
from strongroom.keyholder.epochs import SealedBatch
from strongroom.ledger import tag
from strongroom.seal import body, mac, person, slot
from strongroom.store.rows import Stored
from strongroom.synth import people

RESIDENTS, PATIENTS = 300, 150
CASE, REASON = "drill-17", "confirming an application for a passport"


class Hands:
    """A clock that the drill moves. ``jump`` moves the wall alone, as somebody with root would."""

    def __init__(self) -> None:
        # The template was founded by the real clock, and ledger time never goes back.
        self.wall_time = time.time()
        self.steady_time = 1000.0

    def wall(self) -> float:
        return self.wall_time

    def steady(self) -> float:
        return self.steady_time

    def wait(self, seconds: float) -> None:
        self.wall_time += seconds
        self.steady_time += seconds

    def jump(self, seconds: float) -> None:
        self.wall_time += seconds


@dataclass(frozen=True)
class Known:
    """The truth about one stored record, which the referee alone has."""

    stored: Stored
    holding: str
    slots: tuple[body.Slot, ...]
    whos: tuple[bytes, ...]
    """Whom each slot is about."""
    number: int
    """Its row in the source: the last one about the same persons; -1 where no row is."""

    @property
    def handle(self) -> bytes:
        return self.stored.handle

    @property
    def who(self) -> bytes:
        """Whom its first compartment is about."""
        return self.whos[0]


def found(root: Path, progress: Progress = lambda _: None) -> None:
    """Found the drills' room under ``root``: keys, charter, readers; nobody is taken in yet."""
    ceremony.found(root, source.load(charter.TEXT, "the drills' charter"), os.urandom, progress)
    stage = Stage(root)
    lines = []
    for name, (role, unit) in charter.PEOPLE.items():
        made = device.create(root / "people" / f"{name}.device", name, os.urandom)
        lines.append(RosterLine(key=made.public, role=role, unit=unit))
    steward = ceremony.load_steward(root / "steward" / "steward.key")
    ceremony.amend(stage.room, steward, lambda latest: latest, sorted(lines, key=lambda line: line.key))
    stage.close()


class Stage:
    """Both houses of a room, opened in this process."""

    def __init__(self, root: Path, hands: Hands | None = None) -> None:
        self.root, self.hands = root, hands or Hands()
        self.keyholder = self.open_keyholder(root / "keyholder", root / "public")
        self.room = self.open_vault(root / "vault")
        self.people: dict[str, list[dict[str, str | None]]] = {}

    def open_keyholder(self, directory: Path, public: Path) -> Keyholder:
        return files.open_keyholder(directory, public, Clock(self.hands.wall, self.hands.steady))

    def open_vault(self, directory: Path, transport: Transport | None = None) -> Room:
        return Room(directory, transport=transport or self.transport, clock=self.hands.wall)

    def transport(self, path: str, signature: bytes, content: bytes) -> bytes:
        return encode(self.keyholder.ask(path, signature, content))

    def close(self) -> None:
        self.room.close()
        self.keyholder.store.close()

    # --- people ----------------------------------------------------------------------------------------------------
    def take_in(self, residents: int = RESIDENTS, patients: int = PATIENTS, seed: int = 11) -> None:
        """Take in synthetic residents, and some of them again as patients. Every tenth has no phone, and the one after
        that shares one with a neighbour: both must not show."""
        drawn = list(people.people(residents, seed))
        for at, one in enumerate(drawn):
            if at % 10 == 3:
                one["phone"] = one["email"] = ""
            elif at % 10 == 4:
                one["phone"] = drawn[at - 2]["phone"]
        again = [
            {"id-number": one["id-number"], "name": one["name"], "blood": ["A", "B", "AB", "O"][at % 4]}
            for at, one in enumerate(drawn[:patients])
        ]
        for holding, rows in (("residents", drawn), ("patients", again)):
            if rows:
                self.admit(holding, rows)

    def admit(
        self,
        holding: str,
        rows: Sequence[Mapping[str, str]],
        purpose: str = "register",
        name: str = "rui",
        seconds: Sequence[str] = (),
    ) -> None:
        """Take ``rows`` (field -> as written) in: ``name`` asks, and readers of the names ``seconds`` countersign."""
        declared = self.room.rules().charter.holdings[holding].fields
        self.people.setdefault(holding, []).extend(
            {field: fields.parse(one, row.get(field, "")) for field, one in declared.items()} for row in rows
        )
        intake.take_in(self, holding, rows, purpose, name, seconds)
        self.look_again()

    @cached_property
    def truth(self) -> dict[bytes, Known]:
        """Handle -> the newest version that is stored there and about whom, worked out with the keys of both houses."""
        truth = {}
        for holding in self.people:
            rows = self._rows(holding)
            for stored in self.room.store.records(self.room.holding(holding)):
                truth[stored.handle] = self._known(holding, stored, rows)
        return truth

    def look_again(self) -> None:
        """What is stored was changed."""
        self.__dict__.pop("truth", None)

    def at_version(self, handle: bytes, version: int) -> Known:
        """An old version of a record."""
        holding = self.truth[handle].holding
        (stored,) = self.room.store.at_version(self.room.holding(holding), [handle], version)
        return self._known(holding, stored, self._rows(holding))

    def _known(self, holding: str, stored: Stored, rows: Mapping[tuple[bytes, ...], int]) -> Known:
        slots, whos = self._opened(holding, stored)
        # A room weakened in its mask has no such person; its records count as nobody's.
        number = rows.get(self._persons(holding, stored.handle, slots, whos), -1)
        return Known(stored, holding, slots, whos, number)

    def _rows(self, holding: str) -> dict[tuple[bytes, ...], int]:
        """The persons of each row of the source, by field (empty where there is none) -> its number."""
        declared, rows = self.room.rules().charter.holdings[holding], self.people[holding]
        columns = {name: [row[name] for row in rows] for name in declared.fields}
        own = identifiers.derive(self.room.keys.holding(holding), declared, columns).own
        inners = zip(*(own[name] for name in primaries(declared)), strict=True)
        return {tuple(inner[:16] for inner in row): at for at, row in enumerate(inners)}

    def _opened(self, holding: str, stored: Stored) -> tuple[tuple[body.Slot, ...], tuple[bytes, ...]]:
        sealed = SealedBatch(stored.epoch, stored.expires, stored.members, stored.sealed)
        secret = mac.keyed(self.keyholder.secret(holding, sealed))
        place = slot.places([stored.handle], [stored.version])
        (own,) = slot.record_secrets(secret, place, [stored.delta] if stored.delta else ())
        slots = tuple(body.parse(stored.body))
        return slots, tuple(slot.unmask(own, one.masked, one.compartment) for one in slots)

    def _persons(
        self, holding: str, handle: bytes, slots: Sequence[body.Slot], whos: Sequence[bytes]
    ) -> tuple[bytes, ...]:
        declared, keys = self.room.rules().charter.holdings[holding], self.room.keys.holding(holding)
        about = {one.number: one.person for one in declared.compartments.values()}
        found = {about[one.compartment]: who for one, who in zip(slots, whos, strict=True)}
        named = []
        for name in primaries(declared):
            (nobody,) = person.no_value(keys, kind(name, declared.fields[name]), name, [handle])
            named.append(b"" if found[name] == nobody[:16] else found[name])
        return tuple(named)

    def handles(self, holding: str = "residents") -> list[bytes]:
        return sorted(handle for handle, known in self.truth.items() if known.holding == holding)

    # --- readers and subjects ----------------------------------------------------------------------------------------
    def key_of(self, name: str) -> device.Device:
        return device.load(self.root / "people" / f"{name}.device")

    def asker(self, name: str = "ana") -> device.Asker:
        self.room.sync()
        return device.Asker(self.key_of(name), self.room.keys.room, self.room.rules().enacted.hash, os.urandom)

    def ask(
        self,
        handles: Sequence[bytes],
        wanted: Sequence[str] = ("name",),
        purpose: str = "confirm",
        name: str = "ana",
        holding: str = "residents",
        version: int = 0,
    ) -> device.SignedAsk:
        """What a reader signs: these fields of these records."""
        return self.asker(name).disclose(holding, purpose, handles, wanted, CASE, REASON, self.room.now(), version)

    def mandate(self, name: str, holding: str, purpose: str, seconds: Sequence[str] = ()) -> Mandate:
        """For what the vault asks on a reader's behalf."""
        others = tuple(self.key_of(one) for one in seconds)
        return Mandate(self.asker(name), holding, purpose, CASE, REASON, others)

    def correct(self, handle: bytes, changes: Mapping[str, str | None]) -> None:
        """Have a resident's record corrected, as its registrar asks."""
        correct.correct(self.room, self.mandate("rui", "residents", "correct-entry"), [handle], changes)
        self.look_again()

    def erase(self, handle: bytes, holding: str = "residents") -> None:
        """Have a record erased, as its registrar asks."""
        list(asking.erase(self.room, self.mandate("rui", holding, "close-record"), [handle]))

    def client(self, key: device.Device, transport: Transport | None = None) -> Client:
        return Client(transport or self.transport, key.key, self.room.keys.room)

    def enrol(self, row: int, holding: str = "residents", field: str = "id-number") -> device.Device:
        """A device of whoever stands in that row under an identifier, enrolled: the desk has seen who it is."""
        name = f"subject-{holding}-{field}-{row}"
        made = device.create(self.root / "people" / f"{name}.device", name, os.urandom)
        named = kind(field, self.room.rules().charter.holdings[holding].fields[field])
        inner = self.inner(row, holding, field)
        code, now = desk.new_code(os.urandom), self.room.now()
        admission = protocol.Admit(code=protocol.code_hash(code), holding=holding, kind=named, time=now, who=inner[:16])
        Client(self.transport, self.keyholder.keys.desk, self.room.keys.room).call("/v1/desk/admit", admission)
        subject.enrol(self.client(made), made, code, now)
        return made

    def inner(self, row: int, holding: str = "residents", field: str = "id-number") -> bytes:
        """What stands for an identifier of that row, 32 bytes."""
        declared = self.room.rules().charter.holdings[holding].fields[field]
        value = fields.normal(declared, self.people[holding][row][field] or "")
        return person.inners(self.room.keys.holding(holding), kind(field, declared), [value])[0]

    def handle_of(self, row: int, holding: str = "residents") -> bytes:
        """The record made of that row of the source."""
        return next(h for h, known in self.truth.items() if known.holding == holding and known.number == row)

    def whose_tags(self) -> dict[bytes, bytes]:
        """Tag -> who, of every tag that the keyholder ever numbered."""
        found: dict[bytes, bytes] = {}
        for holding, who, generation, count in self.keyholder.store.chains():
            chain = tag.chain_key(self.keyholder.keys.tag, holding, who, generation)
            found |= dict.fromkeys(tag.tags(chain, 1, count), who)
        return found


class Theatre:
    """Makes rooms: one template of each kind, a copy of it for each drill."""

    def __init__(self, directory: Path) -> None:
        self.directory, self._made = directory, 0

    def stage(self, progress: Progress = lambda _: None) -> Stage:
        """A fresh room under the theatre's directory."""
        return Stage(self.copy_of("template", found, progress))

    def copy_of(self, name: str, make: Callable[[Path, Progress], None], progress: Progress) -> Path:
        """A copy of the room ``name``, which ``make`` makes when it is first asked for."""
        template = self.directory / name
        if not template.exists():
            draft = self.directory / f"{name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            make(draft, progress)
            draft.rename(template)
        self._made += 1
        room = self.directory / f"room-{self._made}"
        shutil.copytree(template, room)
        return room
