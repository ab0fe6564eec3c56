"""Charters that may not follow, and two stewards at once (part of ``promise_broken``)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.canonical import Record, encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.custody import ceremony
from strongroom.drill.charter_changes import SEALED, Change
from strongroom.drill.report import Report, listed
from strongroom.drill.stage import Stage
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.keyholder.work import Work
from strongroom.ledger import entry
from strongroom.ledger.charters import Charters

_PATH = "/v1/charter"


class Stewards:
    """Two of them, and a way to the keyholder past the vault's own care."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.own = ceremony.load_steward(stage.root / "steward" / "steward.key")
        self.other = Ed25519PrivateKey.generate()
        self.keys = [key.public_key().public_bytes_raw() for key in (self.own, self.other)]
        self._good = stage.keyholder.charters[-1].charter

    @property
    def in_force(self) -> bytes:
        """Hash of the charter in force."""
        return self.stage.keyholder.charter_hash

    def following(self, change: Change) -> Charter:
        """The last good charter with ``change``, as the one that follows what was written last."""
        last = self.stage.keyholder.charters[-1]
        return change(msgspec.structs.replace(self._good, version=last.charter.version + 1, previous=last.hash))

    def enter_good(self, change: Change) -> bytes:
        """Enter it as the custodian would. Returns its hash."""
        good = self.following(change)
        document = charters.document(good)
        self.stage.room.enter_charter(document, self.roster(), charters.sign(document, self.own), self.keys[0])
        self._good = good
        return charters.charter_hash(document)

    def roster(self) -> bytes:
        return charters.roster_bytes(self.stage.keyholder.charters[-1].lines)

    def work(self, document: bytes, by: Ed25519PrivateKey | None = None, **changes: Any) -> Work:
        """A request to enter it, signed by a steward and the vault."""
        room, key = self.stage.room, by or self.own
        members = {
            "document": document.decode(),
            "roster": self.roster().decode(),
            "signature": charters.sign(document, key),
            "steward": key.public_key().public_bytes_raw(),
        }
        body = encode(protocol.EnterCharter(**room.common(), **members | changes))
        return Work(_PATH, protocol.sign_request(room.keys.room, _PATH, body, room.keys.message), body)


def run(report: Report, stage: Stage, stewards: Stewards) -> None:
    stage.room.sync()
    _believed(report, stewards)
    _crossing(report, stewards)
    for of, works in (
        ("that another has signed", _signed(stewards)),
        ("that is of another house", _elsewhere(stewards)),
        ("that changes what is sealed", _of(SEALED, stewards)),
        ("that does not follow", _out_of_turn(stewards)),
    ):
        _refused(report, stewards, f"have a charter entered {of}", works)


Works: TypeAlias = dict[str, Callable[[], Work]]
"""Made when they are sent: one that was let in counts as the last."""


def _of(changes: dict[str, Change], stewards: Stewards) -> Works:
    def made(change: Change) -> Callable[[], Work]:
        return lambda: stewards.work(encode(stewards.following(change)))

    return {name: made(change) for name, change in changes.items()}


def _out_of_turn(stewards: Stewards) -> Works:
    known, replaced = stewards.stage.keyholder.charters, msgspec.structs.replace

    def old() -> Work:
        (text,) = stewards.stage.keyholder.book.entries(known[0].index, 1)
        item = entry.parse(text.encode())
        assert isinstance(item, entry.CharterEntry)
        roster = charters.roster_bytes(known[0].lines).decode()
        return stewards.work(item.document.encode(), roster=roster, signature=item.signature, steward=item.steward)

    return {
        "the first again": old,
        "one of the same version": lambda: stewards.work(
            encode(stewards.following(lambda one: replaced(one, version=one.version - 1)))
        ),
        "one that leaves a version out": lambda: stewards.work(
            encode(stewards.following(lambda one: replaced(one, version=one.version + 1)))
        ),
        "one built on the one before": lambda: stewards.work(
            encode(stewards.following(lambda one: replaced(one, previous=known[-2].hash)))
        ),
    }


