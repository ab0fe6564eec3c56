"""Drill: a thief has the vault's whole directory, its data keys included, and no keyholder (THREATS.md, promise 1)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence

from strongroom.custody import read
from strongroom.drill import guessing
from strongroom.drill.loot import Loot, sightings, spellings, steal
from strongroom.drill.report import Progress, Report, listed
from strongroom.drill.stage import CASE, REASON, Known, Stage, Theatre
from strongroom.seal import compartment
from strongroom.store.rows import Stored

NAME = "stolen-disk"
ATTACK = "A thief copies the vault's directory, data keys included. No keyholder."

SIGMAS = 5.0
"""A rank correlation this many standard deviations from none is one; chance does it once in a million times."""


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    progress("taking in residents and patients, and reading some")
    stage.take_in()
    _use(stage)
    loot = steal(stage.root / "vault", stage.root / "thief" / "vault")
    for attack in (_values, _lengths, _order, _equality, _links):
        progress(f"the thief tries: {attack.__name__.strip('_')}")
        attack(report, loot, stage)
    guessing.run(report, loot, stage, progress)
    stage.close()
    report.limit(
        f"{_rows(loot):,} record versions in {len(loot.batches)} batches, and {_shared(loot, stage)}"
        " pairs of records with an equal token, since they share a telephone"
    )


def _use(stage: Stage) -> None:
    """A vault in use holds more than records: reasons, queried identifiers, tokens, the book."""
    asker, rows = stage.asker(), stage.people["residents"]
    for row, kind, name in ((7, "resident-id", "id-number"), (8, "phone", "phone")):
        value = rows[row][name] or ""
        read.find(stage.room, asker.find("residents", "confirm", kind, value, CASE, REASON, stage.room.now()))
    read.disclose(stage.room, stage.ask(stage.handles()[:5]))


# --- plaintext ---------------------------------------------------------------------------------------------------------
def _values(report: Report, loot: Loot, stage: Stage) -> None:
    # An enum's words and whatever else the charter says are public; all else that was taken in is personal.
    charter = stage.keyholder.charter
    needles: dict[bytes, str] = {}
    values = set()
    for holding, rows in stage.people.items():
        for one in rows:
            for name, value in one.items():
                if value and charter.holdings[holding].fields[name].type != "enum":
                    values.add(value)
                    needles |= dict.fromkeys(spellings(value), value)
    found = sightings(loot.haystacks(), needles)
    report.add(
        f"search {len(loot.files)} files ({loot.size / 1e6:.1f} MB) for {len(values):,} values in {len(needles):,} spellings",
        len(needles),
        f"{len(found)} readable values",
        "nothing",
        passed=not found,
    )


# --- lengths -----------------------------------------------------------------------------------------------------------
def _lengths(report: Report, loot: Loot, stage: Stage) -> None:
    told, tried, by = 0, 0, []
    for holding, rows in loot.records.items():
        known = [stage.truth[row.handle] for row in rows]
        sizes: dict[str, list[Hashable]] = {
            "body": [len(row.body) for row in rows],
            "tokens": [len(row.tokens) for row in rows],
        }
        for slots in zip(*[one.slots for one in known], strict=True):
            sizes[f"compartment {slots[0].compartment}"] = [len(slot.blob) for slot in slots]
        sizes["all together"] = list(zip(*sizes.values(), strict=True))
        for name in stage.people[holding][0]:
            values = [_value(stage, one, name) for one in known]
            # Also whether there is a value at all.
            for truth in (values, [value is None for value in values]):
                for what, sizing in sizes.items():
                    tried += len(values)
                    more = _told(sizing, truth)
                    told += more
                    if more:
                        by.append(f"{name} by {what}")
    report.add("guess values by sealed sizes", tried, f"{told} told {_by(by)}".strip(), "nothing", passed=not told)


def _told(sizes: Sequence[Hashable], values: Sequence[Hashable]) -> int:
    """How many more values the best guess by size gets right than the best guess without."""
    classes: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for size, value in zip(sizes, values, strict=True):
        classes[size][value] += 1
    return sum(max(found.values()) for found in classes.values()) - max(Counter(values).values())


# --- order -------------------------------------------------------------------------------------------------------------
def _order(report: Report, loot: Loot, stage: Stage) -> None:
    # Within a batch: that batches follow one another is a stated limit, and how many there are is the machine's affair.
    tried, found = 0, []
    batches: dict[tuple[str, bytes], list[Stored]] = defaultdict(list)
    for holding, rows in loot.records.items():
        for row in rows:
            batches[holding, row.batch].append(row)
    for (holding, _), rows in batches.items():
        known = [stage.truth[row.handle] for row in rows]
        stored: dict[str, list[int]] = {
            "the handle": [int.from_bytes(row.handle) for row in rows],
            "the token": [int.from_bytes(row.tokens[:16]) for row in rows],
            "w": [int.from_bytes(one.slots[0].masked) for one in known],
            "the nonce": [int.from_bytes(one.slots[0].blob[1:13]) for one in known],
        }
        for name, data in loot.files.items():
            places = [data.find(row.body[3:67]) for row in rows]
            if min(places) >= 0:
                stored[f"the place in {name}"] = places
        given = {"its row": [one.number for one in known]}
        for name in stage.people[holding][0]:
            given[name] = _ranks([_value(stage, one, name) or "" for one in known])
        for what, places in stored.items():
            for name, values in given.items():
                tried += 1
                if abs(_rank_correlation(places, values)) * math.sqrt(len(rows) - 1) > SIGMAS:
                    found.append(f"{name} by {what}")
    report.add(
        "order records by handle, token, w, nonce and place",
        tried,
        f"{len(found)} orders told {_by(found)}".strip(),
        "nothing",
        passed=not found,
    )


def _ranks(values: Sequence[str]) -> list[int]:
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return [places[value] for value in values]


def _rank_correlation(left: Sequence[int], right: Sequence[int]) -> float:
    """Spearman's, with the mean of their ranks for equal values; 0 where one side is all equal."""
    a, b = _mean_ranks(left), _mean_ranks(right)
    middle = (len(a) - 1) / 2
    over = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    under = math.sqrt(sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b))
    return over / under if under else 0.0


