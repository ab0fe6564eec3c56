"""Houses that let on who is here, or let somebody guess for longer than they should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from strongroom.catalog.model import Charter
from strongroom.custody import opening, read
from strongroom.custody.room import Room
from strongroom.errors import InputError, Refused, StoreError
from strongroom.gate import decision
from strongroom.gate.ask import Ask
from strongroom.gate.permit import permitted
from strongroom.keyholder import decide, desk, subjects
from strongroom.keyholder.case import Case
from strongroom.keyholder.price import rates
from strongroom.store.rows import split_tokens
from strongroom.store.vault import VaultStore


def duplicates_refused(patch: pytest.MonkeyPatch) -> None:
    """An identifier is unique, as in most registers: who takes somebody in a second time is told so."""
    honest = VaultStore.put_chunk

    def weak(self: VaultStore, holding: int, rows: Sequence[Any], *given: Any, **more: Any) -> None:
        for row in rows:
            if row.version == 1 and self.handles_of_tokens(holding, split_tokens(row.tokens)):
                raise StoreError("record: there is one of this identifier")
        honest(self, holding, rows, *given, **more)

    patch.setattr(VaultStore, "put_chunk", weak)


def hits_looked_after(patch: pytest.MonkeyPatch) -> None:
    """After a hit the vault asks the keyholder something more, after a miss it does not."""
    honest = read.find

    def weak(room: Room, signed: Any) -> read.Found:
        found = honest(room, signed)
        if found.handles:
            room.status()
        return found

    patch.setattr(read, "find", weak)


def other_holding_named(patch: pytest.MonkeyPatch) -> None:
    """Whoever names a record of another holding is told of which."""
    honest = opening.rows

    def weak(room: Room, holding: str, handles: Sequence[bytes], version: int = 0) -> Any:
        for row in room.store.holdings():
            if row.name != holding and room.store.latest_versions(row.number, handles):
                raise InputError(f"this record is one of {row.name}")
        return honest(room, holding, handles, version)

    patch.setattr(opening, "rows", weak)


def purpose_quoted(patch: pytest.MonkeyPatch) -> None:
    """A refusal says which purpose there is not."""
    honest = permitted

    def weak(charter: Charter, ask: Ask, line: Any) -> Any:
        if ask.purpose not in charter.purposes:
            raise Refused("purpose", f"there is no purpose {ask.purpose}")
        return honest(charter, ask, line)

    patch.setattr(decision, "permitted", weak)


def budget_of_a_record_for_each(patch: pytest.MonkeyPatch) -> None:
    """What may be asked about one record is counted for each reader alone."""
    honest = rates

    def weak(case: Case, charter: Charter, cost: int) -> Any:
        own = f"{case.ask.reader.hex()}:"
        return [(own + key if key.startswith("record:") else key, *rest) for key, *rest in honest(case, charter, cost)]

    patch.setattr(decide, "rates", weak)


def short_codes(patch: pytest.MonkeyPatch) -> None:
    """The desk's codes are of one letter."""
    patch.setattr(desk, "new_code", lambda random: "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[random(1)[0] % 32] * 10)


def lasting_codes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subjects, "CODE_SECONDS", 10**6)
