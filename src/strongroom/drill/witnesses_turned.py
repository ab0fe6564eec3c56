"""Drill: witnesses that lie, keep two books or are dead, while both houses are false (THREATS.md, promise 4)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from strongroom.custody import read
from strongroom.drill.falsehood import FalseKeyholder, fetch, public_keys
from strongroom.drill.report import Progress, Report
from strongroom.drill.stage import Stage, Theatre
from strongroom.errors import Declined, StrongroomError
from strongroom.keyholder.core import Keyholder
from strongroom.ledger import audit, checkpoint, entry, note, policy, witnessed
from strongroom.ledger.checkpoint import Checkpoint
from strongroom.ledger.policy import Policy
from strongroom.witness import house
from strongroom.witness.core import Witness
from strongroom.witness.request import Request
from strongroom.witness.store import Store

NAME = "witnesses-turned"
ATTACK = "Both houses make a second version of the ledger for one reader, and one witness of four, three of whom are wanted, helps them."

COUNT, QUORUM, LIAR = 4, 3, 3


class Witnesses:
    """Four of them, each a store and keys of its own. The liar has a second store, in which it has never seen the true ledger."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.log = stage, stage.keyholder.keys.log.vkey
        self.keys = [house.create(stage.root / f"w{n}", f"w{n}.example", os.urandom) for n in range(COUNT)]
        self.stores = [self._store(stage.root / f"w{n}" / "witness.db") for n in range(COUNT)]
        self.second = self._store(stage.root / "second.db", create=True)

    def _store(self, path: Path, *, create: bool = False) -> Store:
        store = Store(path, create=create)
        with store.transaction():
            store.add(house.logs([self.log]))
        return store

    def policy(self, count: int = COUNT, quorum: int = QUORUM) -> Policy:
        """That ``quorum`` of the last ``count`` cosign."""
        chosen = range(COUNT - count, COUNT)
        lines = "".join(f"witness w{n} {self.keys[n].ed25519.vkey}\n" for n in chosen)
        names = " ".join(f"w{n}" for n in chosen)
        return policy.parse(f"{lines}group q {quorum} {names}\nquorum q\n".encode())

    def cosigned(self, keyholder: Keyholder, n: int, *, false: bool = False) -> str:
        """The lines of witness ``n`` under this version, asked as a keyholder asks. Raises ``Declined``."""
        store = self.second if false else self.stores[n]
        asked = Witness(store, self.keys[n].cosigners, self.stage.room.now)
        at, old = _at(keyholder.book.note), store.head(keyholder.keys.origin).size
        proof = tuple(keyholder.book.consistency(old, at.size)) if old <= at.size else ()
        return asked.add_checkpoint(Request(old, proof, keyholder.book.note).marshal())

    def show(self, keyholder: Keyholder, honest: range) -> tuple[str, int]:
        """(what those who have one book make of it, how many decline)."""
        lines, declined = "", 0
        for n in honest:
            try:
                lines += self.cosigned(keyholder, n)
            except Declined:
                declined += 1
        return lines, declined

    def believed(self, public: Path, text: str, wanted: Policy) -> str:
        """Empty where a reader who wants the quorum of ``wanted`` believes what is published there; else what is found."""
        (public / witnessed.PATH).write_text(text)
        try:
            audit.audit(fetch(public), public_keys(self.stage), None, policy=wanted).quorum(self.stage.room.now())
        except StrongroomError as error:
            return error.code
        return ""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=10, patients=0)
    mine = read.disclose(stage.room, stage.ask([stage.handle_of(1)])).index
    stage.room.publish()
    witnesses, beat = Witnesses(stage), entry.encode(entry.HeartbeatEntry(v=1, time=stage.room.now()))
    progress("witnesses are dead, or lie")
    true = stage.keyholder.book.note
    lines, _ = witnesses.show(stage.keyholder, range(COUNT - 1))
    code = witnesses.believed(stage.root / "public", true + lines, witnesses.policy())
    report.add(
        "one witness is dead, and the ledger is to go without a quorum",
        1,
        code or "a quorum all the same",
        "",
        passed=not code,
    )
    _lies(report, witnesses, true)
    forks = {
        "a read left out, as long as the true ledger": lambda items: [*items[:mine], *items[mine + 1 :], beat],
        "a read left out, and grown since": lambda items: [*items[:mine], *items[mine + 1 :], beat, beat, beat],
    }  # fmt: skip
    for number, (what, rewrite) in enumerate(forks.items()):
        progress(what)
        _fork(report, witnesses, what, FalseKeyholder(stage, _place(stage, number), rewrite, helped=True), true + lines)
    kept = sum(store.fork(stage.keyholder.keys.origin) is not None for store in witnesses.stores[:LIAR])
    report.add(
        "keep who saw both versions of one size from proving it",
        LIAR,
        f"{LIAR - kept} kept no proof",
        f"both notes kept by {kept}",
        passed=kept == LIAR,
    )
    stage.close()


