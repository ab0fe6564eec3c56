"""A vault that leaves on its disk what a thief can use."""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest

from strongroom.custody.intake import chunk
from strongroom.custody.intake.chunk import Taker
from strongroom.custody.intake.identifiers import Bound, Identifiers
from strongroom.custody.intake.sealing import Sealer
from strongroom.custody.intake.window import Indexed, index
from strongroom.seal import batch, person, slot, token
from strongroom.seal.columns import split, xor
from strongroom.store.rows import BatchRow, join_tokens


def _note(sealer: Sealer, name: str, value: bytes) -> None:
    db = sealer._room.store._db
    with db.transaction():
        db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def plaintext_left(patch: pytest.MonkeyPatch) -> None:
    """A forgotten log of what was taken in."""
    honest = Sealer._texts

    def weak(self: Sealer, names: Any, values: Any) -> list[bytes]:
        texts = honest(self, names, values)
        _note(self, f"debug:{names[0]}", texts[0])
        return texts

    patch.setattr(Sealer, "_texts", weak)


def no_padding(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        batch, "pad_many", lambda column, floor: [text + b"\x80" + bytes(-(len(text) + 1) % 16) for text in column]
    )


def fewer_tokens(patch: pytest.MonkeyPatch) -> None:
    """A record keeps the tokens of its values alone."""
    bind = Identifiers.bind
    made: set[bytes] = set()

    def weak_bind(self: Identifiers, keys: Any, handles: Any) -> Bound:
        found = bind(self, keys, handles)
        values = {inner for column in self.own.values() for inner in column}
        made.update(inner for column in found.sent.values() for inner in column if inner not in values)
        return found

    def weak_index(room: Any, window: Any, inners: Any) -> Indexed:
        found = index(room, window, inners)
        kept = {
            name: [b"" if inner in made else one for inner, one in zip(inners[name], column, strict=True)]
            for name, column in found.tokens.items()
        }
        return Indexed(kept, found.entries)

    patch.setattr(Identifiers, "bind", weak_bind)
    patch.setattr(chunk, "index", weak_index)
    patch.setattr(chunk, "join_tokens", lambda tokens: join_tokens({one for one in tokens if one}))


def one_token_for_no_value(patch: pytest.MonkeyPatch) -> None:
    """What stands for no value is the same for everybody."""
    honest = person.no_value
    patch.setattr(
        person, "no_value", lambda keys, kind, field, handles: honest(keys, kind, field, [bytes(16)] * len(handles))
    )


def handles_in_order(patch: pytest.MonkeyPatch) -> None:
    def weak(self: Taker, columns: Any) -> list[bytes]:
        number = itertools.count(int.from_bytes(os.urandom(8)))
        return [next(number).to_bytes(16) for _ in next(iter(columns.values()))]

    patch.setattr(Taker, "_drawn", weak)


def nonces_counted(patch: pytest.MonkeyPatch) -> None:
    """Nonces counted from nought in each batch: never used twice under a key, and still they name the row."""

    def weak(column: bytes, width: int) -> list[bytes]:
        return [at.to_bytes(12) for at in range(len(column) // 12)] if width == 12 else split(column, width)

    patch.setattr(batch, "split", weak)


def one_key(patch: pytest.MonkeyPatch) -> None:
    """One key and commitment for all compartments of a holding, whatever the share."""
    for module in ("strongroom.seal.compartment", "strongroom.seal.cleartext"):
        patch.setattr(f"{module}.keys_and_checks", lambda keys, shares: [keys.seal + keys.nobody[:16] for _ in shares])


def no_mask(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batch, "xor", lambda left, right: left)
    patch.setattr(slot, "xor", lambda left, right: left)
    assert xor(b"a", b"b") != b"a", "the weakening is in the sealing alone"


def no_index_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(token, "tokens", lambda key, inners: [inner[:16] for inner in inners])


def known_batch_secret(patch: pytest.MonkeyPatch) -> None:
    honest = batch.Batch.open.__func__  # type: ignore[attr-defined]

    def random(size: int) -> bytes:
        return bytes(size) if size == 32 else os.urandom(size)

    patch.setattr(batch.Batch, "open", classmethod(lambda cls, *given: honest(cls, *given[:-1], random)))


def batch_secret_kept(patch: pytest.MonkeyPatch) -> None:
    """The secret of a batch is written down beside it."""
    honest = Sealer.close

    def weak(self: Sealer, one: batch.Batch, public: bytes) -> BatchRow:
        _note(self, f"batch:{one.id.hex()}", one.secret)
        return honest(self, one, public)

    patch.setattr(Sealer, "close", weak)
