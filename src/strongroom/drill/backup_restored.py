"""Drill: an old copy of either house is put back, so that what was erased and corrected since is as it was (promises 3 and 7)."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from strongroom.client.device import Device
from strongroom.custody import upkeep
from strongroom.drill.attic import Attic
from strongroom.drill.falsehood import ask_reads, fetch, view
from strongroom.drill.intruder import Piece
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Scene
from strongroom.drill.stage import Stage, Theatre
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol, recovery

NAME = "backup-restored"
ATTACK = (
    "A record is erased and another corrected; then the vault and the keyholder are put back from copies of before."
)

_DAY = 86400
_ERASED, _CORRECTED, _WATCHED = 0, 1, 2


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    stage.take_in(residents=40, patients=0)
    copies, device = theatre.directory / "copies-of-before", stage.enrol(_WATCHED)
    shutil.rmtree(copies, ignore_errors=True)
    for house in ("vault", "keyholder"):
        shutil.copytree(stage.root / house, copies / house)
    erased, corrected, watched = (stage.handle_of(row) for row in (_ERASED, _CORRECTED, _WATCHED))
    scene = Scene(stage)
    other = next(handle for handle in stage.handles() if handle not in (erased, corrected, watched))
    gone, old = scene.pieces([erased]), scene.pieces([corrected])
    # After the copies: a read, an erasure, a correction, and a read whose request somebody has kept.
    scene.shares(stage.ask([watched]), scene.pieces([watched]))
    stage.erase(erased)
    stage.correct(corrected, {"name": "Another Name"})
    kept = scene.intruder.disclose(stage.ask([other]), scene.pieces([other]))
    scene.ask(kept)
    stage.room.publish()
    _vault_back(report, stage, scene, gone, old)
    progress("the keyholder is put back")
    _keyholder_back(report, stage, copies)
    _without_the_tail(report, stage, scene, kept.body)
    progress("it takes what it lacks from a mirror")
    _recover(report, stage)
    for what, code, outcome in (
        ("read the erased record after that", "erased", scene.shares(stage.ask([erased]), gone)),
        ("send a request of the lost time again", "used", scene.ask(kept)),
    ):
        given = "nothing" if outcome.taken is None else "a share"
        report.add(what, 1, given, f"refused: {outcome.code}", passed=outcome.code == code)
    _told_again(report, stage, scene, corrected, old)
    _marks(report, stage, scene, device, watched)
    progress("two rotations pass")
    _final(report, stage, copies)
    stage.close()


def _vault_back(report: Report, stage: Stage, scene: Scene, gone: list[Piece], old: list[Piece]) -> None:
    """Rows as they were before, sent as they were: the vault's copy has nothing else."""
    tries = (("the erased record", gone, "erased"), ("the version before the correction", old, "version"))
    for what, pieces, code in tries:
        outcome = scene.shares(stage.ask([pieces[0].handle]), pieces)
        given = "nothing" if outcome.taken is None else "a share"
        report.add(
            f"put the vault back and read {what}", 1, given, f"refused: {outcome.code}", passed=outcome.code == code
        )


def _keyholder_back(report: Report, stage: Stage, copies: Path) -> None:
    """Its whole directory as it was. What it has published since is beside it, and newer."""
    stage.keyholder.store.close()
    shutil.rmtree(stage.root / "keyholder")
    shutil.copytree(copies / "keyholder", stage.root / "keyholder")
    stage.keyholder = stage.open_keyholder(stage.root / "keyholder", stage.root / "public")
    try:
        stage.keyholder.started()
        code = ""
    except StrongroomError as error:
        code = error.code
    report.add(
        "start the keyholder from its copy",
        1,
        "it starts" if not code else "it does not start",
        code,
        passed=bool(code),
    )


def _without_the_tail(report: Report, stage: Stage, scene: Scene, body: bytes) -> None:
    """It is made to answer all the same, with what it published put away: each request says how far the vault is."""
    path = "/v1/disclose"
    signature = protocol.sign_request(stage.room.keys.room, path, body, stage.room.keys.message)
    codes = [
        scene.send(path, body, signature).code,
        scene.call("/v1/status", protocol.Plain(**scene.intruder.common())).code,
    ]
    report.add(
        "ask it without what it lacks, for the request that was kept and for its status",
        2,
        f"{codes.count('')} answers",
        f"refused: {', '.join(codes)}",
        passed="" not in codes,
    )


def _recover(report: Report, stage: Stage) -> None:
    mirror = stage.room.store.mirror

    def entries(start: int, stop: int) -> Iterable[bytes]:
        return mirror.entries(start, stop)

    source = recovery.Source("the mirror", mirror.checkpoint().decode(), entries, stage.room.store.roster, vault=True)
    before = stage.keyholder.book.size
    found = recovery.recover(stage.keyholder, [source])
    stage.keyholder.publish(stage.keyholder.now())
    stage.room.sync()
    report.add(
        "have it forget what it wrote since (the mirror gives it back)",
        1,
        f"{found.entries} entries after {before}",
        f"generation {found.generation}, {found.erasures} erasure, {found.asks} used asks",
        passed=found.entries > 0 and found.generation > 1 and found.erasures == 1,
    )


def _told_again(report: Report, stage: Stage, scene: Scene, corrected: bytes, old: list[Piece]) -> None:
    """Which versions are old the book does not say; the vault says it again, because of the notice."""
    told = sum(one.told for one in upkeep.run(stage.room))
    outcome = scene.shares(stage.ask([corrected]), old)
    report.add(
        "read the version before the correction after that",
        1,
        "nothing" if outcome.taken is None else "a share",
        f"{told} told again; refused: {outcome.code}",
        passed=outcome.code == "version",
    )


def _marks(report: Report, stage: Stage, scene: Scene, device: Device, watched: bytes) -> None:
    """One read before the copy was put back, one after: the person finds both, and no number was given twice."""
    stage.hands.wait(3600)
    stage.look_again()
    outcome = scene.shares(stage.ask([watched]), scene.pieces([watched]))
    stage.room.publish()
    found = view(stage, device, ask_reads(stage, device), fetch(stage.root / "public"))
    counts = [(chain.generation, len(chain.reads)) for chain in found.chains]
    report.add(
        "read somebody before and after, hoping for a mark that is given twice or not at all",
        2,
        f"{sum(count for _, count in counts)} marks found",
        ", ".join(f"{count} in generation {generation}" for generation, count in counts)
        + ("" if found.complete else "; a gap"),
        passed=outcome.taken is not None and found.complete and [count for _, count in counts] == [1, 1],
    )


def _final(report: Report, stage: Stage, copies: Path) -> None:
    """The day comes that was printed; then both houses put all they have together, the old copies too."""
    for _ in range(70):
        stage.hands.wait(_DAY)
        stage.keyholder.tick()
        upkeep.run(stage.room)
    vaults = [copies / "vault", stage.root / "vault"]
    attic = Attic(stage.root / "keyholder", vaults)
    opened = {handle for vault in vaults for _, handle, _ in attic.open(vault)}
    stage.look_again()
    living = set(stage.handles())
    report.add(
        "after the printed day, open the old copy and the new with all that both houses have",
        attic.tried,
        f"{len(opened - living)} of the erased, {len(opened & living)} of {len(living)} others, as it must be",
        "nothing",
        passed=not opened - living and living <= opened,
    )
