"""Drill: reading what is past its date (THREATS.md, promise 7)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from strongroom.custody import read
from strongroom.custody.intake import epochs
from strongroom.drill.attic import Attic
from strongroom.drill.intruder import Piece
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Scene
from strongroom.drill.stage import CASE, REASON, Stage, Theatre
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.seal import slot
from strongroom.seal.epoch import NEVER, epoch_text

NAME = "expired-epoch"
ATTACK = "Health codes are kept for 14 days. On the 15th the vault, its operator and old copies try to read them."

_DAY, _RETENTION = 86400, 14
_CODES = 12


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=20, patients=0)
    rows = [{"id-number": one["id-number"] or "", "code": "green"} for one in stage.people["residents"][:_CODES]]
    stage.admit("health-codes", rows, "set-code", "dora", ["odd"])
    handles = stage.handles("health-codes")
    copies = Path(theatre.directory / "copies")
    shutil.rmtree(copies, ignore_errors=True)
    shutil.copytree(stage.root / "keyholder" / "epochs", copies / "epochs")
    _control(report, stage, handles[0])
    # The day comes, and the keyholder has not yet come to destroy anything.
    stage.hands.wait((_RETENTION * _DAY) - stage.room.now() % _DAY + 60)
    progress("the day has come, the key is still there")
    scene = Scene(stage, "health-codes")
    attempts = _attempts(scene, handles)
    _try(report, scene, attempts, "on the day, before the key is destroyed")
    _reseal(report, stage, "resealed to a later key on the day")
    vault = copies / "vault"
    shutil.copytree(stage.root / "vault", vault)
    stage.keyholder.tick()
    _entry(report, stage)
    progress("the key is destroyed")
    _try(report, scene, attempts, "after the key is destroyed")
    _reseal(report, stage, "resealed to a later key, after")
    _new_key(report, stage)
    progress("the key's file is put back from a copy")
    _put_back(report, stage, copies, vault)
    _clock_back(report, stage, scene)
    stage.close()


def _control(report: Report, stage: Stage, handle: bytes) -> None:
    shown = read.disclose(stage.room, stage.ask([handle], ["code"], "contain", "dora", "health-codes"))
    seen = shown.values[0]["code"] == "green"
    report.add("within the 14 days (the control)", 1, f"{int(seen)} code, as it must be", "disclosure", passed=seen)


def _attempts(scene: Scene, handles: list[bytes]) -> dict[str, Callable[[Piece], Piece]]:
    """What root may write about a batch that would make it seem to last."""
    epoch = scene.stage.truth[handles[0]].stored.epoch
    return {
        "as it is stored": lambda piece: piece,
        "under a later expiry": lambda piece: replace(piece, expires=piece.expires + 30),
        "as what never expires": lambda piece: replace(piece, expires=NEVER),
        "under another epoch": lambda piece: replace(piece, epoch=epoch + 30, expires=NEVER),
    }


def _try(report: Report, scene: Scene, attempts: dict[str, Callable[[Piece], Piece]], when: str) -> None:
    """Each attempt asks with a good ask of the doctor who may."""
    opened, codes, refusals = 0, list[str](), 0
    for change in attempts.values():
        (handle,) = scene.handles()
        scene.stage.room.sync()
        before = scene.stage.keyholder.book.size
        signed = scene.stage.ask([handle], ["code"], "contain", "dora", "health-codes")
        outcome = scene.shares(signed, [change(piece) for piece in scene.pieces([handle], (2,))])
        opened += len(outcome.taken.opened) if outcome.taken else 0
        codes.append(outcome.code or "given")
        refusals += sum(isinstance(one, entry.RefusalEntry) for one in scene.entries(before))
    given = opened or "given" in codes
    seen = f"refused: {', '.join(sorted(set(codes)))}; {refusals} refusals in the book"
    report.add(
        f"read {when}: {', '.join(attempts)}",
        len(attempts),
        f"{opened} codes",
        seen,
        passed=not given and refusals == len(attempts),
    )


def _reseal(report: Report, stage: Stage, attack: str) -> None:
    """What is past its date gets no later key, whatever the vault says of it."""
    store, number = stage.room.store, stage.room.holding("health-codes")
    row = next(row for row in store.batches() if row.holding == number)
    places = b"".join(
        slot.places(*zip(*[(handle, version) for handle, version, _ in store.members(row.batch)], strict=True))
    )
    later, _ = epochs.current(stage.room, "health-codes")
    codes = []
    for expires in (row.expires, row.expires + 30, NEVER):
        aging = protocol.Aging(deltas=b"", epoch=row.epoch, expires=expires, members=places, sealed=row.sealed)
        request = protocol.Reseal(**stage.room.common(), batches=[aging], epoch=later, holding="health-codes")
        try:
            stage.room.client.call("/v1/reseal", request)
            codes.append("given")
        except StrongroomError as error:
            codes.append(error.code)
    report.add(
        f"have it {attack}",
        len(codes),
        f"{codes.count('given')} resealed",
        f"refused: {', '.join(codes)}",
        passed="given" not in codes,
    )


def _entry(report: Report, stage: Stage) -> None:
    epoch = next(known.stored.epoch for known in stage.truth.values() if known.holding == "health-codes")
    written = [entry.parse(item.encode()) for item in stage.keyholder.book.entries(0, 10**6)]
    found = [
        one
        for one in written
        if isinstance(one, entry.ExpiryEntry) and (one.holding, one.epoch) == ("health-codes", epoch)
    ]
    gone = ("health-codes", epoch) not in stage.keyholder.epochs.files.listed()
    report.add(
        "keep the key past its day",
        1,
        "the file is gone" if gone else "the file is there",
        f"{len(found)} expiry entry for {epoch_text(epoch)}",
        passed=gone and len(found) == 1,
    )


def _new_key(report: Report, stage: Stage) -> None:
    """Another key for the same day would take the place of the one that is gone."""
    epoch = next(known.stored.epoch for known in stage.truth.values() if known.holding == "health-codes")
    request = protocol.Epoch(**stage.room.common(), holding="health-codes", epoch=epoch)
    try:
        stage.room.client.call("/v1/epoch", request)
        code = ""
    except StrongroomError as error:
        code = error.code
    report.add(
        "have a new key made for the day that is past",
        1,
        "none" if code else "a key",
        f"refused: {code}",
        passed=code == "epoch",
    )


def _put_back(report: Report, stage: Stage, copies: Path, vault: Path) -> None:
    """Somebody puts the key's file back, from a copy that should not have been made."""
    for path in (copies / "epochs").iterdir():
        if not (stage.root / "keyholder" / "epochs" / path.name).exists():
            shutil.copy(path, stage.root / "keyholder" / "epochs")
    before = len(stage.keyholder.epochs.files.listed())
    scene = Scene(stage, "health-codes")
    (handle,) = scene.handles()
    signed = stage.ask([handle], ["code"], "contain", "dora", "health-codes")
    outcome = scene.shares(signed, scene.pieces([handle], (2,)))
    stage.keyholder.tick()
    left = before - len(stage.keyholder.epochs.files.listed())
    report.add(
        "put the key's file back from a copy",
        1,
        "refused" if outcome.code else "given",
        f"refused: {outcome.code}; destroyed again: {left}",
        passed=outcome.code == "epoch" or (outcome.code == "expired" and left > 0),
    )
    codes = [one for one in Attic(stage.root / "keyholder", [vault]).open(vault) if one[0] == "health-codes"]
    report.add(
        "open the vault's copy of before with all that both houses have left",
        _CODES,
        f"{len(codes)} codes",
        "nothing",
        passed=not codes,
    )


def _clock_back(report: Report, stage: Stage, scene: Scene) -> None:
    """The keyholder's clock is set back to when it was still to be read, and the keyholder is started anew."""
    (handle,) = scene.handles()
    asker, pieces = stage.asker("dora"), scene.pieces([handle], (2,))
    stage.hands.jump(-2 * _DAY)
    signed = asker.disclose("health-codes", "contain", [handle], ["code"], CASE, REASON, stage.room.now())
    stage.keyholder.store.close()
    stage.keyholder = stage.open_keyholder(stage.root / "keyholder", stage.root / "public")
    outcome = scene.shares(signed, pieces)
    stage.hands.jump(2 * _DAY)
    opened = len(outcome.taken.opened) if outcome.taken else 0
    report.add(
        "start the keyholder with its clock two days back",
        1,
        f"{opened} codes",
        f"refused: {outcome.code}",
        passed=bool(outcome.code),
    )
