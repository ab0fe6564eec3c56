"""What a client reads: flows that sign, send, prove, and only then hand over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from strongroom.api import writes
from strongroom.catalog.model import Charter, Test
from strongroom.client import messages
from strongroom.client.answers import Checked, Disclosed, Exported, Found, Values
from strongroom.client.device import Asker
from strongroom.client.exchange import WINDOW_SECONDS, Context, Exchange
from strongroom.client.flow import Answer, Flow, Give, NextLine, Stream
from strongroom.client.handle import Handle, HandleLike
from strongroom.client.problems import of_problem
from strongroom.client.rules import most
from strongroom.errors import EntryError, FormatError, InputError
from strongroom.ledger import entry

_MOST_WAITING = 1_000


class Reading(Exchange):
    """Finds, disclosures, checks, exports."""

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
