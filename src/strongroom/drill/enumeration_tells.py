"""Whether what a vault says tells who is here: taking people in, misses, records that there are not, what refusals quote (part of
``enumeration``)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from strongroom.canonical import encode
from strongroom.client import subject
from strongroom.client.device import SignedAsk
from strongroom.custody import check, export, read
from strongroom.custody.intake.importer import Source, check_file, import_file
from strongroom.custody.intake.report import Progress
from strongroom.custody.intake.window import Errand
from strongroom.drill import enumeration_doors
from strongroom.drill.report import Report, listed
from strongroom.drill.stage import CASE, REASON, Stage
from strongroom.errors import InputError, StrongroomError
from strongroom.ledger import entry

Row = dict[str, str]


def run(report: Report, stage: Stage, others: Sequence[Row]) -> None:
    """``others`` are not here."""
    here: list[Row] = [{name: value or "" for name, value in row.items()} for row in stage.people["residents"]]
    codes = [{"id-number": row["id-number"], "code": "green"} for row in here[:8]]
    stage.admit("health-codes", codes, "set-code", "dora", ["odd"])
    _intake(report, stage, here, others)
    _misses(report, stage, here, others)
    _no_record(report, stage)
    _quotes(report, stage)


# --- taking people in ------------------------------------------------------------------------------------------------------
def _intake(report: Report, stage: Stage, here: Sequence[Row], others: Sequence[Row]) -> None:
    """The same row but for whom it is about: once somebody who is here, once somebody who is not."""
    ways: dict[str, Callable[[Row], object]] = {
        "as a new resident": lambda one: _taken(stage, "residents", one, "register", "rui"),
        "with a new code": lambda one: _taken(stage, "health-codes", _code(one), "set-code", "dora", ["odd"]),
        "with a code in the old one's place": lambda one: _taken(
            stage, "health-codes", _code(one), "set-code", "dora", ["odd"], upsert="id-number"
        ),
        "only to be looked through": lambda one: _looked_through(stage, one),
    }
    told = [what for at, (what, way) in enumerate(ways.items()) if way(here[at]) != way(others[at])]
    before = _counts(stage)
    _taken(stage, "health-codes", _code(here[5]), "set-code", "dora", ["odd"], upsert="id-number")
    known = _grown(before, before := _counts(stage))
    _taken(stage, "health-codes", _code(others[5]), "set-code", "dora", ["odd"], upsert="id-number")
    unknown = _grown(before, _counts(stage))
    report.add(
        f"take in somebody who may be here, {', '.join(ways)}",
        2 * len(ways),
        f"{len(told)} tell{_of(told)}",
        "the same reports, progress, errors, jobs and entries for both",
        passed=not told,
    )
    report.limit(
        f"whoever sees what `status` counts sees it: taken in to take a record's place, somebody who is here adds {known}, somebody"
        f" who is not {unknown}. Such an intake tells: it is on that person's chain"
    )


def _code(one: Row) -> Row:
    return {"id-number": one["id-number"], "code": "yellow", "evidence": "a contact that is none"}


def _taken(
    stage: Stage, holding: str, row: Row, purpose: str, name: str, seconds: Sequence[str] = (), upsert: str = ""
) -> object:
    """All that whoever takes it in, and the public, can see of it but times and random names."""
    path, room = _file(stage, row), stage.room
    errand = Errand(stage.asker(name), purpose, CASE, REASON, tuple(stage.key_of(one) for one in seconds))
    start, shown = stage.keyholder.book.size, list[Progress]()
    side = path.with_suffix(".bad.csv")
    try:
        done = import_file(
            room,
            Source(path),
            holding,
            errand,
            upsert=upsert,
            bad_rows=side,
            workers=1,
            again=True,
            progress=shown.append,
        )
    except StrongroomError as error:
        return type(error), str(error)
    job = room.store.jobs.get(bytes.fromhex(done.job))
    said = done.rows, done.stored, done.bad, done.bad_rows, len(done.entries), done.resumed, done.already, done.verified
    on_the_way = [(one.rows, one.bad) for one in shown]
    return said, on_the_way, (job.rows, job.bad, job.unverified), side.exists(), _public(stage, start)


def _looked_through(stage: Stage, row: Row) -> object:
    path = _file(stage, row)
    done = check_file(stage.room, Source(path), "residents", bad_rows=path.with_suffix(".bad.csv"))
    return done.rows, done.stored, done.bad, done.odd


def _file(stage: Stage, row: Row) -> Path:
    path = stage.root / "one.jsonl"
    path.write_bytes(encode(row) + b"\n")
    return path


def _public(stage: Stage, start: int) -> list[tuple[str, int, int]]:
    """What the book says since ``start``: kinds of entries, what they count, how many marks they have, but no names."""
    found = [entry.parse(text.encode()) for text in stage.keyholder.book.entries(start, 1000)]
    return [
        (type(one).__name__, getattr(one, "count", 0), len(entry.entry_tags(one)))
        for one in found
        if not isinstance(one, entry.HeartbeatEntry)
    ]


def _counts(stage: Stage) -> tuple[int, int]:
    return next((row.records, row.versions) for row in stage.room.store.holdings() if row.name == "health-codes")


def _grown(before: tuple[int, int], after: tuple[int, int]) -> str:
    return f"{after[0] - before[0]} records and {after[1] - before[1]} version"


# --- a miss ------------------------------------------------------------------------------------------------------------------
def _misses(report: Report, stage: Stage, here: Sequence[Row], others: Sequence[Row]) -> None:
    """Somebody beside the wire, and the public: were those who were looked up here? Each time in a copy of the same room, since
    numbers and proofs grow with the book."""
    hits, misses = (_overheard(stage, name, rows[20:26]) for name, rows in (("hits", here), ("misses", others)))
    told = sum(hit != miss for hit, miss in zip(hits, misses, strict=True))
    report.add(
        "tell a hit from a miss by requests, answers and entries: how many, and how long",
        len(hits) + len(misses),
        f"{told} told apart",
        "the same for both",
        passed=not told,
    )


def _overheard(stage: Stage, name: str, rows: Sequence[Row]) -> list[object]:
    root = stage.root.with_name(f"{stage.root.name}-{name}")
    shutil.copytree(stage.root, root)
    other = Stage(root, stage.hands)
    wire: list[tuple[str, int, int]] = []

    def overheard(path: str, signature: bytes, body: bytes) -> bytes:
        answer = other.transport(path, signature, body)
        wire.append((path, len(body), len(answer)))
        return answer

    room, seen = other.open_vault(root / "vault", overheard), list[object]()
    for at, row in enumerate(rows):
        kind, field = (("resident-id", "id-number"), ("phone", "phone"))[at % 2]
        ask = other.asker().find("residents", "confirm", kind, row[field], CASE, REASON, room.now())
        room.sync()
        wire.clear()
        start = other.keyholder.book.size
        read.find(room, ask)
        seen.append((list(wire), list(map(len, other.keyholder.book.entries(start, 1000))), _public(other, start)))
    room.close()
    other.close()
    return seen


# --- records that there are not ----------------------------------------------------------------------------------------------
def _no_record(report: Report, stage: Stage) -> None:
    """A record of another holding is answered as one that nobody has."""
    path = stage.root / "none.jsonl"
    ways: dict[str, Callable[[bytes], object]] = {
        "read": lambda one: read.disclose(stage.room, stage.ask([one])),
        "ask about": lambda one: check.check(stage.room, _question(stage, one, "+861000000000")),
        "correct": lambda one: stage.correct(one, {"name": "Nobody"}),
        "erase": stage.erase,
        "export": lambda one: export.export(
            stage.room,
            stage.mandate("arno", "residents", "hand-over"),
            export.Wanted(path, "jsonl", ("name",), (one,), None),
        ),
    }
    other, told, given = stage.handles("health-codes")[0], list[str](), 0
    for what, way in ways.items():
        answers = []
        for handle in (os.urandom(16), other):
            start = stage.keyholder.book.size
            try:
                way(handle)
                given += 1
            except StrongroomError as error:
                answers.append((type(error), str(error).replace(handle.hex(), "HANDLE"), _public(stage, start)))
        if len(answers) != 2 or answers[0] != answers[1]:
            told.append(what)
    report.add(
        f"{', '.join(ways)} a record by the handle that it has in another holding",
        2 * len(ways),
        f"{given} answered, {len(told)} told apart{_of(told)}",
        "refused as one that there is not",
        passed=not told and not given,
    )


def _question(stage: Stage, handle: bytes, value: str) -> SignedAsk:
    asker, now = stage.asker(), stage.room.now()
    return asker.check("residents", "ask-age", [handle], "phone", "matches", value, CASE, REASON, now)


# --- what refusals quote -----------------------------------------------------------------------------------------------------
NAMED, TYPED = "wang-xiaoming-of-willow-lane", "13812345678901"
"""What a reader types in the wrong place: as a name of the charter, and as a value that is none."""


def _quotes(report: Report, stage: Stage) -> None:
    room, why, target = stage.room, (CASE, REASON), stage.handles()[0]

    def found(holding: str, purpose: str, kind: str, value: str) -> object:
        return read.find(room, stage.asker().find(holding, purpose, kind, value, *why, room.now()))

    def taken_in() -> object:
        row = {"id-number": TYPED, "name": "Nobody", "phone": TYPED}
        raise InputError(str(_taken(stage, "residents", row, "register", "rui")))

    ways: dict[str, Callable[[], object]] = {
        "purpose": lambda: found("residents", NAMED, "resident-id", TYPED),
        "holding": lambda: found(NAMED, "confirm", "resident-id", TYPED),
        "kind": lambda: found("residents", "confirm", NAMED, TYPED),
        "identifier": lambda: found("residents", "confirm", "resident-id", TYPED),
        "field": lambda: read.disclose(room, stage.ask([target], [NAMED])),
        "question": lambda: check.check(room, _question(stage, target, TYPED)),
        "reason": lambda: read.find(
            room, stage.asker().find("residents", "confirm", "phone", TYPED, CASE, f"xxx {TYPED}", room.now())
        ),
        "correction": lambda: stage.correct(target, {"phone": TYPED}),
        "row": taken_in,
        "code": lambda: subject.enrol(
            stage.client(stranger := enumeration_doors.stranger()), stranger, TYPED, room.now()
        ),
    }
    quoted = []
    for what, way in ways.items():
        start = stage.keyholder.book.size
        try:
            way()
            said = "it was taken"
        except StrongroomError as error:
            said = f"{error!r} {error}"
        said += "".join(stage.keyholder.book.entries(start, 1000))
        said += "".join(path.read_text() for path in stage.root.glob("*.csv"))
        if NAMED in said or TYPED in said or "it was taken" in said:
            quoted.append(what)
    report.add(
        f"have what was typed shown to others: a {', '.join(ways)} that is none",
        len(ways),
        f"{len(quoted)} quoted{_of(quoted)}",
        "errors, refusals in the book and lists of bad rows without it",
        passed=not quoted,
    )


def _of(parts: Sequence[str]) -> str:
    return f" ({listed(parts)})" if parts else ""
