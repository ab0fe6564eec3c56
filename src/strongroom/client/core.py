"""Everything that a room's client says and believes, as flows that do no I/O themselves (``flow``): sign, send, prove, and only then
hand over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import msgspec

from strongroom.api import facts, writes
from strongroom.canonical import encode
from strongroom.catalog.model import Charter, Test
from strongroom.client import messages
from strongroom.client.anchors import Anchors
from strongroom.client.answers import (
    Checked,
    Corrected,
    Disclosed,
    Erased,
    Exported,
    Found,
    InForce,
    Proved,
    TakenIn,
    Values,
    Witnessed,
)
from strongroom.client.believe import Believer, of_ask
from strongroom.client.device import Asker, Device, SignedAsk
from strongroom.client.flow import Answer, Call, Flow, Give, NextLine, Patience, Stream
from strongroom.client.growth import Growth
from strongroom.client.handle import Handle, HandleLike
from strongroom.client.memory import Memory
from strongroom.client.problems import of_problem, problem
from strongroom.client.rules import Rules, identifiers, most
from strongroom.errors import EntryError, FormatError, InputError, Refused, TileError
from strongroom.gate.written import Written
from strongroom.ledger import entry, note
from strongroom.ledger import policy as policies
from strongroom.ledger import witnessed as witnesses

T = TypeVar("T")

AGAIN_SECONDS = 100
"""For so long an identical ask is sent again: within the 120 s in which the keyholder takes it (SPEC 8.4)."""
WINDOW_SECONDS = 3600
_MOST_PAGES = 1_000
_MOST_WAITING = 1_000
_PAGE_BYTES, _NOTE_BYTES = 64 * 2**20, 2**20


@dataclass(frozen=True, slots=True)
class Context:
    """Why something is asked: what stands in every private half (SPEC 7.1)."""

    case: str = field(repr=False)
    reason: str = field(repr=False)


class Core:
    """One room, as one device asks it. ``countersign`` has a second signature put under an ask whose purpose wants one."""

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

    # --- what is read ------------------------------------------------------------------------------------------------
    def find(self, holding: str, purpose: str, kind: str, value: str, why: Context) -> Flow[Found]:
        asker, charter = yield from self._asker()
        signed = self._signed(charter, asker.find(holding, purpose, kind, value, why.case, why.reason, self._now()))
        said = messages.found((yield from self._ask("/v1/finds", signed)))
        text = yield from self._proved(said.entry, said.receipt, signed, entry.FindEntry)
        return Found(said.entry, said.receipt, text, tuple(Handle(one) for one in said.records))

    def disclose(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        fields: Iterable[str],
        why: Context,
        version: int = 0,
    ) -> Flow[Disclosed]:
        handles, names = messages.handles_of(records), messages.names_of(fields)
        asker, charter = yield from self._asker()
        messages.fits(charter, holding, names, handles)
        return (yield from self._disclose(asker, charter, holding, purpose, handles, names, why, version))

    def disclose_many(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        fields: Iterable[str],
        why: Context,
        version: int = 0,
    ) -> Flow[None]:
        names, left = messages.names_of(fields), iter(records)
        while True:
            asker, charter = yield from self._asker()
            part = messages.handles_of(islice(left, most(charter.holdings.get(holding), names)))
            if not part:
                return
            yield Give((yield from self._disclose(asker, charter, holding, purpose, part, names, why, version)))

    def _disclose(
        self,
        asker: Asker,
        charter: Charter,
        holding: str,
        purpose: str,
        handles: Sequence[Handle],
        fields: Sequence[str],
        why: Context,
        version: int,
    ) -> Flow[Disclosed]:
        signed = self._signed(
            charter,
            asker.disclose(
                holding, purpose, messages.plain(handles), fields, why.case, why.reason, self._now(), version
            ),
        )
        said = messages.disclosed((yield from self._ask("/v1/disclosures", signed)))
        given = {Handle(one.handle): Values(one.fields) for one in said.records}
        messages.same_records(handles, [Handle(one.handle) for one in said.records])
        messages.same_fields(fields, given.values())
        opened = messages.opened_by(charter, holding, fields)
        text = yield from self._proved(said.entry, said.receipt, signed, entry.DisclosureEntry, opened)
        return Disclosed(said.entry, said.receipt, text, given)

    def check(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        field: str,
        test: Test,
        value: str | None,
        why: Context,
    ) -> Flow[Checked]:
        handles = messages.handles_of(records)
        asker, charter = yield from self._asker()
        messages.fits(charter, holding, [field], handles)
        signed = self._signed(
            charter,
            asker.check(
                holding, purpose, messages.plain(handles), field, test, value, why.case, why.reason, self._now()
            ),
        )
        said = messages.checked((yield from self._ask("/v1/checks", signed)))
        messages.same_records(handles, [Handle(one.handle) for one in said.records])
        opened = messages.opened_by(charter, holding, [field])
        text = yield from self._proved(said.entry, said.receipt, signed, entry.CheckEntry, opened)
        return Checked(said.entry, said.receipt, text, {Handle(one.handle): one.answer for one in said.records})

    def export(
        self,
        holding: str,
        purpose: str,
        fields: Iterable[str],
        count: int,
        why: Context,
        records: Iterable[HandleLike] | None = None,
    ) -> Flow[None]:
        """Gives a batch as soon as its entry is proved, and no record before."""
        names, handles = messages.names_of(fields), None if records is None else messages.handles_of(records)
        if handles is not None:
            # What an ask leaves over, whoever holds it could still take out.
            count = min(count, len(handles))
        if count < 1:
            raise InputError("no record is named, so nothing was asked")
        asker, charter = yield from self._asker()
        now = self._now()
        signed = self._signed(
            charter,
            asker.export(holding, purpose, names, count, now + WINDOW_SECONDS, why.case, why.reason, now),
        )
        wanted = writes.Export(
            ask=messages.evidence(signed), records=None if handles is None else [str(one) for one in handles]
        )
        head: Answer = yield Stream(messages.post("/v1/exports", msgspec.json.encode(wanted), signed))
        if head.status != 200:
            raise self._refusal(head)
        opened = messages.opened_by(charter, holding, names)
        waiting: dict[Handle, Values] = {}
        total, entries = 0, set[int]()
        while True:
            line = messages.export_line((yield NextLine()))
            if isinstance(line, writes.Exported):
                waiting[Handle(line.handle)] = Values(line.fields)
                if len(waiting) > _MOST_WAITING:
                    raise FormatError("the vault gives more records than one entry may be of")
            elif isinstance(line, writes.ExportBatch):
                if line.records != len(waiting) or (handles is not None and not waiting.keys() <= set(handles)):
                    raise FormatError("the export's records are not those of its batch")
                messages.same_fields(names, waiting.values())
                text = yield from self._proved(line.entry, line.receipt, signed, entry.ExportEntry, opened)
                written = entry.parse(text.encode())
                if not isinstance(written, entry.ExportEntry) or written.count != len(waiting):
                    raise EntryError(f"entry {line.entry} is not of as many records as were given")
                if line.entry in entries:
                    raise EntryError(f"entry {line.entry} was of other records already")
                entries.add(line.entry)
                total += len(waiting)
                yield Give(Exported(line.entry, line.receipt, text, waiting))
                waiting = {}
            elif isinstance(line, writes.ExportEnd):
                if waiting or line.records != total or (handles is not None and total + line.left_out != len(handles)):
                    raise FormatError("the export ends with other records than it had: some were kept back")
                return
            else:
                raise of_problem(line.problem)

    # --- what is written ---------------------------------------------------------------------------------------------
    def take_in(
        self, holding: str, purpose: str, records: Iterable[Mapping[str, str | None]], why: Context
    ) -> Flow[TakenIn]:
        values = [dict(one) for one in records]
        if not 1 <= len(values) <= writes.MOST_RECORDS:
            raise InputError(f"at once 1 to {writes.MOST_RECORDS:,} records are taken in")
        asker, charter = yield from self._asker()
        # Where a holding has none, the ledger still says that something was taken in.
        count = max(identifiers(messages.holding_of(charter, holding)) * len(values), 1)
        signed = self._window(asker, charter, holding, purpose, count, why)
        body = msgspec.json.encode(writes.Records(ask=messages.evidence(signed), records=values))
        said = messages.stored((yield from self._send("/v1/records", body, signed)))
        if len(said.records) != len(values) or len(set(said.records)) != len(values):
            raise FormatError("the vault's answer has not a record of its own for each that was sent")
        text = yield from self._indexed(said.entries, said.receipt, signed, count)
        handles = tuple(Handle(one) for one in said.records)
        return TakenIn(said.entries[-1], said.receipt, text, handles, tuple(said.entries))

    def take_in_many(
        self, holding: str, purpose: str, records: Iterable[Mapping[str, str | None]], why: Context
    ) -> Flow[None]:
        for part in messages.parts(records):
            yield Give((yield from self.take_in(holding, purpose, part, why)))

    def correct(
        self,
        holding: str,
        purpose: str,
        records: Iterable[HandleLike],
        values: Mapping[str, str | None],
        why: Context,
        intake: str = "",
    ) -> Flow[Corrected]:
        handles = messages.handles_of(records)
        asker, charter = yield from self._asker()
        declared = messages.holding_of(charter, holding)
        messages.fits(charter, holding, None, handles)
        signed = self._signed(
            charter, asker.correct(holding, purpose, messages.plain(handles), values, why.case, why.reason, self._now())
        )
        count = identifiers(declared) * len(handles)
        window = self._window(asker, charter, holding, intake or purpose, count, why) if count else None
        wanted = writes.Correction(ask=messages.evidence(signed), intake=messages.evidence(window) if window else None)
        said = messages.corrected((yield from self._send("/v1/corrections", msgspec.json.encode(wanted), signed)))
        messages.same_records(handles, [Handle(one.handle) for one in said.records])
        text = yield from self._proved(said.entry, said.receipt, signed, entry.CorrectionEntry)
        if window is not None:
            yield from self._indexed(said.indexed, None, window, count)
        elif said.indexed:
            raise FormatError("the vault indexed identifiers that the holding does not have")
        versions = {Handle(one.handle): one.version for one in said.records}
        return Corrected(said.entry, said.receipt, text, versions, tuple(said.indexed))

    def erase(self, holding: str, purpose: str, records: Iterable[HandleLike], why: Context) -> Flow[Erased]:
        handles = messages.handles_of(records)
        asker, charter = yield from self._asker()
        messages.fits(charter, holding, None, handles)
        signed = self._signed(
            charter, asker.erase(holding, purpose, messages.plain(handles), why.case, why.reason, self._now())
        )
        said = messages.erased((yield from self._ask("/v1/erasures", signed)))
        messages.same_records(handles, [Handle(one) for one in said.records])
        text = yield from self._proved(said.entry, said.receipt, signed, entry.ErasureEntry)
        return Erased(said.entry, said.receipt, text, tuple(handles), said.final)

    # --- what anybody may know ---------------------------------------------------------------------------------------
    def charter(self) -> Flow[InForce]:
        return (yield from self._rules.in_force())

    def receipt(self, index: int) -> Flow[Proved]:
        yield from self._rules.in_force()
        found = yield from self._receipt_of(index)
        text = yield from self._believer.proved(index, found)
        return Proved(index, found, text.decode())

    def witnessed(self) -> Flow[Witnessed]:
        charter = (yield from self._rules.in_force()).charter
        if not charter.witnesses.policy:
            raise InputError("the charter names no witnesses")
        data = yield from self._ledger_file(witnesses.PATH)
        if data is None:
            raise TileError(
                "the vault shows nothing that witnesses have cosigned: it has published nothing, or keeps it back"
            )
        policy, fresh = policies.of_charter(charter), charter.witnesses.fresh
        return (yield from self._believer.witnessed(messages.note(data), policy, fresh, self._now()))

    def budgets(self, holding: str, purpose: str) -> Flow[facts.Budgets]:
        path = f"/v1/budgets?purpose={messages.name_text(purpose)}&holding={messages.name_text(holding)}&reader={self.device.reader.hex()}"
        return messages.budgets((yield from self._get(path)))

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