def _signed(stewards: Stewards) -> Works:
    stranger, coming = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    later = [*stewards.keys, coming.public_key().public_bytes_raw()]
    stewards.enter_good(lambda charter: msgspec.structs.replace(charter, stewards=later))

    def document() -> bytes:
        # Somebody who has made themselves a steward in it, as one would.
        added = [*stewards.keys, stranger.public_key().public_bytes_raw()]
        return encode(stewards.following(lambda one: msgspec.structs.replace(one, stewards=added)))

    return {
        "a stranger": lambda: stewards.work(document(), by=stranger),
        "a stranger in the steward's name": lambda: stewards.work(document(), by=stranger, steward=stewards.keys[0]),
        "a steward of a charter that does not count yet": lambda: stewards.work(document(), by=coming),
        "nobody": lambda: stewards.work(document(), signature=bytes(64)),
        "a steward, another document": lambda: stewards.work(document(), signature=charters.sign(b"{}", stewards.own)),
    }


def _elsewhere(stewards: Stewards) -> Works:
    replaced, stage = msgspec.structs.replace, stewards.stage

    def keys(**changes: bytes) -> Change:
        return lambda one: replaced(one, keyholder=replaced(one.keyholder, **changes))

    lines = stage.keyholder.charters[-1].lines
    found = _of(
        {
            "another room's": lambda one: replaced(one, room=os.urandom(16)),
            "one under another name": lambda one: replaced(one, name="elsewhere.example"),
            "one with the desk of another": keys(desk=os.urandom(32)),
            "one with the operator of another": keys(operator=os.urandom(32)),
        },
        stewards,
    )
    return found | {
        "one with another roster": lambda: stewards.work(
            encode(stewards.following(lambda one: one)), roster=charters.roster_bytes(lines[1:]).decode()
        )
    }


def _refused(report: Report, stewards: Stewards, attack: str, works: Works) -> None:
    keyholder, codes, entered = stewards.stage.keyholder, Counter[str](), list[str]()
    start = keyholder.book.size
    for name, work in works.items():
        answer = keyholder.commit([work()])[0]
        if isinstance(answer, StrongroomError):
            codes[answer.code] += 1
        else:
            entered.append(name)
    written = keyholder.book.size - start
    report.add(
        f"{attack}: {', '.join(works)}",
        len(works),
        f"{len(entered)} entered{f' ({listed(entered)})' if entered else ''}",
        ", ".join(f"{count} refused: {code}" for code, count in codes.items()),
        passed=not entered and not written and codes.keys() == {"charter"},
    )


def _believed(report: Report, stewards: Stewards) -> None:
    """A false keyholder enters them all the same, or a good one before its time. Vault, watchers and subjects follow the chain."""
    stage, now = stewards.stage, stewards.stage.room.now()
    book = [entry.parse(text.encode()) for text in stage.keyholder.book.entries(0, 10**6)]
    made = [item for item in book if isinstance(item, entry.CharterEntry)]
    tries = {name: (encode(stewards.following(change)), now + made[-1].effective) for name, change in SEALED.items()}
    tries["before its delay is over"] = (encode(stewards.following(lambda one: one)), now + 71 * 3600)
    taken = []
    for name, (document, effective) in tries.items():
        chain = Charters()
        for item in made:
            chain.add(item)
        signed = charters.sign(document, stewards.own)
        item = entry.CharterEntry(
            v=1, time=now, document=document.decode(), effective=effective, signature=signed, steward=stewards.keys[0]
        )
        try:
            chain.add(item)
            taken.append(name)
        except StrongroomError:
            continue
    report.add(
        "have them believed by those who read the ledger, entered by a false keyholder; and one without its delay",
        len(tries),
        f"{len(taken)} believed{f' ({listed(taken)})' if taken else ''}",
        "the chain of charters is broken",
        passed=not taken,
    )


# --- two at once -----------------------------------------------------------------------------------------------------------
def _crossing(report: Report, stewards: Stewards) -> None:
    """Each builds on the same charter: in one moment, and the second one once more after that."""
    stage = stewards.stage
    stage.room.sync()
    documents = [encode(stewards.following(beat)) for beat in (_heartbeat(1800), _heartbeat(900))]
    works = [stewards.work(documents[0]), stewards.work(documents[1], by=stewards.other)]
    answers = stage.keyholder.commit(works)
    stage.room.sync()
    answers += stage.keyholder.commit([stewards.work(documents[1], by=stewards.other)])
    codes = [one.code for one in answers if isinstance(one, StrongroomError)]
    entered = sum(isinstance(one, Record) for one in answers)
    report.add(
        "two stewards sign different charters upon the same one",
        len(answers),
        f"{entered} entered",
        f"refused: {', '.join(codes)}",
        passed=entered == 1 and codes == ["charter", "charter"],
    )


def _heartbeat(seconds: int) -> Change:
    return lambda charter: msgspec.structs.replace(charter, heartbeat=seconds)
