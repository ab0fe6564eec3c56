"""What goes in lines of JSON: many records in, an export out. A stream that ends without its last line was cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from strongroom.api import writes as api
from strongroom.api.base import Values
from strongroom.api.problem import Row
from strongroom.canonical import without_value
from strongroom.client.device import SignedAsk
from strongroom.errors import InputError
from strongroom.gate import ask as asks
from strongroom.service import problems
from strongroom.service.bodies import Bodies
from strongroom.service.call import LINES, Call
from strongroom.service.front import parse
from strongroom.service.problems import Rejected
from strongroom.service.writes import rows

_BATCH_BYTES = 8 << 20
_WRITE_SECONDS = 60.0
_WRITTEN = 256 << 10
_head = msgspec.json.Decoder(api.RecordsHead)
_record = msgspec.json.Decoder(Values)
_encoder = msgspec.json.Encoder()


class _Out:
    """The answer's lines. It begins with the first of them: until then a problem is one of HTTP's own."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response: web.StreamResponse | None = None

    async def say(self, *lines: msgspec.Struct) -> None:
        """Raises ``ConnectionError`` where nobody reads, in a minute or any more."""
        if self.response is None:
            self.response = web.StreamResponse(headers={"Content-Type": LINES})
            await self.response.prepare(self._request)
        data = _encoder.encode_lines(lines)
        for at in range(0, len(data), _WRITTEN):
            try:
                async with asyncio.timeout(_WRITE_SECONDS):
                    await self.response.write(data[at : at + _WRITTEN])
            except TimeoutError:
                # An orderly close would wait for the same reader.
                if self._request.transport is not None:
                    self._request.transport.abort()
                raise ConnectionResetError from None

    async def end(self, last: msgspec.Struct) -> web.StreamResponse:
        await self.say(last)
        assert self.response is not None
        await self.response.write_eof()
        return self.response

    async def broke(self, error: Exception) -> web.StreamResponse:
        """Say what ended it. Raises ``error`` itself where nothing was said yet, or nobody is left to be told."""
        if self.response is None or isinstance(error, ConnectionError):
            raise error
        return await self.end(api.Broken(problem=problems.problem(error)))


# --- out ----------------------------------------------------------------------------------------------------------------
async def exports(call: Call) -> web.StreamResponse:
    body: api.Export = call.body
    signed = await call.signed(body.ask, asks.ExportAsk)
    named = None if body.records is None else [bytes.fromhex(one) for one in body.records]
    out = _Out(call.request)
    try:
        plan = await call.vault.plan(signed, named)
        entries, count = [], 0
        for part in plan.parts:
            given = await call.vault.give(signed, part)
            lines = (
                api.Exported(handle=handle.hex(), fields=values)
                for handle, values in zip(given.handles, given.values, strict=True)
            )
            batch = api.ExportBatch(records=len(given.handles), entry=given.index, receipt=given.receipt)
            await out.say(*lines, batch)
            entries.append(given.index)
            count += len(given.handles)
        return await out.end(api.ExportEnd(records=count, left_out=plan.left_out, entries=entries))
    except Exception as error:  # noqa: BLE001 - said in the stream, where HTTP has no status left for it
        return await out.broke(error)


# --- in -----------------------------------------------------------------------------------------------------------------
@dataclass
class _Batch:
    """Lines that go in together. ``numbers``: of the lines that are records."""

    numbers: list[int] = field(default_factory=list)
    records: list[Values] = field(default_factory=list, repr=False)
    bad: list[Row] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.records) + len(self.bad)


async def records(call: Call) -> web.StreamResponse:
    if "Idempotency-Key" in call.request.headers:
        raise Rejected("idempotency", "a stream has none: what it has taken in, its answer says line by line")
    lines = call.bodies.lines(call.request)
    out = _Out(call.request)
    try:
        head: api.RecordsHead = parse(_head, await anext(lines, b""), "first line")
        signed = await call.signed(head.ask, asks.IntakeAsk)
        stored = left_out = 0
        async for batch in _batches(call.bodies, lines):
            kept, bad = await _take(call, signed, batch, out)
            stored, left_out = stored + kept, left_out + bad
        if not stored + left_out:
            raise InputError("the stream has no record")
        return await out.end(api.RecordsEnd(stored=stored, left_out=left_out))
    except Exception as error:  # noqa: BLE001 - as above
        return await out.broke(error)


async def _batches(bodies: Bodies, lines: AsyncIterator[bytes]) -> AsyncIterator[_Batch]:
    number, more = 0, True
    while more:
        more, batch = False, _Batch()
        with bodies.holding() as held:
            async for line in lines:
                number += 1
                held.add(len(line))
                _add(batch, number, line)
                if batch.count == api.MOST_RECORDS or held.size >= _BATCH_BYTES:
                    more = True
                    break
            if batch.count:
                yield batch


def _add(batch: _Batch, number: int, line: bytes) -> None:
    try:
        batch.records.append(_record.decode(line))
        batch.numbers.append(number)
    except msgspec.ValidationError as error:
        batch.bad.append(Row(row=number, field="", reason=without_value(str(error))))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        batch.bad.append(Row(row=number, field="", reason="not JSON"))


async def _take(call: Call, signed: SignedAsk, batch: _Batch, out: _Out) -> tuple[int, int]:
    """How many lines were taken in, and left out."""
    parsed = await call.vault.parse(signed.ask.holding, batch.records)
    taken = [batch.numbers[at - 1] for at in parsed.rows]
    bad = batch.bad + [
        Row(row=batch.numbers[one.row - 1], field=one.field, reason=one.reason) for one in rows(parsed.bad)
    ]
    if taken:
        found = await call.vault.receive(signed, parsed.columns)
        await out.say(
            api.StoredBatch(
                rows=taken,
                records=[one.hex() for one in found.handles],
                entries=list(found.entries),
                receipt=found.receipt,
            )
        )
    if bad:
        await out.say(api.LeftOut(rows=bad))
    return len(taken), len({one.row for one in bad})
