"""A thief with all of the vault's keys tests guesses against all that was on its disk (part of ``stolen_disk``)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from strongroom.drill.loot import Loot, standing
from strongroom.drill.report import Progress, Report
from strongroom.drill.stage import Known, Stage
from strongroom.seal import body, compartment, ids, mac, person, slot, token
from strongroom.store.rows import Stored
from strongroom.synth import people

GUESSES = 100_000


def run(report: Report, loot: Loot, stage: Stage, progress: Progress) -> None:
    truth = {holding: {one["id-number"] or "" for one in rows} for holding, rows in stage.people.items()}
    guesses = _guesses(set().union(*truth.values()))
    progress(f"the thief tests {len(guesses):,} identity numbers")
    confirmed: set[str] = set()
    for holding in loot.records:
        confirmed |= _confirmed(loot, holding, guesses)
    there = len(set().union(*truth.values()) & set(guesses))
    report.add(
        f"test {len(guesses):,} guessed identity numbers, {there} of them true, with all keys of the vault",
        len(guesses) * len(loot.records),
        f"{len(confirmed)} confirmed",
        "nothing",
        passed=not confirmed,
    )
    progress("the thief tries keys on compartments")
    _compartments(report, loot, stage)


def _guesses(true: set[str]) -> list[str]:
    others = (one["id-number"] for one in people.people(GUESSES + len(true), 97))
    return [*sorted(true), *[one for one in others if one not in true][: GUESSES - len(true)]]


# --- keys of which some use might have been made -------------------------------------------------------------------------
def _secrets(loot: Loot, holding: str) -> list[bytes]:
    """32-byte keys that the thief has by name."""
    keys = loot.keys.holding(holding)
    own = [
        bytes(32),
        keys.key,
        keys.seal,
        keys.nobody,
        keys.person("resident-id"),
        keys.person("phone"),
        loot.keys.message.private_bytes_raw(),
        loot.keys.message.public_key().public_bytes_raw(),
    ]
    return [*own, *[hashlib.sha256(one).digest() for one in own]]


def _windows(loot: Loot) -> Iterator[bytes]:
    """Every 32 bytes of what might hold a key: sealed batches, key files, short cells."""
    sources = [batch.sealed for batch in loot.batches] + [cell for cell in loot.cells if 32 <= len(cell) <= 128]
    sources += [data for name, data in loot.files.items() if name.endswith(".json")]
    for data in sources:
        for at in range(len(data) - 31):
            yield data[at : at + 32]


# --- guesses -------------------------------------------------------------------------------------------------------------
def _confirmed(loot: Loot, holding: str, guesses: Sequence[str]) -> set[str]:
    keys = loot.keys.holding(holding)
    inners = person.inners(keys, "resident-id", guesses)
    marks: dict[bytes, str] = {}
    kind = ids.kind_id("resident-id")
    for guess, inner in zip(guesses, inners, strict=True):
        marks[inner[:16]] = marks[inner[16:]] = guess
        marks[hashlib.sha256(inner).digest()[:16]] = marks[hashlib.sha256(guess.encode()).digest()[:16]] = guess
    for secret in _secrets(loot, holding)[:8]:
        made = token.tokens(token.index_key(secret, keys.holding, kind), inners)
        marks |= dict(zip(made, guesses, strict=True))
    found = {marks[mark] for mark in standing(loot.haystacks(), marks.keys(), 16)}
    whos = {inner[:16]: guess for guess, inner in zip(guesses, inners, strict=True)}
    return found | _unmasked(loot, holding, whos)


def _unmasked(loot: Loot, holding: str, whos: dict[bytes, str]) -> set[str]:
    """Take masks off ``w``: with keys at hand, and by assuming that one mask was used twice."""
    found = set()
    by_batch: dict[tuple[bytes, int], list[tuple[Stored, body.Slot]]] = defaultdict(list)
    for row, one in loot.slots(holding):
        by_batch[row.batch, one.compartment].append((row, one))
    for rows in by_batch.values():
        secrets = [*_secrets(loot, holding), *_windows(loot)]
        row, first = rows[0]
        for secret in secrets:
            for record in _records(secret, row):
                who = slot.unmask(record, first.masked, first.compartment)
                if who in whos:
                    found.add(whos[who])
        if len(rows) > 1:
            # Were the mask one for the batch, the guess at one record would show by meeting another guess in the next.
            shift = int.from_bytes(first.masked) ^ int.from_bytes(rows[1][1].masked)
            for who, guess in whos.items():
                if (int.from_bytes(who) ^ shift).to_bytes(16) in whos and shift:
                    found.add(guess)
    return found


def _about(known: Known, compartment: int) -> bytes:
    return next(who for one, who in zip(known.slots, known.whos, strict=True) if one.compartment == compartment)


def _records(secret: bytes, row: Stored) -> tuple[bytes, bytes]:
    """A key taken for a record's secret, and for its batch's."""
    return secret, slot.record_secrets(mac.keyed(secret), slot.places([row.handle], [row.version]))[0]


# --- compartments ----------------------------------------------------------------------------------------------------------
def _compartments(report: Report, loot: Loot, stage: Stage) -> None:
    """Somebody tells the thief who each record is about. Even so no compartment opens."""
    tried, opened = 0, set()
    for holding in loot.records:
        keys, slots = loot.keys.holding(holding), loot.slots(holding)
        checks = {one.blob[13:29]: (row.handle, one.compartment) for row, one in slots}

        def shares(secrets: Sequence[bytes], some: Sequence[tuple[Stored, body.Slot]]) -> Iterator[bytes]:
            for row, one in some:
                who = _about(stage.truth[row.handle], one.compartment)
                for secret in secrets:
                    for record in _records(secret, row):
                        yield slot.share(record, who, one.compartment)

        # All slots of a batch hang on one secret, so that one of them tells whether a guess at it is right.
        windows = list(_windows(loot))
        first = {row.batch: (row, one) for row, one in slots}
        for tries in (shares(_secrets(loot, holding), slots), shares(windows, list(first.values())), windows):
            for share in tries:
                tried += 1
                place = checks.get(compartment.key_and_check(keys, share)[1])
                if place:
                    opened.add(place)
    report.add(
        "open compartments with every key at hand, knowing who each is about",
        tried,
        f"{len(opened)} opened",
        "nothing",
        passed=not opened,
    )
