"""Finds, disclosures, checks."""

from __future__ import annotations

from strongroom.api import reads as api
from strongroom.gate import ask as asks
from strongroom.service.call import Call


async def finds(call: Call) -> api.Found:
    found = await call.vault.find(await call.signed(call.body, asks.FindAsk))
    return api.Found(records=[one.hex() for one in found.handles], entry=found.index, receipt=found.receipt)


async def disclosures(call: Call) -> api.Disclosed:
    found = await call.vault.disclose(await call.signed(call.body, asks.DiscloseAsk))
    records = [
        api.Disclosure(handle=handle.hex(), fields=values)
        for handle, values in zip(found.handles, found.values, strict=True)
    ]
    return api.Disclosed(records=records, entry=found.index, receipt=found.receipt)


async def checks(call: Call) -> api.Checked:
    found = await call.vault.check(await call.signed(call.body, asks.CheckAsk))
    records = [
        api.Checks(handle=handle.hex(), answer=answer)
        for handle, answer in zip(found.handles, found.answers, strict=True)
    ]
    return api.Checked(records=records, entry=found.index, receipt=found.receipt)
