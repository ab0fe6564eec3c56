"""What root on the vault can learn without opening anything, and the keyholder's other doors (part of ``vault_taken_over``)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from typing import Any

from strongroom.drill.bad_asks import own_charter
from strongroom.drill.bad_doors import as_desk, as_operator, as_subject
from strongroom.drill.report import Report
from strongroom.drill.root import Root
from strongroom.drill.scene import Outcome, Scene
from strongroom.errors import StrongroomError
from strongroom.keyholder import protocol
from strongroom.ledger import entry, proof
from strongroom.seal import columns, person

FINDS, SPARE = 5, 50
"""Finds that readers sign; identifiers that a registrar signs for and leaves unused."""

_ONLY = 100  # of the longest answers, pieces that are tried as shares


def _inners(root: Root, rows: range) -> list[bytes]:
    keys, people = root.stage.room.keys.holding("residents"), root.stage.people["residents"]
    return person.inners(keys, "resident-id", [people[row]["id-number"] or "" for row in rows])


def steer(report: Report, root: Root) -> None:
    """A reader signs a find; root sends somebody else's inner."""
    root.stage.hands.wait(3600)
    tokens, hidden, tried = 0, 0, 0
    for inner in _inners(root, range(100, 100 + FINDS)):
        signed = root.scene.find()
        request = root.intruder.find(signed, inner)
        for attempt in (
            request,
            root.intruder.find(signed, inner),
            root.intruder.find(signed, _inners(root, range(1))[0]),
        ):
            tried += 1
            try:
                given = protocol.token.parse(root.intruder.send(attempt))
            except StrongroomError:
                continue
            tokens += 1
            whose = root.stage.whose_tags()
            written = root.scene.entries(proof.parse(given.receipt).index)[0]
            hidden += [whose.get(one) for one in entry.entry_tags(written)] != [inner[:16]]
    report.add(
        "ask the keyholder for another person than the reader asked for",
        tried,
        f"{tokens} tokens for {FINDS} signed finds",
        f"{tokens - hidden} tags on the true chains",
        passed=0 < tokens <= FINDS and not hidden,
    )
    report.limit(f"a find can be steered to another person, whose chain then has it: {tokens} of {FINDS} were")


def guess(report: Report, root: Root) -> None:
    """A registrar signed for more identifiers than were taken in; root tests guesses with the rest."""
    signed, before = root.scene.intake(SPARE), root.stage.keyholder.book.size
    tokens, tried = list[bytes](), 0
    for start in range(0, 2 * SPARE, 10):
        request = root.intruder.intake(signed, "id-number", _inners(root, range(start, start + 10)))
        tried += 10
        try:
            given = protocol.tokens.parse(root.intruder.send(request))
        except StrongroomError:
            continue
        tokens += columns.split(given.tokens[0], 16)
    stored = {
        known.stored.tokens[at : at + 16]
        for known in root.stage.truth.values()
        for at in range(0, len(known.stored.tokens), 16)
    }
    written = sum(one.count for one in root.scene.entries(before) if isinstance(one, entry.IntakeEntry))
    confirmed = len(stored.intersection(tokens))
    report.add(
        "test guesses in an intake window",
        tried,
        f"{len(tokens)} tokens for {SPARE} signed",
        f"{written} in intake entries",
        passed=len(tokens) == written <= SPARE,
    )
    report.limit(
        f"what an intake ask leaves unused can test guesses, without tags: {confirmed} of {SPARE} were confirmed"
    )


def other_doors(report: Report, root: Root) -> None:
    """Everything else that the keyholder answers."""
    common = root.intruder.common()
    answers = {
        "status": ("/v1/status", protocol.Plain(**common)),
        "entries": ("/v1/entries", protocol.Entries(**common, start=0, limit=1000)),
        "cosign": ("/v1/cosign", protocol.Plain(**common)),
        "publish": ("/v1/publish", protocol.Plain(**common)),
        "epoch": ("/v1/epoch", protocol.Epoch(**common, holding="residents", epoch=_epoch(root))),
    }
    opened, tried = 0, 0
    for path, request in answers.values():
        for candidate in _candidates(root.stage.room.client.call(path, request)):
            tried += 1
            opened += len(root.intruder.opens([candidate]))
    report.add(
        "find a share in status, entries, epoch keys or checkpoints",
        tried,
        f"{opened} compartments",
        "nothing",
        passed=not opened,
    )
    doors: dict[str, Callable[[Scene], Outcome]] = {
        "charter": own_charter, "operator": as_operator, "desk": as_desk, "device": as_subject,
    }  # fmt: skip
    through = [name for name, door in doors.items() if door(root.scene).code != name]
    report.add(
        "be the steward, the operator, the desk or a subject",
        len(doors),
        f"{len(through)} doors opened",
        f"refused: {', '.join(name for name in doors if name not in through)}",
        passed=not through,
    )


def _epoch(root: Root) -> int:
    return next(known.stored.epoch for known in root.stage.truth.values() if known.holding == "residents")


def _candidates(answer: bytes) -> Iterator[bytes]:
    """Every 32 bytes of every string of bytes in an answer."""
    for text in _texts(json.loads(answer)):
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            data = text.encode()
        for at in range(min(len(data) - 31, _ONLY)):
            yield data[at : at + 32]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
