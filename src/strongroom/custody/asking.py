"""Asking on behalf of a reader whose device is here: which holding, in how many asks, under which charter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strongroom.catalog.model import Holding, Test
from strongroom.client.device import Asker, Device, SignedAsk, countersign
from strongroom.custody import check as checks
from strongroom.custody import erase as erasure
from strongroom.custody import read
from strongroom.custody.check import Checked
from strongroom.custody.erase import Erased
from strongroom.custody.read import Disclosed, Found
from strongroom.custody.room import Room
from strongroom.errors import InputError, Refused
from strongroom.keyholder.protocol import MAX_SLOTS
from strongroom.ledger.entry import MAX_TAGS

AT_ONCE = 1000
"""Records in one ask (SPEC.md 7.2)."""


@dataclass(frozen=True)
class Mandate:
    """Who asks, of which holding, for which purpose and why; ``seconds``: devices at hand that countersign."""

    asker: Asker
    holding: str
    purpose: str
    case: str
    reason: str
    seconds: tuple[Device, ...] = ()

    def signed(self, ask: SignedAsk) -> SignedAsk:
        """``ask`` with all signatures."""
        for device in self.seconds:
            ask = countersign(ask, device)
        return ask


def asker(room: Room, device: Device) -> Asker:
    """``device`` asking under the charter in force. Raises ``InputError`` when it is not in the roster, naming what to do."""
    rules = room.rules()
    if device.reader not in rules.roster:
        latest = room.mirror.charters()[-1]
        later = latest.hash != rules.enacted.hash and "; a charter that is not in force yet may add it"
        raise InputError(
            f"the device {device.name} is not in the roster in force{later or ''}. See strongroom reader list"
        )
    return Asker(device, room.keys.room, rules.enacted.hash, room.random)


def holding_of(room: Room, purpose: str, given: str | None) -> str:
    """The holding a purpose is about, where there is only one. Raises ``InputError`` naming those to choose from."""
    if given is not None:
        return given
    charter = room.rules().charter
    # An unknown purpose is for the gate to refuse, and for the ledger to show; without a holding nobody can even ask.
    named = charter.purposes[purpose].reads if purpose in charter.purposes else charter.holdings
    if len(named) != 1 and purpose not in charter.purposes:
        raise InputError(f"the charter has no purpose {purpose}; strongroom charter show lists those that it has")
    if len(named) != 1:
        raise InputError(f"{purpose} is about several holdings; name one with --holding: {', '.join(sorted(named))}")
    return next(iter(named))


def find(room: Room, mandate: Mandate, kind: str, value: str) -> Found:
    """One find. Raises as ``read.find``."""
    m = mandate
    return read.find(room, m.signed(m.asker.find(m.holding, m.purpose, kind, value, m.case, m.reason, room.now())))


def disclose(
    room: Room, mandate: Mandate, handles: Sequence[bytes], fields: Sequence[str], version: int = 0
) -> Iterator[Disclosed]:
    """As many asks as the records need, one after the other. Raises as ``read.disclose``: what came before stays read."""
    for ask in asks_to_disclose(room, mandate, handles, fields, version):
        yield read.disclose(room, ask)


def asks_to_disclose(
    room: Room, mandate: Mandate, handles: Sequence[bytes], fields: Sequence[str], version: int = 0
) -> Iterator[SignedAsk]:
    """The asks alone, signed: nobody is asked. Raises as ``parts``."""
    m = mandate
    for part in parts(room, m.holding, handles, fields):
        yield m.signed(m.asker.disclose(m.holding, m.purpose, part, fields, m.case, m.reason, room.now(), version))


def check(
    room: Room, mandate: Mandate, handles: Sequence[bytes], field: str, test: Test, value: str | None
) -> Iterator[Checked]:
    """The same for a question. Raises as ``check.check``."""
    m = mandate
    for part in parts(room, m.holding, handles, [field]):
        ask = m.asker.check(m.holding, m.purpose, part, field, test, value, m.case, m.reason, room.now())
        yield checks.check(room, m.signed(ask))


def erase(room: Room, mandate: Mandate, handles: Sequence[bytes]) -> Iterator[Erased]:
    """The same for an erasure. One that was cut short is gone on with: what it has done is passed over, unless that is all.
    Raises as ``erase.erase``."""
    m, done, passed = mandate, False, None
    left = set(handles)
    if m.holding in room.rules().charter.holdings:
        before = room.store.withdrawn(room.holding(m.holding), left)
        if before and before == left:
            raise InputError(
                "what is named was erased before: strongroom certificate says when, and whether it is final"
            )
        left -= before
    for part in parts(room, m.holding, sorted(left), None):
        ask = m.asker.erase(m.holding, m.purpose, part, m.case, m.reason, room.now())
        try:
            yield erasure.erase(room, m.signed(ask))
            done = True
        except Refused as refusal:
            if refusal.code != "erased" or room.store.latest_versions(room.holding(m.holding), part):
                raise
            passed = refusal
    if passed is not None and not done:
        raise passed


def parts(room: Room, holding: str, handles: Sequence[bytes], fields: Sequence[str] | None) -> Iterator[list[bytes]]:
    """The records in parts that fit one ask each for these fields; None: for all. Raises ``InputError`` for no record, and
    before the first of several parts is asked for one that is not here."""
    distinct = sorted(set(handles))
    if not distinct:
        raise InputError("no record is named, so nothing was asked")
    # A holding or field that there is not is for the gate to refuse, once.
    declared = room.rules().charter.holdings.get(holding)
    size = min(AT_ONCE, most(declared, fields)) if declared else AT_ONCE
    if declared and len(distinct) > size:
        missing = len(distinct) - len(room.store.latest_versions(room.holding(holding), distinct))
        if missing:
            raise InputError(f"not in {holding}: {missing} of the records named")
    yield from (distinct[start : start + size] for start in range(0, len(distinct), size))


def most(holding: Holding, fields: Sequence[str] | None) -> int:
    """Of how many records one ask may open these fields (None: all): its entry has a tag for each person of each record."""
    named = {holding.fields[name].compartment for name in fields or holding.fields if name in holding.fields}
    persons = {holding.compartments[name].person for name in named}
    return min(MAX_TAGS // max(len(persons), 1), MAX_SLOTS // max(len(named), 1))


def masks(room: Room, purpose: str, holding: str) -> dict[str, str]:
    """Field -> mask of what a purpose reads there."""
    found = room.rules().charter.purposes.get(purpose)
    return dict(found.reads.get(holding, {})) if found else {}


def images(room: Room, holding: str) -> frozenset[str]:
    """Names of the fields that are images."""
    found = room.rules().charter.holdings.get(holding)
    return frozenset(name for name, field in found.fields.items() if field.type == "image") if found else frozenset()
