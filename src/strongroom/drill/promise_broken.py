"""Drill: what was promised for data that is there already is changed, by those who may sign charters (THREATS.md, promise 6)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter, Purpose
from strongroom.client.device import Asker, Device, SignedAsk
from strongroom.client.watch import Watcher
from strongroom.custody import read
from strongroom.custody.admit import admit
from strongroom.custody.room import Room
from strongroom.drill import charters_bent
from strongroom.drill.charters_bent import Stewards
from strongroom.drill.falsehood import ask_reads, fetch, public_keys, view
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Scene
from strongroom.drill.stage import CASE, REASON, Stage, Theatre
from strongroom.errors import StrongroomError
from strongroom.ledger import entry

NAME = "promise-broken"
ATTACK = (
    "Stewards sign a new purpose for old data: the health code, for crowd control. It is public for 72 hours before it counts,"
    " and then everybody finds for what they were read."
)

CROWDS, AT_ONCE = "crowd-control", "crowd-control-at-once"
_CODES, _HOUR = 12, 3600
_DELAY = 72 * _HOUR


@dataclass(frozen=True)
class Broken:
    """``changes``: a charter each, one upon the other. ``reader``, ``purpose`` and so on: the ask that they would let through, once
    ``spent`` others have used up what the budget has now."""

    what: str
    changes: tuple[Callable[[Charter], Charter], ...]
    reader: str
    purpose: str
    holding: str
    field: str
    compartment: int
    spent: int = 0


def _purpose(charter: Charter, name: str, purpose: Purpose) -> Charter:
    return msgspec.structs.replace(charter, purposes=dict(charter.purposes) | {name: purpose})


def _crowds(name: str) -> Callable[[Charter], Charter]:
    def change(charter: Charter) -> Charter:
        contain = charter.purposes["contain"]
        made = msgspec.structs.replace(contain, about="To keep a crowd away", roles=["clerk"], units=["registry"])
        return _purpose(charter, name, made)

    return change


def _wider(charter: Charter) -> Charter:
    confirm = charter.purposes["confirm"]
    reads = dict(confirm.reads) | {"residents": dict(confirm.reads["residents"]) | {"address": "clear"}}
    return _purpose(charter, "confirm", msgspec.structs.replace(confirm, reads=reads))


def _organ(charter: Charter) -> Charter:
    appeal = charter.purposes["appeal"]
    units, roles = [*appeal.units, "registry"], [*appeal.roles, "clerk"]
    return _purpose(charter, "appeal", msgspec.structs.replace(appeal, units=units, roles=roles))


def _budget(charter: Charter) -> Charter:
    visit = charter.purposes["visit"]
    budgets = msgspec.structs.replace(visit.budgets, reader=["1000/hour"])
    return _purpose(charter, "visit", msgspec.structs.replace(visit, budgets=budgets))


def _no_delay(charter: Charter) -> Charter:
    return msgspec.structs.replace(charter, delay=0)


BROKEN = (
    Broken("a purpose of its own", (_crowds(CROWDS),), "ana", CROWDS, "health-codes", "code", 2),
    Broken("another field for a purpose", (_wider,), "ana", "confirm", "residents", "address", 4),
    Broken("another organ for a purpose", (_organ,), "ana", "appeal", "health-codes", "evidence", 3),
    Broken("500 times the budget", (_budget,), "ana", "visit", "residents", "address", 4, spent=2),
    Broken("no delay, and then a purpose", (_no_delay, _crowds(AT_ONCE)), "ana", AT_ONCE, "health-codes", "code", 2),
)


@dataclass
class _Tried:
    """Asks that were tried, and what came of them; ``given`` were not refused."""

    count: int = 0
    given: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, code: str) -> None:
        self.count += 1
        if code:
            self.codes[code] += 1
        else:
            self.given += 1

    def report(self, report: Report, attack: str) -> None:
        seen = ", ".join(f"{count} refused: {code}" for code, count in self.codes.most_common())
        report.add(attack, self.count, f"{self.given} let through", seen, passed=not self.given)


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=30, patients=0)
    rows = [{"id-number": one["id-number"] or "", "code": "green"} for one in stage.people["residents"][:_CODES]]
    stage.admit("health-codes", rows, "set-code", "dora", ["odd"])
    device, stewards = stage.enrol(0, "health-codes"), Stewards(stage)
    # At once, and the last one that is: the room was founded without a delay.
    stewards.enter_good(lambda charter: msgspec.structs.replace(charter, delay=_DELAY, stewards=stewards.keys))
    stage.room.publish()
    watcher = Watcher(stage.root / "watch.state", fetch(stage.root / "public"), public_keys(stage))
    watcher.look()
    progress("stewards sign")
    named = {one: [stewards.in_force, *map(stewards.enter_good, one.changes)] for one in BROKEN}
    _seen(report, stage, watcher, {each for hashes in named.values() for each in hashes[1:]})
    progress("72 hours go by")
    _before(report, stage, named)
    _clocks(report, stage, named[BROKEN[-1]][-1])
    charters_bent.run(report, stage, stewards)
    stage.hands.wait(2)
    progress("the charters count")
    _after(report, stage, device)
    stage.close()
    report.limit(
        "after their delay such charters count, since stewards may sign them: what is promised is that everybody could see them"
        " coming, and sees each read under them. Of the roster the public sees a hash alone"
    )
    report.limit(
        "a keyholder restarted under a clock that is days ahead has them in force early. The vault, whose clock is right, takes in"
        " nothing of that, and the room stands still"
    )


def _seen(report: Report, stage: Stage, watcher: Watcher, entered: set[bytes]) -> None:
    """Anybody who watches the published ledger. The keyholder publishes of its own accord."""
    stage.keyholder.tick()
    told = [item for _, item in watcher.look().told if isinstance(item, entry.CharterEntry)]
    early = [item for item in told if item.effective < item.time + _DELAY]
    unseen = entered - {charters.charter_hash(item.document.encode()) for item in told}
    names = {name for item in told for name in msgspec.json.decode(item.document)["purposes"]}
    report.add(
        "sign them unseen by a watcher",
        len(entered),
        f"{len(unseen)} unseen, {len(early)} without their delay",
        f"{len(told)} charters told at the next look{f', {CROWDS} among their purposes' if CROWDS in names else ''}",
        passed=not unseen and not early and CROWDS in names,
    )


# --- before it counts ------------------------------------------------------------------------------------------------------
def _before(report: Report, stage: Stage, named: dict[Broken, list[bytes]]) -> None:
    """Under the charter in force, and under those that are to come. At once, an hour before, and in the last second."""
    root, vault = _Tried(), _Tried()
    scenes = {holding: Scene(stage, holding) for holding in ("residents", "health-codes")}
    effective = stage.keyholder.charters[-1].effective
    for moment in (stage.room.now(), effective - _HOUR, effective - 1):
        stage.hands.wait(moment - stage.room.now())
        for one, hashes in named.items():
            for _ in range(one.spent):
                _shares(scenes, one, hashes[0])
            for charter in hashes:
                root.add(_shares(scenes, one, charter))
                if not one.spent:  # what is spent the keyholder knows
                    vault.add(_admitted(stage, one, charter))
    what = ", ".join(one.what for one in BROKEN)
    root.report(report, f"ask under them before they count, with root on the vault: {what}")
    vault.report(report, "have the vault's gate let such asks through, before they count")


def _ask(stage: Stage, one: Broken, charter: bytes) -> SignedAsk:
    asker = Asker(stage.key_of(one.reader), stage.room.keys.room, charter, os.urandom)
    handles = stage.handles(one.holding)[:1]
    return asker.disclose(one.holding, one.purpose, handles, [one.field], CASE, REASON, stage.room.now())


def _shares(scenes: dict[str, Scene], one: Broken, charter: bytes) -> str:
    """What root on the vault is refused for."""
    scene = scenes[one.holding]
    return scene.shares(
        _ask(scene.stage, one, charter), scene.pieces(scene.stage.handles(one.holding)[:1], [one.compartment])
    ).code


def _admitted(stage: Stage, one: Broken, charter: bytes) -> str:
    """What the vault's gate refuses it for, before the keyholder is asked."""
    try:
        admit(stage.room, _ask(stage, one, charter))
    except StrongroomError as error:
        return error.code
    return ""


