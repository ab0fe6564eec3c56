"""Drill: one person's records in two holdings, put together from the vault's disk, keys and backups (THREATS.md, promise 1)."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from strongroom.catalog import fields
from strongroom.catalog.types import kind
from strongroom.drill import links_town, matching
from strongroom.drill.links_town import FIRST, HOLDINGS, LAST, TOGETHER, Town
from strongroom.drill.loot import Loot, standing
from strongroom.drill.report import Progress, Report, listed
from strongroom.drill.stage import Theatre
from strongroom.seal import body, ids, person, token
from strongroom.store.rows import Stored
from strongroom.synth import people

NAME = "links"
ATTACK = "A thief with the vault's disk, its keys and a backup of each day puts together what two holdings have of one person."

_BLOCK = 8192


def run(report: Report, theatre: Theatre, progress: Progress) -> None:
    stage = theatre.stage(progress)
    progress("people are taken into four holdings, day by day")
    town = links_town.build(stage)
    last = town.copies[LAST]
    for text, attack in (("equal bytes", _equal), ("orders", _orders), ("sizes", _sizes), ("dates", _dates)):
        progress(f"the thief compares {text}")
        attack(report, town, last)
    _one_by_one(report, town)
    progress("the thief guesses who they are")
    _guesses(report, town, last)
    progress("backups before and after reads are compared")
    _reads(report, town)
    _limits(report, town)
    stage.close()


# --- what is the same in two holdings --------------------------------------------------------------------------------------
def _equal(report: Report, town: Town, last: Loot) -> None:
    """Equal identifiers must leave equal bytes in no two holdings: tokens, w, nonces, checks, blocks, whatever there is."""
    seen: dict[bytes, set[str]] = defaultdict(set)
    numbers = {row.number: row.name for row in town.stage.room.store.holdings()}
    for holding in HOLDINGS:
        for row in last.records[holding]:
            for part in _parts(row):
                seen[part].add(holding)
    for batch in last.batches:
        for part in (batch.batch, batch.members, *_blocks(batch.sealed)):
            seen[part].add(numbers[batch.holding])
    equal = sum(len(holdings) > 1 for holdings in seen.values())
    report.add(
        "look for equal bytes in two holdings: handles, tokens, w, nonces, checks, blocks, batches",
        len(seen),
        f"{equal} links",
        "nothing",
        passed=not equal,
    )


def _parts(row: Stored) -> Iterator[bytes]:
    yield from (row.handle, row.delta) if row.delta else (row.handle,)
    yield from _blocks(row.tokens)
    for slot in body.parse(row.body):
        yield slot.masked
        yield slot.blob[1:13]
        yield from _blocks(slot.blob[13:])


def _blocks(data: bytes) -> list[bytes]:
    return [data[at : at + 16] for at in range(0, len(data) - 15, 16)]


# --- order -----------------------------------------------------------------------------------------------------------------
def _orders(report: Report, town: Town, last: Loot) -> None:
    """Each day's batches belong together, their sizes and the backups say so: what order do people have in them?"""
    del last
    found = {holding: _grouped(town, holding) for holding in HOLDINGS}
    pairs = list(combinations(HOLDINGS, 2))
    got = [matching.best(found[one], found[other]) for one, other in pairs]
    lots = [matching.best(found[one], matching.by_lot(found[other])) for one, other in pairs]
    report.add(
        f"put the people of {len(town.groups)} days in order by handle, token, w, nonce, check and place in every file, in both",
        sum(one.tried for one in got),
        str(max(got, key=lambda one: (not one.chance, one.sigmas))),
        f"by lot {max(lots, key=lambda one: one.sigmas)}",
        passed=all(one.chance for one in got),
    )


def _grouped(town: Town, holding: str) -> dict[str, list[list[int]]]:
    """Each order of each group, as it lay there on its day and as it does at last."""
    found: dict[str, list[list[int]]] = defaultdict(list)
    for day, group in enumerate(town.groups):
        for copy, when in ((f"day {day + 1}", "then"), (LAST, "at last")):
            for name, values in links_town.seen(town, holding, copy, group).items():
                found[f"{name} {when}"].append(values)
    return {name: groups for name, groups in found.items() if len(groups) == len(town.groups)}


