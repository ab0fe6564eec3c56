"""A small real room for tests: both houses on disk, the keyholder in this process, its clock in our hand.

Founding derives two million bucket keys (4 s), so it is done once a session and copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from strongroom.canonical import encode
from strongroom.catalog import fields, source
from strongroom.client import device
from strongroom.custody import ceremony, read
from strongroom.custody.admit import admit, keep_private
from strongroom.custody.room import Room
from strongroom.drill.stage import Hands
from strongroom.keyholder import client, files, protocol
from strongroom.keyholder.clock import Clock
from strongroom.keyholder.core import Keyholder
from strongroom.seal import batch, columns, epoch, hpke, ids, person, plaintext
from strongroom.store.rows import RecordRow, join_tokens
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
budgets:
  room: [300/hour]
"""


def found(root: Path, charter: str = CHARTER) -> None:
    """Found the room of ``charter`` under ``root``, with two readers: the clerk ana and the registrar rui."""
    ceremony.found(root, source.load(charter, "charter.yaml"), os.urandom, lambda _: None)
    world = World(root)
    steward = ceremony.load_steward(root / "steward" / "steward.key")
    for name, role in (("ana", "clerk"), ("rui", "registrar")):
        made = device.create(root / "people" / f"{name}.device", name, os.urandom)
        ceremony.enrol_reader(world.room, steward, made.public, role, "registry")
    world.close()


@dataclass
class Person:
    """One of the synthetic residents as taken in."""

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
        self, handles: Sequence[bytes], fields_: Sequence[str] = ("name",), purpose: str = "confirm"
    ) -> read.Disclosed:
        return read.disclose(self.room, self.ask(handles, fields_, purpose))

    def ask(
        self, handles: Sequence[bytes], fields_: Sequence[str] = ("name",), purpose: str = "confirm", name: str = "ana"
    ) -> device.SignedAsk:
        now = self.room.now()
        return self.asker(name).disclose(
            "residents", purpose, handles, fields_, "case-17", "confirming an application for a passport", now
        )

    def find(self, kind: str, value: str, purpose: str = "confirm") -> read.Found:
        now = self.room.now()
        reason = "confirming an application for a passport"
        return read.find(self.room, self.asker().find("residents", purpose, kind, value, "case-17", reason, now))

    def client(self, key: device.Device) -> client.Client:
        return client.Client(self.transport, key.key, self.room.keys.room)

    def take_in(self, count: int, seed: int = 1, *, shift: int = 0) -> list[Person]:
        """Take in synthetic residents by the protocol's own steps (the importer has tests of its own). With a ``shift`` each
        record is sealed under the person so many places on, as an intruder at intake may do."""
        room, declared = self.room, self.room.rules().charter.holdings["residents"]
        taken = [
            {name: fields.parse(field, one[name]) for name, field in declared.fields.items()}
            for one in people.people(count, seed)
        ]
        keys, number, now = room.keys.holding("residents"), room.holding("residents"), room.now()
        inners = {
            kind: person.inners(keys, kind, [fields.normal(declared.fields[name], one[name] or "") for one in taken])
            for kind, name in (("phone", "phone"), ("resident-id", "id-number"))
        }
        signed = self.asker("rui").intake(
            "residents", "register", 2 * count, now + 3600, "register-1", "taking in the yearly register", now
        )
        admit(room, signed)
        keep_private(room, signed)
        seed_key, have = hpke.private_from(os.urandom(96)), room.mirror.size
        request = encode(
            protocol.Intake(
                **room.common(),
                ask=signed.text.decode(),
                signature=signed.signature,
                fresh=seed_key.public,
                kinds=list(inners),
                inners=[b"".join(column) for column in inners.values()],
            )
        )
        answer = protocol.sealed_answer.parse(room.client.send("/v1/intake", request))
        opened = hpke.decrypt(seed_key, protocol.answer_info(room.keys.room, request), answer.sealed)
        given = protocol.tokens.parse(opened)
        room.settle(given.receipt, answer.entries, have)
        until = epoch.epoch_of(now // 86400, declared.retention)
        key = protocol.epoch_key.parse(
            room.client.call("/v1/epoch", protocol.Epoch(**room.common(), holding="residents", epoch=until))
        )
        room.store.put_epoch(number, until, key.public, key.signature)
        keyholder_id = ids.keyholder_id(room.rules().charter.keyholder.message)
        opened_batch = batch.Batch.open(room.keys.room, keyholder_id, keys.holding, until, key.public, os.urandom)
        room.store.put_batch(opened_batch.id, number, until, opened_batch.sealed)
        handles = [os.urandom(16) for _ in taken]
        whos = [inner[:16] for inner in inners["resident-id"]]
        whos = whos[shift:] + whos[:shift]
        sealed = []
        for compartment in ("identity", "contact"):
            names = [name for name, field in declared.fields.items() if field.compartment == compartment]
            texts = [
                plaintext.encode_fields({name: one[name] for name in names}, {"sex": 6} if "sex" in names else {})
                for one in taken
            ]
            sealed.append(batch.Column(declared.compartments[compartment].number, 256, texts, whos))
        rows = batch.seal_records(opened_batch, keys, handles, [1] * count, sealed, os.urandom)
        opened_batch.close()
        tokens = zip(*(columns.split(column, 16) for column in given.tokens), strict=True)
        of = dict(zip(handles, tokens, strict=True))
        room.store.put_chunk(
            number,
            [
                RecordRow(handle, version, opened_batch.id, join_tokens(list(of[handle])), body)
                for handle, version, body in rows
            ],
        )
        return [Person(handle, one) for handle, one in zip(handles, taken, strict=True)]


def copy(template: Path, to: Path) -> World:
    shutil.copytree(template, to)
    return World(to)
