"""Drill: a red code for somebody who is well (THREATS.md, promise 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from strongroom.canonical import encode
from strongroom.client.device import Device
from strongroom.custody import book, ceremony, read
from strongroom.custody.intake.importer import Source, import_file
from strongroom.custody.intake.report import Report as Imported
from strongroom.custody.intake.sealing import Records, Sealer
from strongroom.custody.intake.window import Errand, index, open_window
from strongroom.drill import bad_seconds, charter
from strongroom.drill.attempts import Attempts
from strongroom.drill.falsehood import ask_reads, fetch, view
from strongroom.drill.report import Progress, Report
from strongroom.drill.scene import Outcome, Scene
from strongroom.drill.stage import CASE, REASON, Stage, Theatre
from strongroom.ledger import entry
from strongroom.synth import people

NAME = "red-code"
ATTACK = "A health code is set to red without evidence, by one organ alone, or behind its person's back."

HOLDING, PURPOSE = "health-codes", "set-code"
EVIDENCE = "a positive test, laboratory 4, this morning"
BLANK = (None, "", "   ", "\t\n", "\u00a0\u3000", "\u200b", "\u2060\ufeff")
"""Evidence that there is not: left out, empty, white space of several kinds, characters that nobody sees."""

EMPTY_WORDS = ("x", "evidence", "see file", "\u3164")
"""Evidence that says nothing, and a letter of Korean script that is white."""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    numbers = [one["id-number"] for one in people.people(20, 23)]
    green = [{"id-number": number, "code": "green"} for number in numbers[:10]]
    stage.admit(HOLDING, green, PURPOSE, "dora", ("odd",))
    device = stage.enrol(0, HOLDING)
    progress("codes without evidence")
    _without_evidence(report, stage, numbers)
    progress("one organ alone")
    _alone(report, stage)
    _past_the_gate(report, stage)
    _quietly(report, stage)
    progress("rightly, by two organs")
    _rightly(report, stage, device)
    progress("root on the vault sets one itself")
    _root(report, stage, device)
    stage.close()


def _set(stage: Stage, rows: Sequence[Mapping[str, str]], name: str, seconds: Sequence[str]) -> Imported:
    """By way of the honest vault: a code that somebody has already is set anew."""
    path = stage.root / "codes.jsonl"
    path.write_bytes(b"".join(encode(dict(row)) + b"\n" for row in rows))
    others = tuple(stage.key_of(one) for one in seconds)
    errand = Errand(stage.asker(name), PURPOSE, CASE, REASON, others)
    bad = path.with_suffix(".bad.csv")
    done = import_file(stage.room, Source(path), HOLDING, errand, upsert="id-number", bad_rows=bad, workers=1)
    stage.look_again()
    return done


def _without_evidence(report: Report, stage: Stage, numbers: Sequence[str]) -> None:
    """Of somebody who has a green code, and of somebody who has none yet."""
    rows = [
        {"id-number": number, "code": code} | ({} if blank is None else {"evidence": blank})
        for number in (numbers[1], numbers[11])
        for code in ("red", "yellow")
        for blank in BLANK
    ]
    done = _set(stage, rows, "dora", ("odd",))
    report.add(
        "set red and yellow without evidence, as two organs, by way of the honest vault",
        len(rows),
        f"{done.stored} codes set",
        f"{done.bad} rows sent back: evidence is missing",
        passed=done.stored == 0 and done.bad == len(rows),
    )


def _alone(report: Report, stage: Stage) -> None:
    row = {"id-number": stage.people[HOLDING][2]["id-number"] or "", "code": "red", "evidence": EVIDENCE}
    tally = Attempts(Scene(stage, HOLDING), "vault")
    for name, seconds in (
        ("dora", ()), ("dora", ("dora",)), ("dora", ("emil",)), ("dora", ("ana",)), ("odd", ()), ("odd", ("odd",)), ("odd", ("dee",)),
    ):  # fmt: skip
        tally.reader(partial(_set, stage, [row], name, seconds))
    tally.report(report, "set one red with evidence, by one organ alone, by way of the honest vault", "codes set")


def _past_the_gate(report: Report, stage: Stage) -> None:
    """Root sends what one organ signed to the keyholder itself."""
    scene = Scene(stage, HOLDING)
    tally = Attempts(scene)
    for make in (
        bad_seconds.by(), bad_seconds.by("dora"), bad_seconds.by("emil"), bad_seconds.by("ana"), bad_seconds.by_stranger, bad_seconds.forged,
        bad_seconds.of_another_ask, bad_seconds.as_asker, bad_seconds.out_of_order, bad_seconds.twice,
    ):  # fmt: skip
        tally.root(partial(make, scene))
    tally.root(partial(_after_leaving, scene))
    # What has no good signature is not written, or anybody could fill the book.
    passed = not tally.given and tally.codes.keys() == {"countersign"}
    got = f"{tally.given} codes indexed"
    attack = "the same by root past the gate, with second signatures missing, forged, borrowed and outdated"
    report.add(attack, tally.tried, got, f"{tally.codes.total()} refused: countersign", passed=passed)


def _after_leaving(scene: Scene) -> Outcome:
    """A doctor has left the hospital: the line is gone from the roster, and the device is still in the drawer."""
    stage = scene.stage
    steward = ceremony.load_steward(stage.root / "steward" / "steward.key")
    left = stage.key_of("emil").public
    lines = [line for line in ceremony.latest_roster(stage.room) if line.key != left]
    ceremony.amend(stage.room, steward, lambda latest: latest, lines)
    signed = scene.seconded(scene.intake(1, "odd", HOLDING, PURPOSE), "emil")
    return scene.ask(scene.intruder.intake(signed, "id-number", scene.inners(1, HOLDING)))


def _quietly(report: Report, stage: Stage) -> None:
    """Under a purpose that tells nobody and wants no second signature; or by whoever has none."""
    scene = Scene(stage, HOLDING)
    tally = Attempts(scene)
    purposes = stage.keyholder.charter.purposes
    for name, (role, _) in charter.PEOPLE.items():
        for purpose, one in sorted(purposes.items()):
            if "intake" in one.actions and not (purpose == PURPOSE and role in one.roles) and name != "emil":
                signed = scene.intake(1, name, HOLDING, purpose)
                request = scene.intruder.intake(signed, "id-number", scene.inners(1, HOLDING))
                tally.root(partial(scene.ask, request))
    tally.report(
        report, "take a code in under another purpose, which tells nobody, or as another reader", "codes indexed"
    )


# --- what it looks like when it is done -------------------------------------------------------------------------------
def _settings(stage: Stage, device: Device) -> list[tuple[int, entry.Entry]]:
    """Index and entry of whatever the person finds, all of it proved."""
    stage.room.publish()
    found = view(stage, device, ask_reads(stage, device), fetch(stage.root / "public"))
    assert found.complete
    return [(one.index, one.entry) for one in found.chains[0].reads]


def _organs(stage: Stage, index: int) -> set[str]:
    """Units that signed, as the auditor finds them behind an entry."""
    opened = book.opened(stage.room, index, stage.root / "steward" / "auditor.key")
    return {opened.line.unit, *[line.unit for line in opened.countersigners.values()]}


def _rightly(report: Report, stage: Stage, device: Device) -> None:
    before = len(_settings(stage, device))
    row = {"id-number": stage.people[HOLDING][0]["id-number"] or "", "code": "red", "evidence": EVIDENCE}
    done = _set(stage, [row], "dora", ("odd",))
    fresh = _settings(stage, device)[before:]
    told = [one for _, one in fresh if isinstance(one, entry.IntakeEntry) and len(one.countersigners) == 1]
    organs = _organs(stage, fresh[-1][0]) if fresh else set()
    report.add(
        "one set red with evidence, by two organs (the control)",
        1,
        f"{done.stored} code set, as it must be",
        f"{len(told)} intake with 1 countersigner on the person's chain; behind it {', '.join(sorted(organs))}",
        passed=done.stored == 1 and len(told) == 1 and organs == {"hospital", "epidemic-office"},
    )


def _read(stage: Stage, handle: bytes) -> str | None:
    signed = stage.ask([handle], ("code",), "contain", "dora", HOLDING)
    return read.disclose(stage.room, signed).values[0]["code"]


def _root(report: Report, stage: Stage, device: Device) -> None:
    """Limits: what root does when nobody can be fooled. Once while two organs have a window open for something else, once
    with nothing at all."""
    handle, before = stage.handle_of(0, HOLDING), len(_settings(stage, device))
    errand = Errand(stage.asker("dora"), PURPOSE, CASE, REASON, (stage.key_of("odd"),))
    index(stage.room, open_window(stage.room, HOLDING, errand, 1), {"id-number": [stage.inner(0, HOLDING)]})
    _store_red(stage, handle)
    seen = _read(stage, handle)
    found = _settings(stage, device)[before:]
    kinds = [str(one.__struct_config__.tag) for _, one in found]
    report.limit(
        f"two organs sign for a green code and root seals a {seen} one without evidence: on the person's chain stand"
        f" {' and '.join(kinds)}, behind the intake the signatures of {' and '.join(sorted(_organs(stage, found[0][0])))};"
        " which colour they meant, the ask does not say"
    )
    before += len(found)
    _store_red(stage, handle)
    seen = _read(stage, handle)
    kinds = [str(one.__struct_config__.tag) for _, one in _settings(stage, device)[before:]]
    report.limit(
        f"sealing needs no keyholder: root stores a {seen} code that nobody asked for, and it is believed. On the person's chain"
        f" stands its {' and '.join(kinds)}, and no intake that set it"
    )
    rows = [
        {"id-number": stage.people[HOLDING][at]["id-number"] or "", "code": "red", "evidence": text}
        for at, text in enumerate(EMPTY_WORDS, 4)
    ]
    done = _set(stage, rows, "dora", ("odd",))
    report.limit(
        f"what the evidence is worth the vault cannot tell: {done.stored} of {len(rows)} red codes were set on evidence such as"
        f" {EMPTY_WORDS[0]!r}; those two who signed answer for it"
    )


def _store_red(stage: Stage, handle: bytes) -> None:
    known = stage.truth[handle]
    declared = stage.room.rules().charter.holdings[HOLDING]
    values = {**stage.people[HOLDING][known.number], "code": "red", "evidence": None}
    made = Sealer(stage.room, HOLDING, declared).seal(
        Records(
            [handle],
            [known.stored.version + 1],
            {"id-number": [known.who]},
            [known.stored.tokens],
            {name: [value] for name, value in values.items()},
        )
    )
    stage.room.store.put_chunk(stage.room.holding(HOLDING), made.rows, [made.batch])
    stage.look_again()
