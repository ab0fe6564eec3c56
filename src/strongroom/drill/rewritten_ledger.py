"""Drill: the keyholder rewrites its book and signs it anew (THREATS.md, promise 4)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strongroom.client.device import Device
from strongroom.client.watch import Watcher
from strongroom.custody import read
from strongroom.drill.falsehood import FalseKeyholder, Rewrite, ask_reads, fetch, public_keys, view
from strongroom.drill.report import Progress, Report, listed
from strongroom.drill.stage import Stage, Theatre
from strongroom.errors import StrongroomError
from strongroom.ledger import audit, confirm, entry, note, tile
from strongroom.ledger.checkpoint import Checkpoint

NAME = "rewritten-ledger"
ATTACK = "The keyholder, with all its keys, rewrites what it has written, and signs and publishes it anew."

PERSON = 5
"""The row of the resident whose reads are to be forgotten."""


@dataclass
class Witnesses:
    """Those who have seen the book: the vault's mirror, a watcher with a file, a subject who kept the last checkpoint."""

    stage: Stage
    subject: Device
    kept: Checkpoint
    mine: int
    """Index of the last read of the subject."""

    def believers(self, false: FalseKeyholder, place: Path) -> tuple[list[str], list[str]]:
        """(who believes the false book, who finds what)."""
        believe, found = list[str](), list[str]()
        looks: dict[str, Callable[[], None]] = {
            "vault": lambda: self._vault(false, place), "third party": lambda: self._third(false, place), "subject": lambda: self._subject(false),
        }  # fmt: skip
        for who, look in looks.items():
            try:
                look()
                believe.append(who)
            except StrongroomError as error:
                found.append(f"{who}: {error.code}")
        return believe, found

    def _vault(self, false: FalseKeyholder, place: Path) -> None:
        """It looks at the book and, where it sees nothing wrong, reads: either must tell."""
        shutil.copytree(self.stage.root / "vault", place / "vault")
        vault = self.stage.open_vault(place / "vault", false)
        try:
            vault.sync()
            read.disclose(vault, self.stage.ask([self.stage.handle_of(PERSON + 1)]))
        finally:
            vault.close()

    def _third(self, false: FalseKeyholder, place: Path) -> None:
        state = shutil.copy(self.stage.root / "watched", place / "watched")
        Watcher(Path(state), fetch(false.public), public_keys(self.stage)).look()

    def _subject(self, false: FalseKeyholder) -> None:
        """Verifies the view it is shown, and that it only adds to what was shown before."""
        look = fetch(false.public)
        seen = view(self.stage, self.subject, ask_reads(self.stage, self.subject, false), look)
        audit.verify_growth(look, self.kept, seen.checkpoint)


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    progress("some days of honest reads, watched by vault, third party and subject")
    stage.take_in(residents=40, patients=0)
    witnesses = _watched(stage)
    for number, (attack, rewrite) in enumerate(_rewritings(stage, witnesses.mine)):
        progress(attack)
        place = stage.root / f"false-{number}"
        place.mkdir()
        false = FalseKeyholder(stage, place, rewrite)
        believe, found = witnesses.believers(false, place)
        false.close()
        if number == 0:
            report.add(attack, 3, f"{len(believe)} of 3 believe it, as they must", "", passed=len(believe) == 3)
        else:
            got = f"{len(believe)} of 3 believe it" + (f" ({listed(believe)})" if believe else "")
            report.add(attack, 3, got, ", ".join(found), passed=not believe)
    _one_person(report, stage, witnesses)
    _two_books(report, stage)
    _public_copy(report, stage)
    stage.close()


def _watched(stage: Stage) -> Witnesses:
    subject = stage.enrol(PERSON)
    mine = 0
    for row in (1, PERSON, 2, PERSON, 3, PERSON):
        mine = read.disclose(stage.room, stage.ask([stage.handle_of(row)])).index
        stage.hands.wait(20_000)
    for row in (7, 8):
        read.disclose(stage.room, stage.ask([stage.handle_of(row)]))
    stage.room.publish()
    Watcher(stage.root / "watched", fetch(stage.root / "public"), public_keys(stage)).look()
    seen = view(stage, subject, ask_reads(stage, subject), fetch(stage.root / "public"))
    assert seen.complete, "the honest book is whole"
    return Witnesses(stage, subject, seen.checkpoint, mine)


def _rewritings(stage: Stage, mine: int) -> list[tuple[str, Rewrite]]:
    beat = entry.encode(entry.HeartbeatEntry(v=1, time=stage.room.now()))

    def changed(old: bytes, new: bytes) -> Rewrite:
        return lambda items: [*items[:mine], _swap(items[mine], old, new), *items[mine + 1 :]]

    return [
        ("an honest book that grew by two entries (the control)", lambda items: [*items, beat, beat]),
        ("an entry dropped", lambda items: items[:mine] + items[mine + 1 :]),
        ("an entry dropped, and another added at the end", lambda items: [*items[:mine], *items[mine + 1 :], beat]),
        ("an entry dropped, and the book grown since", lambda items: [*items[:mine], *items[mine + 1 :], beat, beat, beat]),
        ("an entry's purpose changed", changed(b'"purpose":"confirm"', b'"purpose":"reach"')),
        ("an entry's tag changed", lambda items: [*items[:mine], _retagged(items[mine]), *items[mine + 1 :]]),
        ("two entries exchanged", lambda items: [*items[:-2], items[-1], items[-2], beat]),
        ("the last two entries cut off", lambda items: items[:-2]),
        ("the last two cut off, and the book grown since", lambda items: [*items[:-2], beat, beat, beat]),
        ("forked: as long, with other entries from there on", lambda items: [*items[:mine], *[beat] * len(items[mine:])]),
        ("begun anew from the charters", lambda items: [*items[:2], *[beat] * len(items)]),
    ]  # fmt: skip


