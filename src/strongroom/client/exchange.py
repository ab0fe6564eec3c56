"""What each of a client's flows is made of: sign an ask, send it, prove the answer (SPEC.md sections 7.2, 8.4 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from strongroom.api import facts
from strongroom.canonical import encode
from strongroom.catalog.model import Charter
from strongroom.client import messages
from strongroom.client.anchors import Anchors
from strongroom.client.believe import Believer, of_ask
from strongroom.client.device import Asker, Device, SignedAsk
from strongroom.client.flow import Answer, Call, Flow, Patience
from strongroom.client.growth import Growth
from strongroom.client.memory import Memory
from strongroom.client.problems import problem
from strongroom.client.rules import Rules
from strongroom.errors import EntryError, FormatError, InputError, Refused
from strongroom.gate.written import Written
from strongroom.ledger import entry, note

AGAIN_SECONDS = 100
"""For so long an identical ask is sent again: within the 120 s in which the keyholder takes it (SPEC 8.4)."""
WINDOW_SECONDS = 3600
_MOST_PAGES = 1_000
_PAGE_BYTES, _NOTE_BYTES = 64 * 2**20, 2**20


@dataclass(frozen=True, slots=True)
class Context:
    """Why something is asked: what stands in every private half (SPEC 7.1)."""

    case: str = field(repr=False)
    reason: str = field(repr=False)


class Exchange:
    """With one room, as one device. ``countersign`` has a second signature put under an ask whose purpose wants one."""

    def __init__(
        self,
        anchors: Anchors,
        device: Device,
        memory: Memory,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        countersign: Callable[[SignedAsk], SignedAsk] | None = None,
    ) -> None:
        self.anchors, self.device = anchors, device
        self._clock, self._random, self._countersign = clock, random, countersign
        self._patience = Patience(clock, lambda: int.from_bytes(random(4)) / 2**32)
        growth = Growth(note.verifier(anchors.log), self._told, self._entries)
        self._believer = Believer(anchors.log, memory, growth, self._told)
        self._rules = Rules(anchors, self._believer, self._listed, self._receipt_of, clock)

    # --- signing -----------------------------------------------------------------------------------------------------
    def _now(self) -> int:
        return int(self._clock())

    def _asker(self) -> Flow[tuple[Asker, Charter]]:
        ruling = yield from self._rules.in_force()
        return Asker(self.device, self.anchors.room, ruling.hash, self._random), ruling.charter

    def _signed(self, charter: Charter, signed: SignedAsk) -> SignedAsk:
        purpose = charter.purposes.get(signed.ask.purpose)
        if self._countersign is None or purpose is None or not purpose.countersign.roles:
            return signed
        made = self._countersign(signed)
        if (made.text, made.signature) != (signed.text, signed.signature):
            raise InputError("what was countersigned is another ask than this")
        return made

    def _window(
        self, asker: Asker, charter: Charter, holding: str, purpose: str, count: int, why: Context
    ) -> SignedAsk:
        now = self._now()
        ask = asker.intake(holding, purpose, count, now + WINDOW_SECONDS, why.case, why.reason, now)
        return self._signed(charter, ask)

    # --- sending -----------------------------------------------------------------------------------------------------
    def _ask(self, path: str, signed: SignedAsk) -> Flow[Answer]:
        return (yield from self._send(path, encode(messages.evidence(signed)), signed))

    def _send(self, path: str, body: bytes, signed: SignedAsk) -> Flow[Answer]:
        """The identical ask again where that is safe: the room answers it as it did, and never does it twice. A new one is
        never signed here."""
        answer: Answer = yield from self._patience.send(
            messages.post(path, body, signed), signed.ask.time + AGAIN_SECONDS
        )
        if answer.status not in (200, 201):
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: Answer) -> Exception:
        raised = problem(answer)
        if isinstance(raised, Refused) and raised.code == "charter":
            self._rules.forget()
        if isinstance(raised, Refused) and raised.code == "used" and answer.again:
            return Refused(
                "used",
                "it was carried out, and its answer was lost on the way. The ledger has it; ask anew if it is still wanted",
            )
        return raised

    def _get(self, path: str, most: int = _PAGE_BYTES) -> Flow[Answer]:
        return (yield from self._patience.send(Call("GET", path, most=most), self._clock() + AGAIN_SECONDS))

    def _ledger_file(self, path: str) -> Flow[bytes | None]:
        answer = yield from self._get(f"/ledger/{path}", _NOTE_BYTES)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise problem(answer)
        return answer.body

    def _told(self, index: int) -> Flow[tuple[bytes, str]]:
        """The entry, and a receipt of today."""
        found = messages.receipt((yield from self._get(f"/v1/receipts/{index}")))
        if found.entry != index:
            raise EntryError("the vault's answer is of another entry")
        return found.text.encode(), found.receipt

    def _receipt_of(self, index: int) -> Flow[str]:
        return (yield from self._told(index))[1]

    def _entries(self, first: int, count: int) -> Flow[list[bytes]]:
        return messages.entries((yield from self._get(f"/v1/entries?cursor={first}&limit={count}")), first)

    def _listed(self) -> Flow[list[facts.Charter]]:
        found: list[facts.Charter] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = messages.charters(
                (
                    yield from self._get(
                        f"/v1/charters?limit=100{f'&cursor={messages.cursor_text(cursor)}' if cursor else ''}"
                    )
                )
            )
            found += page.charters
            if page.next is None:
                return found
            cursor = page.next
        raise FormatError("the vault's list of charters does not end")

    # --- believing ---------------------------------------------------------------------------------------------------
    def _proved(
        self,
        index: int,
        receipt: str,
        signed: SignedAsk,
        kind: type[Written],
        opened: frozenset[int] = frozenset(),
    ) -> Flow[str]:
        """The entry's text, once ``receipt`` proves it and it is about ``signed``."""
        text: bytes = yield from self._believer.proved(index, receipt)
        of_ask(index, text, signed, kind, opened)
        return text.decode()

    def _indexed(self, entries: Sequence[int], receipt: str | None, signed: SignedAsk, count: int) -> Flow[str]:
        """The last entry's text, once all of ``entries`` are proved, are of the window ``signed``, and of ``count`` identifiers
        together. ``receipt``: of the last; the others' are asked for."""
        if not entries or len(set(entries)) != len(entries):
            raise FormatError("the vault's answer names no entry for what it took in, or one twice")
        total, text = 0, b""
        for at, index in enumerate(entries):
            given = receipt if at == len(entries) - 1 else None
            text = yield from self._believer.proved(index, given or (yield from self._receipt_of(index)))
            total += of_ask(index, text, signed, entry.IntakeEntry).count
        if total != count:
            raise EntryError(f"entry {entries[-1]}: not as many identifiers were indexed as the records have")
        return text.decode()
