"""A small real room for tests: both houses on disk, the keyholder in this process, its clock in our hand.

Founding derives three million bucket keys (4 s), so it is done once a session and copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from strongroom.canonical import encode
from strongroom.catalog import fields, source
from strongroom.client import device
from strongroom.custody import ceremony, read
from strongroom.custody.intake import identifiers
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.custody.intake.window import Errand, index, open_window
from strongroom.custody.room import Room
from strongroom.drill.stage import Hands
from strongroom.errors import StrongroomError
from strongroom.keyholder import client, files
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.core import Keyholder
from strongroom.store.rows import join_tokens
from strongroom.synth import people

CHARTER = """
name: riverton.example
delay: 0s
heartbeat: 1h
merge-units-below: 1
holdings:
  residents:
    about: The register of residents of a town that is none.
    lawful-basis: Test Act, section 1
    retention: 10y
    compartments:
      identity: {number: 1}
      contact: {number: 2}
    fields:
      id-number: {type: resident-id, compartment: identity, identifier: primary, required: true}
      name: {type: person-name, compartment: identity}
      born: {type: date, compartment: identity}
      sex: {type: enum, values: [male, female], compartment: identity}
      phone: {type: phone, region: CN, compartment: contact, identifier: secondary}
      email: {type: email, compartment: contact}
  calls:
    about: Who called whom, in that town; nobody's record is about one person alone.
    lawful-basis: Test Act, section 5
    retention: 90d
    rotation: 7d
    compartments:
      calling: {number: 1, person: caller}
      called: {number: 2, person: callee}
      call: {number: 3, person: nobody}
    fields:
      caller: {type: phone, region: CN, compartment: calling, identifier: primary, required: true}
      tower: {type: text, compartment: calling}
      callee: {type: phone, region: CN, compartment: called, identifier: primary}
      day: {type: date, compartment: call}
      seconds: {type: number, compartment: call}
purposes:
  confirm:
    about: Tell whether somebody is who they say they are.
    lawful-basis: Test Act, section 2
    actions: [find, disclose]
    roles: [clerk]
    units: [registry]
    find-by: {residents: [resident-id, phone]}
    reads: {residents: {name: clear, born: year, id-number: last-four, sex: clear}}
    budgets: {reader: [200/hour]}
  reach:
    about: Reach somebody.
    lawful-basis: Test Act, section 3
    actions: [find, disclose]
    roles: [clerk]
    units: [registry]
    find-by: {residents: [resident-id, phone]}
    reads: {residents: {phone: clear, email: clear, name: initial}}
    budgets: {reader: [50/day], unit: [100/day]}
  register:
    about: Take the register in.
    lawful-basis: Test Act, section 4
    actions: [intake]
    roles: [registrar]
    units: [registry]
    reads: {residents: {}}
    budgets: {reader: [100000/day]}
  announce:
    about: Take the register in, and tell each person.
    lawful-basis: Test Act, section 6
    actions: [intake]
    roles: [registrar]
    units: [registry]
    reads: {residents: {}, calls: {}}
    tells: true
  attest:
    about: Take calls in with a second signature.
    lawful-basis: Test Act, section 15
    actions: [intake]
    roles: [registrar]
    units: [registry]
    reads: {calls: {}}
    countersign: {roles: [examiner], units: [oversight]}
  verify:
    about: Answer a question about somebody without showing what is held.
    lawful-basis: Test Act, section 7
    actions: [check]
    roles: [clerk]
    units: [registry]
    reads: {residents: {}}
    checks: {residents: {born: [adult, matches], name: [matches], id-number: [adult, district, matches], phone: [matches]}}
    budgets: {reader: [50/hour], record: [5/day]}
  amend:
    about: Correct what is wrong in the register.
    lawful-basis: Test Act, section 8
    actions: [find, correct]
    roles: [registrar]
    units: [registry]
    find-by: {residents: [resident-id]}
    reads: {residents: {name: clear, born: clear, sex: clear, phone: clear, email: clear, id-number: clear}}
    budgets: {reader: [100/day]}
  forget:
    about: Erase somebody's records.
    lawful-basis: Test Act, section 9
    actions: [find, erase]
    roles: [registrar]
    units: [registry]
    find-by: {residents: [resident-id], calls: [phone]}
    reads: {residents: {}, calls: {}}
    budgets: {reader: [1000/day]}
  extract:
    about: Take a small part of the register out.
    lawful-basis: Test Act, section 10
    actions: [export]
    roles: [clerk]
    units: [registry]
    reads: {residents: {name: clear, phone: last-four}}
    most: 40
    budgets: {reader: [200/day]}
  review:
    about: See what a record said before it was corrected.
    lawful-basis: Test Act, section 11
    actions: [disclose]
    roles: [clerk]
    units: [registry]
    reads: {residents: {name: clear, phone: clear}}
    history: true
  unseal:
    about: See where somebody can be found at once, with a second signature.
    lawful-basis: Test Act, section 12
    actions: [disclose]
    roles: [clerk]
    units: [registry]
    reads: {residents: {phone: clear, email: clear}}
    countersign: {roles: [examiner], units: [oversight]}
  trace:
    about: See who called whom, one hop at a time.
    lawful-basis: Test Act, section 13
    actions: [find, disclose]
    roles: [clerk]
    units: [registry]
    find-by: {calls: [phone]}
    reads: {calls: {caller: clear, tower: clear, callee: clear, day: clear, seconds: clear}}
    budgets: {reader: [100/hour]}
  bill:
    about: Take calls in.
    lawful-basis: Test Act, section 14
    actions: [intake]
    roles: [registrar]
    units: [registry]
    reads: {calls: {}}
    budgets: {reader: [100000/day]}
