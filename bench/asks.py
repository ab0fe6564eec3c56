"""Asks signed in advance, as a reader's own device signs them: their signing is not the servers' time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from bench import load, room
from strongroom.canonical import encode
from strongroom.client import device
from strongroom.client.device import Asker, SignedAsk
from strongroom.custody.room import Room
from strongroom.gate import ask as asks
from strongroom.synth.people import people

_REASONS = (
    "passport application {}, confirmed at the counter",
    "parcel {} came back, the address is looked up",
    "caller {} asks about their own record",
)
FIELDS = ("name", "born", "phone")


@dataclass
class Town:
    """A filled room's readers and handles."""

    reader: Asker
    registrar: Asker
    handles: list[bytes]
    chooser: Random

    def disclosures(self, size: int, count: int) -> Iterable[bytes]:
        """``count`` requests for three fields, out of both compartments, of ``size`` records from all over the room."""
        for _ in range(count):
            handles = self.chooser.sample(self.handles, size)
            signed = self.reader.disclose("residents", "measure", handles, FIELDS, *self._why(), int(time.time()))
            yield load.post("/v1/disclosures", encode(evidence(signed)))

    def records(self, size: int, count: int, seed: int, *, shared: bool = False) -> Iterable[bytes]:
        """``count`` requests to store ``size`` new records, each under an ask of its own, or all under one."""
        found, one = people(size * count, seed), b""
        for _ in range(count):
            some = [_record(person) for person in islice(found, size)]
            if not (shared and one):
                one = self._intake(2 * size * (count if shared else 1))
            body = b'{"ask":' + one + b',"records":' + json.dumps(some, ensure_ascii=False).encode() + b"}"
            yield load.post("/v1/records", body)

    def _why(self) -> tuple[str, str]:
        """Case and reason, others each time: a gate that remembers what it has seen has not seen these."""
        number = self.chooser.randrange(10**6)
        return f"case-{number}", self.chooser.choice(_REASONS).format(number)

    def _intake(self, identifiers: int) -> bytes:
        now = int(time.time())
        signed = self.registrar.intake("residents", "fill", identifiers, now + 3600, *self._why(), now)
        return encode(evidence(signed))


def _record(person: Mapping[str, Any]) -> dict[str, str]:
    return {name: person[name] for name in room.FIELDS}


def town(root: Path) -> Town:
    with closing(Room(root / "vault")) as opened:
        charter = opened.rules().enacted.hash
        handles = opened.store.handles(opened.holding("residents"), b"", 10**9)
        reader, registrar = (
            Asker(device.load(root / "people" / f"{name}.device"), opened.keys.room, charter, os.urandom)
            for name in ("reader", "registrar")
        )
    return Town(reader, registrar, handles, Random(7))


def evidence(signed: SignedAsk) -> asks.Evidence:
    """A signed ask as it stands in a request."""
    return asks.Evidence(
        ask=signed.text.decode(),
        countersignatures=list(signed.countersignatures),
        private=encode(signed.private).decode(),
        signature=signed.signature,
    )
