"""What a client writes: records in, corrections, erasures; proved like everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from strongroom.api import writes
from strongroom.client import messages
from strongroom.client.answers import Corrected, Erased, TakenIn
from strongroom.client.exchange import Context, Exchange
from strongroom.client.flow import Flow, Give
from strongroom.client.handle import Handle, HandleLike
from strongroom.client.rules import identifiers
from strongroom.errors import FormatError, InputError
from strongroom.ledger import entry


class Writing(Exchange):
    """Intake, corrections, erasures."""

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
