"""Drill: a read that its person is not to find (THREATS.md, promise 5)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.client import subject
from strongroom.client.device import Device
from strongroom.custody import read
from strongroom.drill.falsehood import FalseKeyholder, Restate, Rewrite, ask_reads, fetch, view
from strongroom.drill.intruder import Piece
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import Stage, Theatre
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import confirm, entry, tag
from strongroom.ledger.cosignature import Cosigner
from strongroom.ledger.directory import Fetch
from strongroom.seal import columns
from strongroom.store.rows import BatchRow, RecordRow

NAME = "hidden-read"
ATTACK = "The keyholder hides a read from its person; then root on the vault reads one person in another's name."

PERSON, READS = 5, 5
LATE = 121
"""Seconds after which a statement is an old one."""
HIDDEN = 3
"""The number of the read that is to be hidden."""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    progress("a resident is read five times, and enrols")
    stage.take_in(residents=60, patients=0)
    device, indexes = stage.enrol(PERSON), list[int]()
    for row in (PERSON, 1, PERSON, PERSON, 2, PERSON, PERSON):
        found = read.disclose(stage.room, stage.ask([stage.handle_of(row)]))
        indexes += [found.index] if row == PERSON else []
    stage.room.publish()
    said = ask_reads(stage, device)
    _look(report, stage, device, "nothing hidden (the control)", said, fetch(stage.root / "public"), "")
    progress("the keyholder withholds, understates and misstates")
    _keyholder(report, stage, device, indexes)
    progress("the keyholder shows them a book of their own")
    _alone(report, stage, device, indexes[-1])
    _publisher(report, stage, device)
    progress("root on the vault reads in another's name")
    _vault(report, stage, device)
    stage.close()
    report.limit(
        "a keyholder that gives a read no tag of its person's, nor counts it, is not found by that person;"
        " the entry stands in the book all the same, without a person"
    )
    report.limit("a keyholder and a vault that have both turned show a person whatever book they like")


def _look(
    report: Report, stage: Stage, device: Device, attack: str, said: protocol.ReadsInner, look: Fetch, expected: str
) -> None:
    """The subject holds what was said against the book; ``expected``: how the hidden read shows, empty for not at all."""
    try:
        seen, shown = _shown(view(stage, device, said, look))
    except StrongroomError as error:
        seen, shown = f"refused: {error.code}", error.code
    hidden = "1 read" if not shown else "nothing hidden"
    if not expected:
        report.add(attack, 1, "nothing hidden" if not shown else "an honest book doubted", seen, passed=not shown)
    else:
        report.add(attack, 1, hidden, seen, passed=shown == expected)


def _shown(found: subject.View) -> tuple[str, str]:
    """(for people, for comparison) what a view says is wrong."""
    chain = found.chains[0]
    if chain.complete:
        return f"complete: {len(chain.reads)} of {chain.count}", ""
    parts = {"gap": chain.missing, "beyond": chain.beyond, "twice": chain.repeated}
    wrong = {name: numbers for name, numbers in parts.items() if numbers}
    text = ", ".join(f"{name} at {', '.join(map(str, numbers))}" for name, numbers in wrong.items())
    return f"{text}; {len(chain.reads)} of {chain.count}", " ".join(
        f"{name}:{numbers[0]}" for name, numbers in wrong.items()
    )


# --- the keyholder -------------------------------------------------------------------------------------------------------
def _keyholder(report: Report, stage: Stage, device: Device, indexes: list[int]) -> None:
    at, last = indexes[HIDDEN - 1], indexes[-1]

    def dropped(where: int) -> Rewrite:
        return lambda items: items[:where] + items[where + 1 :]

    def same(items: list[bytes]) -> list[bytes]:
        return items

    def retagged(items: list[bytes]) -> list[bytes]:
        return [*items[:at], _without_tag(items[at]), *items[at + 1 :]]

    cases: list[tuple[str, Rewrite, Restate, str]] = [
        ("the entry withheld, the count true", dropped(at), _truly, f"gap:{HIDDEN}"),
        ("the last entry withheld, the count true", dropped(last), _truly, f"gap:{READS}"),
        ("the entry withheld, the count one less", dropped(at), _counting(READS - 1), f"gap:{HIDDEN} beyond:{READS}"),
        ("the entry without its tag", retagged, _truly, f"gap:{HIDDEN}"),
        ("the entry written a second time", lambda items: [*items, items[last]], _truly, f"twice:{READS}"),
        ("the count one less", same, _counting(READS - 1), f"beyond:{READS}"),
        ("the count none", same, _counting(0), "beyond:1"),
        ("the count one more, so that a gap seems usual", same, _counting(READS + 1), f"gap:{READS + 1}"),
        ("the statement about another device", same, _other_device, "note"),
        ("the statement about another size", same, _other_size, "checkpoint"),
    ]  # fmt: skip
    for number, (attack, rewrite, restate, expected) in enumerate(cases):
        place = _made(stage, f"false-{number}")
        # Cosigned by a vault that helps it: nothing but the person's own looking shall tell.
        false = FalseKeyholder(stage, place, rewrite, helped=True)
        said = ask_reads(stage, device, false.lying(restate))
        _look(report, stage, device, attack, said, fetch(false.public), expected)
        false.close()


def _alone(report: Report, stage: Stage, device: Device, last: int) -> None:
    """A fork in which the last read never was, with the right count, for this person alone: only the vault's word is against it."""
    beat = entry.encode(entry.HeartbeatEntry(v=1, time=stage.room.now()))
    false = FalseKeyholder(
        stage, _made(stage, "false-alone"), lambda items: [*items[:last], *items[last + 1 :], beat, beat]
    )
    said, look = ask_reads(stage, device, false.lying(_counting(READS - 1))), fetch(false.public)
    fork = "a fork shown to them alone"
    _look(report, stage, device, f"{fork}, beside the vault's word of the true book", said, look, "checkpoint")
    false.vouch(Cosigner(stage.room.keys.cosigner.name, Ed25519PrivateKey.generate()))
    _look(report, stage, device, f"{fork}, cosigned by a key of the keyholder's own", said, look, "note")
    (false.public / confirm.PATH).unlink()
    _look(report, stage, device, f"{fork}, without any word of the vault", said, look, "checkpoint")
    false.close()
    # The true word and book of just before the last read, kept for whoever asks later.
    old = FalseKeyholder(stage, _made(stage, "false-old"), lambda items: items[:last], helped=True)
    said, look = ask_reads(stage, device, old.lying(_counting(READS - 1))), fetch(old.public)
    stage.hands.wait(LATE)
    _look(report, stage, device, "an old statement beside the book of its time", said, look, "note")
    old.close()


