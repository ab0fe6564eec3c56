"""The key that a batch is sealed to: the keyholder's of today, which is another only after a recovery."""

from __future__ import annotations

import msgspec
import pytest
from tests.world import World

from strongroom.canonical import Record, encode
from strongroom.custody import keydays
from strongroom.custody.intake import epochs
from strongroom.errors import SealError, StoreError
from strongroom.keyholder import protocol
from strongroom.ledger import entry


def lose_key(town: World, holding: str, epoch: int) -> None:
    """The keyholder's book and folder as they were before the key was made."""
    town.keyholder.epochs.files.destroy(holding, epoch)
    with town.keyholder.store.transaction():
        town.keyholder.store.db.execute("DELETE FROM epochs")


def test_the_same_key_as_long_as_the_keyholder_has_it(town: World) -> None:
    epoch, _ = epochs.current(town.room, "residents")
    first = epochs.public_key(town.room, "residents", epoch)
    assert epochs.public_key(town.room, "residents", epoch) == first


def test_another_key_is_refused_unless_the_ledger_says_that_there_was_a_recovery(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch, _ = epochs.current(town.room, "residents")
    first = epochs.public_key(town.room, "residents", epoch)
    lose_key(town, "residents", epoch)
    with pytest.raises(StoreError, match="another public key"):
        epochs.public_key(town.room, "residents", epoch)
    monkeypatch.setattr(keydays.KeyDays, "read", lambda self: setattr(self, "generation", 7))
    second = epochs.public_key(town.room, "residents", epoch)
    assert second != first
    known = town.room.store.epoch(town.room.holding("residents"), epoch)
    assert known is not None
    assert known[0] == second
    # What is sealed from now on can be read.
    people = town.take_in(2)
    assert len(town.disclose([people[0].handle]).values) == 1


def test_each_notice_of_a_recovery_lets_it_give_another_key_once(town: World) -> None:
    def notice() -> None:
        with town.keyholder.writing():
            now = town.keyholder.now()
            town.keyholder.book.stage(entry.NoticeEntry(v=1, time=now, code="generation", scope=""))
        town.room.sync()

    notice()
    epoch, _ = epochs.current(town.room, "residents")
    given = [epochs.public_key(town.room, "residents", epoch)]
    for _ in range(2):
        # A notice from before the key was given is no leave to give another.
        lose_key(town, "residents", epoch)
        with pytest.raises(StoreError, match="another public key"):
            epochs.public_key(town.room, "residents", epoch)
        notice()
        given.append(epochs.public_key(town.room, "residents", epoch))
        assert epochs.public_key(town.room, "residents", epoch) == given[-1]
    assert len(set(given)) == 3


def test_a_key_that_the_keyholder_did_not_sign(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch, _ = epochs.current(town.room, "residents")
    send = town.room.client.call

    def call(path: str, request: Record) -> bytes:
        answer = protocol.epoch_key.parse(send(path, request))
        return encode(msgspec.structs.replace(answer, signature=bytes(64)))

    monkeypatch.setattr(town.room.client, "call", call)
    with pytest.raises(SealError, match="not signed"):
        epochs.public_key(town.room, "residents", epoch)