def _swap(item: bytes, old: bytes, new: bytes) -> bytes:
    assert old in item, "there is something to change"
    return item.replace(old, new)


def _retagged(item: bytes) -> bytes:
    found = entry.parse(item)
    assert isinstance(found, entry.DisclosureEntry)
    return entry.encode(
        entry.DisclosureEntry(
            **{name: getattr(found, name) for name in found.__struct_fields__} | {"tags": [os.urandom(16)]}
        )
    )


def _one_person(report: Report, stage: Stage, witnesses: Witnesses) -> None:
    """A book forked for one person, who has never looked before: the vault has not cosigned it."""
    place = stage.root / "one-person"
    place.mkdir()
    beat = entry.encode(entry.HeartbeatEntry(v=1, time=stage.room.now()))
    at = witnesses.mine
    false = FalseKeyholder(stage, place, lambda items: [*items[:at], *[beat] * (len(items) - at + 1)])
    found = []
    for _ in range(2):
        try:
            view(stage, witnesses.subject, ask_reads(stage, witnesses.subject, false), fetch(false.public))
        except StrongroomError as error:
            found.append(str(error).partition(":")[0])
        # The second time without the vault's true word beside it.
        (false.public / confirm.PATH).unlink(missing_ok=True)
    false.close()
    report.add(
        "a fork for one person alone, who has seen no other",
        2,
        f"{2 - len(found)} of 2 believed",
        ", ".join(found),
        passed=len(found) == 2,
    )


def _two_books(report: Report, stage: Stage) -> None:
    """One book for the vault and one for the public, both grown honestly from what everybody has seen."""
    place = stage.root / "two-books"
    place.mkdir()
    beat = entry.encode(entry.HeartbeatEntry(v=1, time=stage.room.now()))
    read.disclose(stage.room, stage.ask([stage.handle_of(PERSON)]))
    vaults, signer = note.open_checkpoint(stage.room.mirror.note, public_keys(stage))
    false = FalseKeyholder(stage, place, lambda items: [*items[:-1], beat])
    text = (false.public / "checkpoint").read_text()
    publics, signers = note.open_checkpoint(text, public_keys(stage))
    names = {one.name for one in signer} - {one.name for one in signers}
    seen = []
    if any(name.endswith("/vault") for name in names):
        seen.append("no cosignature of the vault under the public one")
    if vaults.size == publics.size and vaults.root != publics.root:
        seen.append(f"two signed roots at size {vaults.size}: proof against the keyholder")
    try:
        audit.verify_growth(fetch(false.public), vaults, publics)
    except StrongroomError as error:
        seen.append(f"whoever compares: {error.code}")
    false.close()
    report.add(
        "one book for the vault, another for the public",
        1,
        f"found in {len(seen)} of 3 ways",
        "; ".join(seen),
        passed=len(seen) == 3,
    )


def _public_copy(report: Report, stage: Stage) -> None:
    """Whoever serves the public files has no key: what they change is told by what is left."""
    stage.room.publish()
    public, keys = stage.root / "public", public_keys(stage)
    size = audit.audit(fetch(public), keys, None).size
    paths = [public / tile.path(*one) for one in tile.published(0, size)]
    paths += [public / "checkpoint", *sorted((public / "tags").iterdir())]
    tried, believed, found = 0, 0, set[str]()
    for path in paths:
        honest = path.read_bytes()
        for false in _falsified(path, honest):
            path.unlink() if false is None else path.write_bytes(false)
            tried += 1
            try:
                audit.audit(fetch(public), keys, None)
                believed += 1
            except StrongroomError as error:
                found.add(error.code)
            path.write_bytes(honest)
    report.add(
        "files of the public copy changed, cut short and taken away",
        tried,
        f"{believed} changes believed",
        f"auditor: {', '.join(sorted(found))}",
        passed=not believed,
    )


def _falsified(path: Path, honest: bytes) -> list[bytes | None]:
    middle = len(honest) // 2
    found: list[bytes | None] = [
        honest[:middle] + bytes([honest[middle] ^ 1]) + honest[middle + 1 :],
        honest[:-1],
        None,
    ]
    if b'"purpose":"confirm"' in honest:
        # An entry that is in order, but another: only the tree tells.
        entries = tile.parse_bundle(honest, int(path.name))
        entries[-1] = _swap(entries[-1], b'"purpose":"confirm"', b'"purpose":"reach"')
        found.append(tile.bundle(entries))
    return found
