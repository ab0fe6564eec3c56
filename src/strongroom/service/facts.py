"""What the vault knows of its room without asking anybody: charter, ledger, receipts, what is due. And certificates, and budgets,
for which it asks the keyholder."""

from __future__ import annotations

import msgspec
from aiohttp import web

from strongroom.api import facts as api
from strongroom.api import queries
from strongroom.catalog import charter as charters
from strongroom.custody import certificate, upkeep
from strongroom.custody.mirror import Enacted
from strongroom.custody.room import Room
from strongroom.errors import InputError, StoreError
from strongroom.ledger import checkpoint, entry, note, proof
from strongroom.ledger.prover import Prover
from strongroom.seal.epoch import epoch_text
from strongroom.service.call import LINES, Call
from strongroom.service.problems import Rejected

_LINES_AT_ONCE = 1000


async def room(call: Call) -> api.Room:
    return await call.vault.run(_room)


def _room(room: Room) -> api.Room:
    rules = room.rules()
    return api.Room(
        id=room.keys.room.hex(),
        name=rules.charter.name,
        charter=rules.enacted.hash.hex(),
        genesis=room.anchors.genesis.hex(),
        log=room.anchors.log,
        ml_dsa=rules.charter.keyholder.ml_dsa,
        vault=rules.charter.vault.cosigner,
        size=room.mirror.size,
        time=room.mirror.time,
    )


async def charter(call: Call) -> api.Charter:
    return await call.vault.run(lambda room: _charter(room.rules().enacted))


async def all_charters(call: Call) -> api.Charters:
    query: queries.Pages = call.query
    first = int(query.cursor)

    def work(room: Room) -> api.Charters:
        known = room.mirror.charters()
        until = first + query.limit
        page = [_charter(one) for one in known[first:until]]
        return api.Charters(charters=page, next=str(until) if until < len(known) else None)

    return await call.vault.run(work)


def _charter(one: Enacted) -> api.Charter:
    return api.Charter(
        version=one.charter.version,
        hash=one.hash.hex(),
        entry=one.index,
        effective=one.effective,
        document=charters.document(one.charter).decode(),
    )


async def budgets(call: Call) -> api.Budgets:
    query: queries.Of = call.query
    reader = bytes.fromhex(query.reader)
    await call.may_ask(reader)
    found = await call.vault.run(lambda room: room.budgets(reader, query.purpose, query.holding))
    return api.Budgets(
        purpose=query.purpose,
        holding=query.holding,
        time=found.time,
        budgets=[api.Budget(scope=one.scope, rate=one.rate, left=one.left) for one in found.buckets],
    )


async def receipt(call: Call) -> api.ReceiptOf:
    return await call.vault.run(lambda room: _receipt(room, call.entry))


def _receipt(room: Room, index: int) -> api.ReceiptOf:
    """Under the last checkpoint that this vault has verified, with its cosignature."""
    signed = room.mirror.note
    size = checkpoint.parse(note.parse_note(signed).text).size if signed else 0
    if index >= size:
        raise Rejected("not-found", "the ledger, as far as the vault has it, does not reach so far")
    proved = proof.Proof(index, tuple(Prover(room.mirror.read_tile).inclusion(index, size)), signed)
    return api.ReceiptOf(entry=index, text=room.mirror.entry(index).decode(), receipt=proved.marshal())


async def entries(call: Call) -> web.StreamResponse:
    """Lines of JSON, from the cursor on; where there are more, a Link header says where to go on."""
    query: queries.Lines = call.query
    first = int(query.cursor)
    size = await call.vault.run(lambda room: room.mirror.size)
    stop = min(first + query.limit, size)
    answer = web.StreamResponse(headers={"Content-Type": LINES})
    if stop < size and first < stop:
        answer.headers["Link"] = f'</v1/entries?cursor={stop}&limit={query.limit}>; rel="next"'
    await answer.prepare(call.request)
    for start in range(first, stop, _LINES_AT_ONCE):
        end = min(start + _LINES_AT_ONCE, stop)
        try:
            found = await call.vault.run(lambda room, start=start, end=end: room.mirror.entries(start, end))  # type: ignore[misc]
        except StoreError as error:
            # The answer is on its way, and has no room for a problem: it is cut off, which HTTP shows.
            raise ConnectionResetError from error
        lines = [api.LedgerEntry(entry=at, text=data.decode()) for at, data in enumerate(found, start)]
        await answer.write(msgspec.json.Encoder().encode_lines(lines))
    await answer.write_eof()
    return answer


async def retention(call: Call) -> api.Retention:
    return await call.vault.run(_retention)


def _retention(room: Room) -> api.Retention:
    counted = {row.name: row for row in room.store.holdings()}
    standing = {one.holding: one for one in upkeep.standing(room)}
    found = []
    for name, declared in sorted(room.rules().charter.holdings.items()):
        row, one = counted.get(name), standing.get(name)
        outlook = one.outlook if one else None
        found.append(
            api.Holding(
                name=name,
                retention=declared.retention,
                rotation=declared.rotation,
                records=row.records if row else 0,
                versions=row.versions if row else 0,
                batches={str(state): count for state, count in outlook.batches.items()} if outlook else {},
                destruction=_day(outlook.destruction) if outlook else None,
                backups=_day(outlook.backups) if outlook else None,
                held_until=one.held_until if one else None,
                urgent=outlook.urgent if outlook else False,
            )
        )
    return api.Retention(holdings=found)


def _day(day: int | None) -> str | None:
    return None if day is None else epoch_text(day)


async def erasure(call: Call) -> api.Certificate:
    query: queries.Certified = call.query
    return await call.vault.run(lambda room: _certificate(room, call.entry, [bytes.fromhex(x) for x in query.record]))


def _certificate(room: Room, index: int, handles: list[bytes]) -> api.Certificate:
    written = entry.parse(room.mirror.entry(index)) if index < room.mirror.size else None
    if not isinstance(written, entry.ErasureEntry):
        raise Rejected("not-found", "the ledger, as far as the vault has it, has no erasure there")
    data, verdict = certificate.issue(room, written.holding, handles)
    if any(one.entry != index for one in verdict.records):
        raise InputError("one of the records was erased by another entry")
    return api.Certificate(certificate=data.decode(), final=verdict.final)
