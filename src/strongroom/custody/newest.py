"""Telling the keyholder which versions of records are the newest ones, below which it gives nothing but to a purpose with
``history`` (SPEC.md section 8.9).

What was stored is noted as untold in the same transaction, so a crash in between is caught up with by whoever tells next.
"""

from __future__ import annotations

from strongroom.custody.room import Room
from strongroom.keyholder import protocol
from strongroom.seal import columns


def tell(room: Room, holding: str) -> None:
    """Tell of every later version of the holding that it has not been told of.

    Raises ``Refused``, ``KeyholderUnavailable``: then it is told the next time.
    """
    number = room.holding(holding)
    while untold := room.store.unsettled(number, protocol.MAX_VERSIONS):
        known = dict(untold)  # of several versions of a record the last one, which is the highest
        request = protocol.Supersede(
            **room.common(), holding=holding, handles=b"".join(known), versions=columns.put_u32s(list(known.values()))
        )
        protocol.done.parse(room.client.call("/v1/supersede", request))
        room.store.settle(number, untold)
