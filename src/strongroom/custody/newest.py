"""Telling the keyholder which versions of records are the newest ones, below which it gives nothing but to a purpose with
``history`` (SPEC.md section 8.9).

What was stored is noted as untold in the same transaction, so a crash in between is caught up with by whoever tells next. The
keyholder takes a version that is one above the one it knows of, so they are told in ascending order.
"""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.custody.room import Room
from strongroom.errors import Refused
from strongroom.keyholder import protocol
from strongroom.seal import columns


def tell(room: Room, holding: str) -> None:
    """Tell of every later version of the holding that it has not been told of.

    Raises ``Refused``, ``KeyholderUnavailable``: then it is told the next time.
    """
    number = room.holding(holding)
    while untold := room.store.unsettled(number, protocol.MAX_VERSIONS):
        # Of several versions of a record the first one; the next is told in the next round.
        lowest = dict(reversed(untold))
        try:
            _say(room, holding, lowest)
        except Refused as refusal:
            if refusal.code != "version":
                raise
            _climb(room, holding, lowest)
        room.store.settle(number, lowest.items())


def _climb(room: Room, holding: str, newest: Mapping[bytes, int]) -> None:
    """Say all versions up to these: those between may be gone from here, or from the keyholder that was put back from a
    copy."""
    for version in range(2, max(newest.values()) + 1):
        _say(room, holding, {handle: version for handle, last in newest.items() if last >= version})


def _say(room: Room, holding: str, newest: Mapping[bytes, int]) -> None:
    request = protocol.Supersede(
        **room.common(), holding=holding, handles=b"".join(newest), versions=columns.put_u32s(list(newest.values()))
    )
    protocol.done.parse(room.client.call("/v1/supersede", request))
