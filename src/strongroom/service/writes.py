"""Records in, corrections, erasures."""

from __future__ import annotations

from strongroom.api import writes as api
from strongroom.api.problem import Row
from strongroom.gate import ask as asks
from strongroom.seal.epoch import epoch_text
from strongroom.service.call import Call
from strongroom.service.problems import Rejected
from strongroom.store.rows import RowError


def rows(bad: list[RowError]) -> list[Row]:
    return [Row(row=one.row, field=one.field, reason=one.reason) for one in bad]


def asked(body: api.Records | api.Correction | asks.Evidence) -> list[asks.Evidence]:
    """The asks that a request to write brings."""
    if isinstance(body, asks.Evidence):
        return [body]
    return [body.ask] if isinstance(body, api.Records) or body.intake is None else [body.ask, body.intake]


async def records(call: Call) -> api.Stored:
    body: api.Records = call.body
    signed = await call.signed(body.ask, asks.IntakeAsk)
    parsed = await call.vault.parse(signed.ask.holding, body.records)
    if parsed.bad:
        count = len({one.row for one in parsed.bad})
        raise Rejected("rows", f"{count} of {len(body.records)} records do not fit", rows(parsed.bad))
    found = await call.vault.receive(signed, parsed.columns)
    return api.Stored(records=[one.hex() for one in found.handles], entries=list(found.entries), receipt=found.receipt)


async def corrections(call: Call) -> api.Corrected:
    body: api.Correction = call.body
    signed = await call.signed(body.ask, asks.CorrectAsk)
    intake = None if body.intake is None else await call.signed(body.intake, asks.IntakeAsk)
    found = await call.vault.correct(signed, intake)
    return api.Corrected(
        records=[
            api.Version(handle=handle.hex(), version=version)
            for handle, version in zip(found.handles, found.versions, strict=True)
        ],
        entry=found.index,
        receipt=found.receipt,
        indexed=list(found.indexed),
    )


async def erasures(call: Call) -> api.Erased:
    found = await call.vault.erase(await call.signed(call.body, asks.EraseAsk))
    return api.Erased(
        records=[one.hex() for one in found.handles],
        final=epoch_text(found.final),
        entry=found.index,
        receipt=found.receipt,
    )
