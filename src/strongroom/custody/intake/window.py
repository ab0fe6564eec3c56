"""An intake window: one signed ask, under which many calls have identifiers indexed (SPEC.md sections 4, 7.2, 8.4).

Whoever holds the window's text and signatures can use it up, and nothing else with it: so the importer's workers get
these, and the device's key stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strongroom.canonical import encode
from strongroom.catalog.types import primaries
from strongroom.client.device import Asker, Device, SignedAsk, countersign
from strongroom.custody.admit import admit, keep_private
from strongroom.custody.receipt import verify_entry
from strongroom.custody.room import Room
from strongroom.custody.steps import Say, Steps
from strongroom.errors import EntryError, FormatError
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.ledger import entry
from strongroom.seal import columns, hpke

MAX_COUNT = 100_000_000
SECONDS = 3600
_MARGIN = 300


@dataclass(frozen=True, slots=True)
class Window:
    """What was signed: the ask that opened it."""

    text: bytes
    signature: bytes
    countersignatures: tuple[asks.Countersignature, ...] = ()


@dataclass(frozen=True)
class Errand:
    """Who takes something in, for which purpose of the charter, and why; ``seconds``: devices at hand that
    countersign."""

    asker: Asker
    purpose: str
    case: str
    reason: str
    seconds: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class Indexed:
    """``tokens``: for each field, one (16 bytes) an inner, in order. ``entries``: the ledger's indexes that say so;
    ``receipt`` proves the last of them."""

    tokens: dict[str, list[bytes]]
    entries: list[int]
    receipt: str = ""


def open_window(room: Room, holding: str, errand: Errand, count: int) -> Window:
    """Sign for ``count`` identifiers (at most ``MAX_COUNT``) and the next hour, and have the vault's gate decide.

    Its first use must come within two minutes. Raises ``Refused``.
    """
    now = room.now()
    signed = errand.asker.intake(holding, errand.purpose, count, now + SECONDS, errand.case, errand.reason, now)
    for device in errand.seconds:
        signed = countersign(signed, device)
    return admitted(room, signed)


def admitted(room: Room, signed: SignedAsk) -> Window:
    """The window of an intake ask that was signed elsewhere, once the vault's gate has decided and what is kept of it is
    kept. Raises ``Refused``."""
    admit(room, signed)
    keep_private(room, signed)
    return Window(signed.text, signed.signature, signed.countersignatures)


class Windows:
    """The window in use by an import that indexes at most ``most`` identifiers; renewed before it ends.

    A window must be used within two minutes of its signing. Workers may be slower with their first chunk, so it is
    used at once, for the import's own name (``name``), and again for that when it is renewed.
    """

    def __init__(self, room: Room, holding: str, errand: Errand, most: int) -> None:
        self._room, self._holding, self._errand, self._most = room, holding, errand, most
        self._window: Window | None = None
        self._name = b""
        self._left = self._until = 0

    def name(self, inner: bytes) -> tuple[bytes, int]:
        """The token (16 bytes) of what names the import (32 bytes), and the index of its entry."""
        self._name = inner
        found = index(self._room, self.get(1), {"": [inner]})
        return found.tokens[""][0], found.entries[0]

    def get(self, count: int) -> Window:
        """A window in which ``count`` more identifiers may be indexed. Raises ``Refused``, ``KeyholderUnavailable``."""
        if self._window is None or count > self._left or self._room.now() > self._until - _MARGIN:
            first = self._window is None
            self._left, self._until = min(max(self._most, count) + 1, MAX_COUNT), self._room.now() + SECONDS
            self._window = open_window(self._room, self._holding, self._errand, self._left)
            if not first and self._name:
                index(self._room, self._window, {"": [self._name]})
                self._left -= 1
        self._left -= count
        self._most -= count
        return self._window


def index(room: Room, window: Window, inners: Mapping[str, Sequence[bytes]]) -> Indexed:
    """Have columns of inners (identifier field -> 32 bytes a row) indexed, in as many calls as they need, each with an
    entry: the tokens they are found by.

    Raises ``Refused``, ``KeyholderUnavailable``, ``LedgerError`` when the receipt is not good.
    """
    count, ask = max(map(len, inners.values()), default=0), asks.parse(window.text)
    step = rows_a_call(room, ask, inners)
    found, entries, receipt = {name: list[bytes]() for name in inners}, [], ""
    for start in range(0, count, step):
        part = {name: column[start : start + step] for name, column in inners.items()}
        tokens, at, receipt = _call(room, window, ask, part)
        entries.append(at)
        for name, column in tokens.items():
            found[name] += column
    return Indexed(found, entries, receipt)


def indexing(room: Room, signed: SignedAsk, inners: Mapping[str, Sequence[bytes]]) -> Steps[Indexed]:
    """The same as steps, under an ask that came with its private half."""
    window = Window(signed.text, signed.signature, signed.countersignatures)
    count = max(map(len, inners.values()), default=0)
    step = rows_a_call(room, signed.ask, inners)
    found, entries, receipt = {name: list[bytes]() for name in inners}, [], ""
    for start in range(0, count, step):
        part = {name: column[start : start + step] for name, column in inners.items()}
        settled = yield Say(signed, protocol.Intake, _said(part))
        for name, column in _verified(room, window, signed.ask, part, settled.index, settled.tokens).items():
            found[name] += column
        entries.append(settled.index)
        receipt = settled.receipt
    return Indexed(found, entries, receipt)


def rows_a_call(room: Room, ask: asks.Ask, inners: Mapping[str, Sequence[bytes]]) -> int:
    """How many rows of these columns go into one call under ``ask``, and so under one entry. A call has so many identifiers
    at most, and where the persons concerned are told, so many of them as an entry has tags."""
    told = len(_persons(room, ask, inners))
    most = protocol.MAX_INNERS // max(len(inners), 1)
    return min(most, entry.MAX_TAGS // told) if told else most


def _persons(room: Room, ask: asks.Ask, inners: Mapping[str, Sequence[bytes]]) -> list[Sequence[bytes]]:
    """The columns of persons who are told of it."""
    charter = room.rules().charter
    # What the charter does not have is for the keyholder to refuse.
    purpose, declared = charter.purposes.get(ask.purpose), charter.holdings.get(ask.holding)
    if not purpose or not purpose.tells or not declared:
        return []
    return [inners[name] for name in primaries(declared) if name in inners]


def _call(
    room: Room, window: Window, ask: asks.Ask, inners: Mapping[str, Sequence[bytes]]
) -> tuple[dict[str, list[bytes]], int, str]:
    seed = hpke.private_from(room.random(96))
    known = room.common()
    request = encode(
        protocol.Intake(
            **known,
            ask=window.text.decode(),
            signature=window.signature,
            countersignatures=list(window.countersignatures),
            fresh=seed.public,
            **_said(inners),
        )
    )
    answer = protocol.sealed_answer.parse(room.client.send("/v1/intake", request))
    given = protocol.tokens.parse(hpke.decrypt(seed, protocol.answer_info(room.keys.room, request), answer.sealed))
    at = room.settle(given.receipt, answer.entries, known["have"])
    return _verified(room, window, ask, inners, at, given.tokens), at, given.receipt


def _said(inners: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """What an intake has of its own."""
    return {"fields": list(inners), "inners": [b"".join(column) for column in inners.values()]}


def _verified(
    room: Room, window: Window, ask: asks.Ask, inners: Mapping[str, Sequence[bytes]], at: int, joined: Sequence[bytes]
) -> dict[str, list[bytes]]:
    """The tokens of an answer, once its entry is seen to be about this."""
    line = room.rules().roster[ask.reader]
    seconds, count = len(window.countersignatures), sum(map(len, inners.values()))
    written = verify_entry(room, at, window.text, line, entry.IntakeEntry, count, seconds)
    if len(written.tags) != sum(map(len, _persons(room, ask, inners))):
        raise EntryError(f"entry {at} has not one tag for each person of each row who is to be told")
    tokens = [columns.split(column, 16) for column in joined]
    if [len(column) for column in tokens] != [len(column) for column in inners.values()]:
        raise FormatError("the keyholder's answer has not one token for each identifier")
    return dict(zip(inners, tokens, strict=True))
