"""A vault that leaves traces by which two holdings can be put together: of time, of order, of use, of one key for all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

from strongroom.custody import opening
from strongroom.custody.intake.chunk import Taker
from strongroom.custody.room import Room
from strongroom.seal import epoch, person, token
from strongroom.seal.person import HoldingKeys
from strongroom.store.vault import VaultStore


def _note(room: Room, name: str, value: bytes) -> None:
    db = room.store._db
    with db.transaction():
        db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def one_key_for_all_holdings(patch: pytest.MonkeyPatch) -> None:
    """A person has one inner everywhere, and one token."""
    inners, index_key = person.inners, token.index_key

    def weak(keys: HoldingKeys, kind: str, normal_forms: Sequence[str]) -> list[bytes]:
        return inners(HoldingKeys(bytes(32), keys.room, bytes(16)), kind, normal_forms)

    patch.setattr(person, "inners", weak)
    patch.setattr(token, "index_key", lambda secret, holding, kind: index_key(secret, bytes(16), kind))


def log_of_intake(patch: pytest.MonkeyPatch) -> None:
    """A log of what was taken in, in the order of the source; it has handles alone."""
    honest = Taker._seal

    def weak(self: Taker, handles: Any, versions: Any, bound: Any, columns: Any) -> Any:
        _note(self._room, f"taken in {os.urandom(8).hex()}", b"".join(handles))
        return honest(self, handles, versions, bound, columns)

    patch.setattr(Taker, "_seal", weak)


def log_of_reads(patch: pytest.MonkeyPatch) -> None:
    """When a record was read last."""
    honest = opening.opening

    def weak(room: Room, signed: Any, admitted: Any, kind: Any, pieces: Sequence[opening.Piece]) -> Any:
        for row, _ in pieces:
            _note(room, f"read last {row.handle.hex()}", str(room.now()).encode())
        return honest(room, signed, admitted, kind, pieces)

    patch.setattr(opening, "opening", weak)


def never_tidied(patch: pytest.MonkeyPatch) -> None:
    """Pages stay as they were written."""
    patch.setattr(VaultStore, "tidy", lambda self: False)


def expiry_to_the_day(patch: pytest.MonkeyPatch) -> None:
    """What is kept for years expires on its own day, and not with its month."""
    patch.setattr(epoch, "_MONTHLY_FROM", 10**6)