def _mean_ranks(values: Sequence[int]) -> list[float]:
    first: dict[int, int] = {}
    ordered, counts = sorted(values), Counter(values)
    for place, value in enumerate(ordered):
        first.setdefault(value, place)
    return [first[value] + (counts[value] - 1) / 2 for value in values]


# --- equality ----------------------------------------------------------------------------------------------------------
def _equality(report: Report, loot: Loot, stage: Stage) -> None:
    """Equal values must leave equal bytes nowhere; equal tokens of a shared identifier are a stated limit."""
    seen: Counter[bytes] = Counter()
    for holding in loot.records:
        for _, slot in loot.slots(holding):
            nonce, check, text = compartment.parse_blob(slot.blob) if _parses(slot.blob) else (b"", b"", slot.blob)
            seen.update(one for one in (slot.masked, nonce, check) if one)
            seen.update(text[at : at + 16] for at in range(0, len(text) - 15, 16))
        seen.update(row.handle for row in loot.records[holding])
    for batch in loot.batches:
        seen.update(batch.sealed[at : at + 16] for at in range(1, len(batch.sealed) - 15, 16))
    equal = sum(count - 1 for count in seen.values() if count > 1)
    beyond = sum(1 for one in _equal_tokens(loot) if not _share(stage, *one))
    report.add(
        "compare w, nonces, checks, blocks, handles and tokens with one another",
        seen.total(),
        f"{equal + beyond} equal where values are",
        "nothing",
        passed=not equal + beyond,
    )


def _parses(blob: bytes) -> bool:
    return (len(blob) - compartment.OVERHEAD) % 64 == 0


def _equal_tokens(loot: Loot) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of records of one holding with an equal token."""
    for rows in loot.records.values():
        having: dict[bytes, list[bytes]] = defaultdict(list)
        for row in rows:
            for at in range(0, len(row.tokens), 16):
                having[row.tokens[at : at + 16]].append(row.handle)
        for handles in having.values():
            yield from ((handles[0], other) for other in handles[1:])


def _share(stage: Stage, one: bytes, other: bytes) -> bool:
    left, right = stage.truth[one], stage.truth[other]
    # Two who have no telephone share none: an equal token would tell.
    return any(
        (value := _value(stage, left, name)) and value == _value(stage, right, name)
        for name in ("id-number", "phone")
        if _has(left, name)
    )


def _has(known: Known, name: str) -> bool:
    return name != "phone" or known.holding == "residents"


def _shared(loot: Loot, stage: Stage) -> int:
    return sum(1 for one in _equal_tokens(loot) if _share(stage, *one))


# --- two holdings ------------------------------------------------------------------------------------------------------
def _links(report: Report, loot: Loot, stage: Stage) -> None:
    """Patients are residents; nothing stored may say which."""
    marks: list[set[bytes]] = []
    for holding, rows in loot.records.items():
        found = {row.handle for row in rows}
        found |= {row.tokens[at : at + 16] for row in rows for at in range(0, len(row.tokens), 16)}
        found |= {part for _, slot in loot.slots(holding) for part in (slot.masked, slot.blob[1:13], slot.blob[13:29])}
        marks.append(found)
    linked = len(marks[0] & marks[1])
    report.add(
        "find patients among the residents without guessing",
        len(marks[0]) * len(marks[1]),
        f"{linked} links",
        "nothing",
        passed=not linked,
    )


# --- the truth ---------------------------------------------------------------------------------------------------------
def _value(stage: Stage, known: Known, name: str) -> str | None:
    return stage.people[known.holding][known.number][name]


def _rows(loot: Loot) -> int:
    return sum(map(len, loot.records.values()))


def _by(parts: Sequence[str]) -> str:
    return f"({listed(parts)})" if parts else ""


Attack = Callable[[Report, Loot, Stage], None]