def _one_by_one(report: Report, town: Town) -> None:
    """Each of them a batch, first in the one holding and then in the other: the ledger tells when. Which is which?"""
    both = []
    for holding in TOGETHER:
        seen = links_town.seen(town, holding, FIRST, town.singles)
        batches = [row.batch for row in town.stored(holding, FIRST, town.singles)]
        seen["batch"] = [int.from_bytes(batch) for batch in batches]
        for name, values in links_town.places(town, FIRST, batches).items():
            seen[f"batch's {name}"] = values
        both.append({name: [values] for name, values in seen.items()})
    got, lot = matching.best(*both), matching.best(both[0], matching.by_lot(both[1]))
    report.add(
        f"find the order in which {len(town.singles)} people were taken in one by one, in both",
        got.tried,
        str(got),
        f"by lot {lot}",
        passed=got.chance,
    )


# --- sizes and dates -------------------------------------------------------------------------------------------------------
def _sizes(report: Report, town: Town, last: Loot) -> None:
    del last
    found: dict[str, dict[str, list[list[int]]]] = {holding: defaultdict(list) for holding in HOLDINGS}
    for holding, group in ((holding, group) for holding in HOLDINGS for group in town.groups):
        rows = town.stored(holding, LAST, group)
        sizes = {"body": [len(row.body) for row in rows], "tokens": [len(row.tokens) for row in rows]}
        for slots in zip(*(body.parse(row.body) for row in rows), strict=True):
            sizes[f"compartment {slots[0].compartment}"] = [len(slot.blob) for slot in slots]
        for name, values in sizes.items():
            found[holding][name].append(values)
    got = [matching.best(found[one], found[other]) for one, other in combinations(HOLDINGS, 2)]
    report.add(
        "hold sizes of sealed values, bodies and tokens in one holding against those in another",
        sum(one.tried * one.people for one in got),
        f"correlation {max(one.sigmas for one in got):.1f} sigma at best",
        "nothing",
        passed=all(one.chance for one in got),
    )


def _dates(report: Report, town: Town, last: Loot) -> None:
    """Of what is kept for years, epoch and expiry say the month, not the day."""
    kinds = {
        holding: {(row.epoch, row.expires) for group in town.groups for row in town.stored(holding, LAST, group)}
        for holding in TOGETHER
    }
    told = sum(map(len, kinds.values())) - len(kinds)
    report.add(
        f"tell by epoch and expiry on which of {len(town.groups)} days of a month somebody came, where that is kept for years",
        sum(len(last.records[holding]) for holding in TOGETHER),
        f"{told} days told apart",
        "one date for all" if not told else listed([f"{len(dates)} dates in {name}" for name, dates in kinds.items()]),
        passed=not told,
    )


# --- guesses ---------------------------------------------------------------------------------------------------------------
def _guesses(report: Report, town: Town, last: Loot) -> None:
    """The thief has the keys of both holdings, and computes who a guessed person is in each. Does anything fit in both?"""
    others = list(people.people(len(town.rows) * 2, 97))[len(town.rows) :]
    guesses = [*town.rows, *others]
    fitting = {holding: _fitting(town, last, holding, guesses) for holding in HOLDINGS}
    links = 0
    for one, other in combinations(HOLDINGS, 2):
        links += sum(bool(a & b) for a, b in zip(fitting[one], fitting[other], strict=True))
    report.add(
        f"guess {len(guesses)} people, half of them right, and see whose inner, who, token or mask fits in two holdings",
        len(guesses) * sum(len(last.slots(holding)) for holding in HOLDINGS),
        f"{links} links",
        "nothing",
        passed=not links,
    )