def _made(stage: Stage, name: str) -> Path:
    place = stage.root / name
    place.mkdir()
    return place


def _truly(said: protocol.ReadsInner, statement: protocol.Statement) -> tuple[protocol.ReadsInner, protocol.Statement]:
    return said, statement


def _counting(count: int) -> Restate:
    def restate(
        said: protocol.ReadsInner, statement: protocol.Statement
    ) -> tuple[protocol.ReadsInner, protocol.Statement]:
        chains = [msgspec.structs.replace(chain, count=count) for chain in said.chains]
        stated = [msgspec.structs.replace(chain, count=count) for chain in statement.chains]
        return msgspec.structs.replace(said, chains=chains), msgspec.structs.replace(statement, chains=stated)

    return restate


def _other_device(
    said: protocol.ReadsInner, statement: protocol.Statement
) -> tuple[protocol.ReadsInner, protocol.Statement]:
    return said, msgspec.structs.replace(statement, device=bytes(32))


def _other_size(
    said: protocol.ReadsInner, statement: protocol.Statement
) -> tuple[protocol.ReadsInner, protocol.Statement]:
    return said, msgspec.structs.replace(statement, size=statement.size - 2)


def _without_tag(item: bytes) -> bytes:
    found = entry.parse(item)
    assert isinstance(found, entry.DisclosureEntry)
    return entry.encode(msgspec.structs.replace(found, tags=[os.urandom(16)]))


# --- others who could hide it ----------------------------------------------------------------------------------------------
def _publisher(report: Report, stage: Stage, device: Device) -> None:
    """Whoever serves the files leaves the tag out of its day's file; the vault signs a statement of its own."""
    said, public = ask_reads(stage, device), stage.root / "public"
    hidden = tag.tag(said.chains[0].key, HIDDEN)

    def look(path: str) -> bytes:
        data = (public / path).read_bytes()
        if path.startswith("tags/"):
            data = tag.marshal_day(pair for pair in tag.parse_day(data) if pair[0] != hidden)
        return data

    _look(report, stage, device, "the tag left out of its day's file", said, look, "entry")
    own = stage.room.keys.message.sign(protocol.statement_message(said.statement.encode()))
    forged = msgspec.structs.replace(said, signature=own)
    _look(report, stage, device, "a statement signed by the vault", forged, fetch(public), "note")


def _vault(report: Report, stage: Stage, device: Device) -> None:
    """To read the person under another's name: the tag would be the other's, if anything opened."""
    scene, target = Scene(stage), stage.handle_of(PERSON)
    other = stage.handle_of(PERSON + 1)
    mine = scene.pieces([target])[0]
    blame = columns.xor(mine.masked, columns.xor(stage.truth[target].who, stage.truth[other].who))
    fresh = _stored_again(stage, target)
    tries: dict[str, tuple[bytes, Piece]] = {
        "their slot under another's handle": (other, replace(mine, handle=other)),
        "their slot put down to another": (target, replace(mine, masked=blame)),
        "their slot with a mask of zeros": (target, replace(mine, masked=bytes(16))),
        "their record stored again under a fresh handle": (fresh, replace(mine, handle=fresh)),
    }
    before = _count(stage, device)
    for attack, (asked, piece) in tries.items():
        outcome = scene.shares(stage.ask([asked]), [piece])
        opened, counted = _opened(outcome, target), _count(stage, device) - before
        # The keyholder must have answered, or the share was not tried.
        passed = outcome.taken is not None and opened <= counted
        report.add(attack, 1, f"{opened} of theirs opened", f"{counted} tags on their chain", passed=passed)
        before += counted
    outcome = scene.shares(stage.ask([target]), [mine])
    opened, counted = _opened(outcome, target), _count(stage, device) - before
    report.add(
        "their slot as it is (the control)",
        1,
        f"{opened} of theirs opened, as it must be",
        f"{counted} tag on their chain",
        passed=opened == counted == 1,
    )


def _opened(outcome: Outcome, target: bytes) -> int:
    return sum(one.handle == target for one in outcome.taken.opened) if outcome.taken else 0


def _stored_again(stage: Stage, target: bytes) -> bytes:
    """Root copies a stored row under a handle that nobody is named by."""
    stored, handle = stage.truth[target].stored, os.urandom(16)
    number = stage.room.holding("residents")
    batch = BatchRow(os.urandom(16), number, stored.epoch, stored.expires, stored.members, stored.sealed)
    stage.room.store.put_chunk(number, [RecordRow(handle, 1, batch.batch, b"", stored.body)], [batch])
    return handle


def _count(stage: Stage, device: Device) -> int:
    """Reads that the person finds, all of them proved."""
    stage.room.publish()
    found = view(stage, device, ask_reads(stage, device), fetch(stage.root / "public"))
    return len(found.chains[0].reads) if found.complete else -1000