def _clocks(report: Report, stage: Stage, charter: bytes) -> None:
    """One second is missing. The vault's clock is set ahead, and then everybody's."""
    tried, one = _Tried(), BROKEN[-1]
    ahead = Room(stage.root / "vault", transport=stage.transport, clock=lambda: stage.hands.wall() + _HOUR)
    try:
        read.disclose(ahead, _ask(stage, one, charter))
        tried.add("")
    except StrongroomError as error:
        tried.add(error.code)
    ahead.close()
    stage.hands.jump(_HOUR)
    tried.add(_shares({one.holding: Scene(stage, one.holding)}, one, charter))
    stage.hands.jump(-_HOUR)
    tried.report(report, "set the vault's clock an hour ahead, and the keyholder's")


# --- when it counts --------------------------------------------------------------------------------------------------------
def _after(report: Report, stage: Stage, device: Device) -> None:
    stage.room.sync()
    start, handles = stage.keyholder.book.size, stage.handles("health-codes")
    for handle in handles:
        read.disclose(stage.room, stage.ask([handle], ["code"], CROWDS, "ana", "health-codes"))
    whose, marked = stage.whose_tags(), set[bytes]()
    for text in stage.keyholder.book.entries(start, 1000):
        item = entry.parse(text.encode())
        if isinstance(item, entry.DisclosureEntry) and item.purpose == CROWDS:
            marked |= {whose.get(tag, b"") for tag in item.tags}
    unmarked = sum(stage.truth[handle].who not in marked for handle in handles)
    stage.room.publish()
    found = view(stage, device, ask_reads(stage, device), fetch(stage.root / "public"))
    purposes = [getattr(one.entry, "purpose", "") for chain in found.chains for one in chain.reads]
    report.add(
        f"read {len(handles)} codes for crowd control once that counts, and nobody sees for what",
        len(handles),
        f"{unmarked} without a mark under that purpose",
        f"one of them looks: {', '.join(purposes)}" if found.complete else "one of them looks, and finds a gap",
        passed=not unmarked and found.complete and purposes[-1:] == [CROWDS],
    )