budgets:
  room: [300/hour]
"""

READERS = (("ana", "clerk", "registry"), ("rui", "registrar", "registry"), ("eva", "examiner", "oversight"))


def found(root: Path, charter: str = CHARTER) -> None:
    """Found the room of ``charter`` under ``root``, with three readers: the clerk ana, the registrar rui, and the
    examiner eva of another unit."""
    ceremony.found(root, source.load(charter, "charter.yaml"), os.urandom, lambda _: None)
    world = World(root)
    steward = ceremony.load_steward(root / "steward" / "steward.key")
    for name, role, unit in READERS:
        made = device.create(root / "people" / f"{name}.device", name, os.urandom)
        ceremony.enrol_reader(world.room, steward, made.public, role, unit)
    world.close()


@dataclass
class Person:
    """One of the synthetic records as taken in."""

    handle: bytes
    values: dict[str, str | None]


class World:
    """Both houses opened in this process."""

    def __init__(self, root: Path, hands: Hands | None = None) -> None:
        self.root, self.hands = root, hands or Hands()
        self.keyholder = self._keyholder()
        self.room = self.open_room()

    def _keyholder(self) -> Keyholder:
        clock = Clock(self.hands.wall, self.hands.steady)
        return files.open_keyholder(self.root / "keyholder", self.root / "public", clock)

    def open_room(self) -> Room:
        return Room(self.root / "vault", transport=self.transport, clock=self.hands.wall)

    def transport(self, path: str, signature: bytes, body: bytes) -> bytes:
        return encode(self.keyholder.ask(path, signature, body))

    def agree(self) -> None:
        """The vault says something: what time it is, too."""
        try:
            self.room.status()
        except StrongroomError:
            return  # a test's fault or an old copy; then it has not

    def tick(self) -> None:
        """One round of the keyholder's, after the vault has said something."""
        self.agree()
        self.keyholder.tick()

    def restart_keyholder(self) -> None:
        self.keyholder.store.close()
        self.keyholder = self._keyholder()

    def close(self) -> None:
        self.room.close()
        self.keyholder.store.close()

    def key_of(self, name: str) -> device.Device:
        return device.load(self.root / "people" / f"{name}.device")

    def asker(self, name: str = "ana") -> device.Asker:
        self.room.sync()
        return device.Asker(self.key_of(name), self.room.keys.room, self.room.rules().enacted.hash, os.urandom)

    def disclose(
        self,
        handles: Sequence[bytes],
        fields_: Sequence[str] = ("name",),
        purpose: str = "confirm",
        holding: str = "residents",
    ) -> read.Disclosed:
        return read.disclose(self.room, self.ask(handles, fields_, purpose, holding=holding))

    def ask(
        self,
        handles: Sequence[bytes],
        fields_: Sequence[str] = ("name",),
        purpose: str = "confirm",
        name: str = "ana",
        holding: str = "residents",
    ) -> device.SignedAsk:
        now = self.room.now()
        return self.asker(name).disclose(
            holding, purpose, handles, fields_, "case-17", "confirming an application for a passport", now
        )

    def find(self, kind: str, value: str, purpose: str = "confirm", holding: str = "residents") -> read.Found:
        now = self.room.now()
        reason = "confirming an application for a passport"
        return read.find(self.room, self.asker().find(holding, purpose, kind, value, "case-17", reason, now))

    def client(self, key: device.Device) -> client.Client:
        return client.Client(self.transport, key.key, self.room.keys.room)

    def take_in(self, count: int, seed: int = 1, *, shift: int = 0) -> list[Person]:
        """Take in synthetic residents by the intake's own steps (the importer has tests of its own). With a ``shift`` each
        record is sealed under the person so many places on, as an intruder at intake may do."""
        return self.seal("residents", "register", people.people(count, seed), shift=shift)

    def take_in_calls(self, *calls: tuple[str, str]) -> list[Person]:
        """Take in one call for each (caller, callee); an empty callee is somebody unidentified."""
        rows = [
            {"caller": caller, "callee": callee, "tower": f"tower {at}", "day": "2026-11-02", "seconds": str(60 + at)}
            for at, (caller, callee) in enumerate(calls)
        ]
        return self.seal("calls", "bill", rows)

    def seal(self, holding: str, purpose: str, rows: Iterable[Mapping[str, str]], *, shift: int = 0) -> list[Person]:
        """Index, seal and store ``rows`` (field -> as written) as new records of ``holding``."""
        room, declared = self.room, self.room.rules().charter.holdings[holding]
        taken = [
            {name: fields.parse(field, row.get(name, "")) for name, field in declared.fields.items()} for row in rows
        ]
        keys, values = room.keys.holding(holding), {name: [one[name] for one in taken] for name in declared.fields}
        handles = [os.urandom(16) for _ in taken]
        bound = identifiers.derive(keys, declared, values).bind(keys, handles)
        errand = Errand(self.asker("rui"), purpose, "register-1", "taking in the yearly register")
        window = open_window(room, holding, errand, sum(map(len, bound.sent.values())))
        tokens = zip(*index(room, window, bound.sent).tokens.values(), strict=True)
        whos = {one.person: bound.whos(keys, one.person, handles) for one in declared.compartments.values()}
        moved = {name: column[shift:] + column[:shift] for name, column in whos.items()}
        joined = [join_tokens(list(each)) for each in tokens]
        sealed = Sealer(room, holding, declared).seal(Records(handles, [1] * len(taken), moved, joined, values))
        room.store.put_chunk(room.holding(holding), sealed.rows, [sealed.batch])
        return [Person(handle, one) for handle, one in zip(handles, taken, strict=True)]


def copy(template: Path, to: Path) -> World:
    shutil.copytree(template, to)
    return World(to)
