"""Drill: a year in the life of the city; then what is erased or past its date is looked for with everything at hand (promises 1, 5, 7)."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

from strongroom.custody import fsck
from strongroom.drill.attic import Attic, Opened
from strongroom.drill.report import Progress, Report
from strongroom.drill.stage import Theatre
from strongroom.drill.year.city import DAY, City, found
from strongroom.drill.year.days import WATCHED, Days
from strongroom.drill.year.truth import MARKERS, Truth
from strongroom.ledger import entry

NAME = "year"
ATTACK = "A year of the city: imports, reads, corrections, erasures, keys that change. Then every copy of its vault is tried with every key there is."

DAYS = 365
COPY_EVERY = 30
_HOUR = 3600


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    city = City(theatre.copy_of("city", found, progress))
    days = Days(city)
    began, problems, copies = time.monotonic(), [], []
    # From midnight on: at nine people read, at the day's end upkeep runs, whenever the drill is begun.
    city.sleep(DAY - city.room.now() % DAY)
    days.first()
    for number in range(1, DAYS + 1):
        progress(f"day {number} of {DAYS}")
        city.sleep(9 * _HOUR)
        days.day(number)
        city.sleep(DAY - 9 * _HOUR)
        problems += city.upkeep()
        if number % COPY_EVERY == 0:
            copies.append(city.root / f"copy-of-day-{number}")
            city.copy_vault(copies[-1])
    lived = time.monotonic() - began
    did = ", ".join(f"{count:,} {what}" for what, count in sorted(days.done.items()))
    report.add(
        f"{DAYS} days lived in {lived:.0f} s", DAYS, did, f"{len(problems)} problems of upkeep", passed=not problems
    )
    _keys(report, city)
    progress("every copy is tried with every key")
    _gone(report, city, days.truth, copies)
    progress("people look at their reads")
    _marks(report, city, days.truth)
    _whole(report, city)
    city.close()


def _keys(report: Report, city: City) -> None:
    """Keys were destroyed on their day, in public, and the living moved on to others."""
    destroyed: Counter[str] = Counter()
    for index in range(city.room.mirror.size):
        found = entry.parse(city.room.mirror.entry(index))
        if isinstance(found, entry.ExpiryEntry):
            destroyed[found.holding] += 1
    rotations = min(destroyed[name] for name in city.room.rules().charter.holdings)
    seen = ", ".join(f"{count} of {name}" for name, count in sorted(destroyed.items()))
    wanted = DAYS // (2 * max(holding.rotation for holding in city.room.rules().charter.holdings.values()))
    report.add(
        "keys destroyed on their day",
        destroyed.total(),
        f"{rotations} rotations or more",
        seen,
        passed=rotations >= min(wanted, 2),
    )


def _gone(report: Report, city: City, truth: Truth, copies: list[Path]) -> None:
    vault, today = city.root / "vault", city.today
    attic = Attic(city.root / "keyholder", [vault, *copies])
    now = attic.open(vault)
    readable = _markers(now)
    living = {key for key, kept in truth.records.items() if kept.state(today) == "living"}
    report.add(
        "open what lives, with both houses in one hand (the control)",
        len(living),
        f"{len(living & readable):,} of {len(living):,} open, as they must",
        "",
        passed=living <= readable,
    )
    for copy in copies:
        readable |= _markers(attic.open(copy))
    gone = {key: kept for key, kept in truth.records.items() if kept.state(today) == "gone"}
    for what, erased in (("erased, and its day has come", True), ("past its date", False)):
        wanted = {key for key, kept in gone.items() if kept.erased == erased}
        report.add(
            f"open what is {what}: {len(copies) + 1} copies of the vault, all keys of both houses",
            len(wanted) * (len(copies) + 1),
            f"{len(wanted & readable)} of {len(wanted):,} records opened",
            f"{attic.tried:,} keys tried",
            passed=not wanted & readable,
        )
    waiting = [key for key, kept in truth.records.items() if kept.state(today) == "erased"]
    if waiting:
        opened = len(readable.intersection(waiting))
        report.limit(
            f"{len(waiting)} erased records wait for their day: refused by the keyholder, and {opened} of them open where both houses are false"
        )


def _markers(opened: Opened) -> set[tuple[str, str]]:
    """Which records these plaintexts are of."""
    found = set()
    for (holding, _, _), texts in opened.items():
        for text in texts:
            value = json.loads(text[: text.rindex(b"\x80")]).get(MARKERS[holding])
            if value is not None:
                found.add((holding, value))
    return found


def _marks(report: Report, city: City, truth: Truth) -> None:
    """The first residents enrol and count; in each holding where something was read about them."""
    told = complete = right = total = 0
    for one in list(truth.records.values())[:WATCHED]:
        number, phone = one.values["id-number"], one.values["phone"]
        chains = [
            ("residents", "id-number", number), ("health-codes", "id-number", number), ("calls", "callee", phone),
            ("incidents", "victim", number), ("incidents", "reporter", number), ("posts", "author", "@u" + number.lower()),
        ]  # fmt: skip
        for holding, field, value in chains:
            view = city.view(city.enrol(holding, field, value))
            expected = truth.count(holding, field, value)
            told += 1
            complete += view.complete
            total += len(view.chains[0].reads)
            right += len(view.chains[0].reads) == expected
    report.add(
        f"{WATCHED} people look for every read of them, in five holdings",
        told,
        f"{right} of {told} chains have what happened, {complete} are complete",
        f"{total:,} marks found",
        passed=right == complete == told,
    )


def _whole(report: Report, city: City) -> None:
    problems: list[str] = []
    # It judges keys by the day; the wall clock of this machine has not lived the year.
    fsck.check(city.root, lambda *_: None, problems.append, now=city.room.now())
    report.add(
        "fsck of both houses",
        1,
        "whole" if not problems else problems[0],
        f"{len(problems)} problems",
        passed=not problems,
    )