def _place(stage: Stage, number: int) -> Path:
    place = stage.root / f"false-{number}"
    place.mkdir()
    return place


def _lies(report: Report, witnesses: Witnesses, true: str) -> None:
    """Two cosign, and the third says what is worth nothing."""
    stage, liar, other = witnesses.stage, witnesses.keys[LIAR], witnesses.keys[0]
    text, now = note.parse_note(true).text, stage.room.now()
    lines, _ = witnesses.show(stage.keyholder, range(QUORUM - 1))
    short = Checkpoint(_at(true).origin, 1, stage.keyholder.book.root(1)).marshal()
    lies: dict[str, Callable[[], str]] = {
        "its signature of an earlier checkpoint": lambda: liar.ed25519.cosign(short, now),
        "another witness's signature under its name": lambda: _renamed(other.ed25519.cosign(text, now), liar.ed25519.cosign(text, now)),
        "a signature dated a year ahead": lambda: liar.ed25519.cosign(text, now + 365 * 86400),
        "a signature of a day ago": lambda: liar.ed25519.cosign(text, now - 86400),
        "another witness's lines once more": lambda: lines.splitlines(keepends=True)[0],
    }  # fmt: skip
    for what, lie in lies.items():
        code = witnesses.believed(stage.root / "public", true + lines + lie(), witnesses.policy())
        report.add(f"a witness lies: {what}", 1, "no quorum" if code else "a quorum with it", code, passed=bool(code))


def _at(signed: str) -> Checkpoint:
    return checkpoint.parse(note.parse_note(signed).text)


def _renamed(line: str, own: str) -> str:
    """The signature of ``line`` under the name and key id of ``own``."""
    (found,), (named,) = (note.parse_note(f"x\n\n{one}").signatures for one in (line, own))
    return replace(named, signature=found.signature).marshal()


def _fork(report: Report, witnesses: Witnesses, what: str, false: FalseKeyholder, cosigned: str) -> None:
    own = false.keyholder
    lines, declined = witnesses.show(own, range(LIAR))
    lines += witnesses.cosigned(own, LIAR, false=True)
    code = witnesses.believed(false.public, own.book.note + lines, witnesses.policy())
    report.add(
        f"{what}, cosigned by the witness with two books",
        LIAR,
        "no quorum" if code else "a quorum",
        f"{declined} decline; {code}",
        passed=bool(code),
    )
    code = witnesses.believed(false.public, cosigned, witnesses.policy())
    report.add(
        f"{what}, beside the true ledger's cosignatures",
        1,
        "not believed" if code else "believed",
        code,
        passed=bool(code),
    )
    limit = "whoever trusts that one witness alone believes the second version too: quorums are to share an honest one"
    if limit not in report.limits and not witnesses.believed(
        false.public, own.book.note + lines, witnesses.policy(1, 1)
    ):
        report.limit(limit)
    false.close()