def _fitting(town: Town, last: Loot, holding: str, guesses: Sequence[Mapping[str, str]]) -> list[set[bytes]]:
    """For each guess what comes of it: ``b"there"`` where something of it stands on the disk, and each mask that ``w`` would have."""
    declared, keys = town.stage.room.rules().charter.holdings[holding].fields, last.keys.holding(holding)
    masked = [int.from_bytes(slot.masked) for _, slot in last.slots(holding)]
    found: list[set[bytes]] = [set() for _ in guesses]
    for name, one in declared.items():
        if one.identifier == "none":
            continue
        source = {"caller": "phone", "callee": "phone"}.get(name, name)
        normal = [fields.normal(one, fields.parse(one, guess[source]) or "") for guess in guesses]
        inners = person.inners(keys, kind(name, one), normal)
        marks = {inner[:16]: at for at, inner in enumerate(inners)} | {
            inner[16:]: at for at, inner in enumerate(inners)
        }
        for secret in (bytes(32), keys.key, keys.seal, keys.nobody):
            made = token.tokens(token.index_key(secret, keys.holding, ids.kind_id(kind(name, one))), inners)
            marks |= {each: at for at, each in enumerate(made)}
        for mark in standing([b"".join(_marks(last, holding))], marks, 16):
            found[marks[mark]].add(b"there")
        for at, inner in enumerate(inners):
            who = int.from_bytes(inner[:16])
            found[at].update((each ^ who).to_bytes(16) for each in masked)
    return found


def _marks(last: Loot, holding: str) -> Iterator[bytes]:
    for row, slot in last.slots(holding):
        yield from (row.handle, row.tokens, slot.masked)


# --- what a day's backup has that the one before had not -------------------------------------------------------------------
def _reads(report: Report, town: Town) -> None:
    """Who was read in two holdings on one day shows nowhere in the vault."""
    read = town.groups[0][:3]
    asks = sum(links_town.use(town, number) for number in read)
    town.copy("after reads")
    before, after = town.copies[LAST], town.copies["after reads"]
    known = set(before.cells) | {block for data in before.files.values() for block in _paged(data)}
    new = [cell for cell in after.cells if cell not in known]
    new += [block for data in after.files.values() for block in _paged(data) if block not in known]
    text, named = b"\0".join(new), 0
    for handle in (row.handle for holding in HOLDINGS for row in after.records[holding]):
        digest = hashlib.sha256(handle)
        forms = (handle, handle.hex().encode(), base64.b64encode(handle), digest.digest(), digest.hexdigest().encode())
        named += any(form in text for form in forms)
    changed = sum(before.records[holding] != after.records[holding] for holding in HOLDINGS)
    report.add(
        f"compare the backups before and after {asks} reads, questions and exports of {len(read)} people, for whom they concern",
        len(new),
        f"{named} records named, rows of {changed} holdings changed",
        f"{len(text) / 1e3:.0f} kB are new",
        passed=not named and not changed,
    )


def _paged(data: bytes) -> list[bytes]:
    return [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)]


# --- what shows all the same -----------------------------------------------------------------------------------------------
def _limits(report: Report, town: Town) -> None:
    came = [[_came(town, holding, day) for holding in HOLDINGS] for day in range(len(town.groups))]
    told = sum(len(set(counts)) == 1 for counts in came)
    report.limit(
        f"a backup of each day: who came on one day is one of that day's in every holding, here one of {min(links_town.GROUPS)} to"
        f" {max(links_town.GROUPS)} and not of {len(town.rows)}; {told} of {len(came)} imports of the same people show batches of equal size"
    )
    days = {row.expires for row in town.copies[LAST].records["health-codes"]}
    report.limit(
        f"what is kept for less than a year says by its expiry on which day it was taken in: {len(days)} days of health codes"
    )
    report.limit(
        f"the ledger says when somebody was taken in alone and into which holding, here {2 * len(town.singles)} times; which record it"
        " was shows in backups of before and after, and in a file of over 32 MB roughly by its place"
    )
    one = town.groups[0][9]
    links_town.erase(town, one)
    gone = sum(town.handles[holding][one] in _withdrawn(town, holding) for holding in ("residents", "health-codes"))
    report.limit(
        f"who is erased from two holdings on one day is one of those erased then: {gone} of 2 records named, alone"
    )
    report.limit(
        "within one holding equal tokens say how often one number calls; who occurs as often in another may be the same"
    )


def _came(town: Town, holding: str, day: int) -> int:
    before = town.copies[f"day {day}" if day else FIRST].records.get(holding, [])
    return len(town.copies[f"day {day + 1}"].records[holding]) - len(before)


def _withdrawn(town: Town, holding: str) -> set[bytes]:
    store, number = town.stage.room.store, town.stage.room.holding(holding)
    named = set(town.handles[holding].values())
    return named - set(store.latest_versions(number, named))
