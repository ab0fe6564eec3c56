"""What the store keeps of passkeys (service/identity/credentials.py), also when two processes are at it at once."""

from __future__ import annotations

import os

from tests.identity.forge import NOW
from tests.identity.refusals import refused
from tests.world import World

from strongroom.service.identity import credentials
from strongroom.service.identity.credentials import Credential

READER = b"\1" * 16


def made(name: bytes, count: int = 0) -> Credential:
    return Credential(id=name, public=b"key", count=count)


def test_one_code_makes_one_passkey_whoever_else_read_the_same(town: World) -> None:
    notes = town.room.store.notes
    code = credentials.draw_code(notes, READER, NOW, os.urandom)
    credentials.check_code(notes, READER, code, NOW)
    credentials.add(notes, READER, [], made(b"one"))
    with refused("passkey-code"):
        credentials.add(notes, READER, [], made(b"two"))
    with refused("passkey-code"):
        credentials.check_code(notes, READER, code, NOW)
    assert credentials.of(notes, READER) == [made(b"one")]


def test_a_reader_has_ten_passkeys_at_most_and_each_once(town: World) -> None:
    notes = town.room.store.notes
    for at in range(credentials.MOST_KEYS):
        credentials.add(notes, READER, credentials.of(notes, READER), made(bytes([at])))
        if at == 0:
            with refused("passkey"):
                credentials.add(notes, READER, credentials.of(notes, READER), made(b"\0"))
    with refused("passkey"):
        credentials.add(notes, READER, credentials.of(notes, READER), made(b"more"))
    assert credentials.forget(notes, READER) == credentials.MOST_KEYS
    assert credentials.of(notes, READER) == []


def test_a_count_rises_once_for_each_use(town: World) -> None:
    notes = town.room.store.notes
    credentials.add(notes, READER, [], made(b"one", 5))
    credentials.count(notes, READER, made(b"one", 5), 6)
    # Somebody else read the count before that, and comes after.
    with refused("passkey-count"):
        credentials.count(notes, READER, made(b"one", 5), 7)
    with refused("passkey-count"):
        credentials.count(notes, READER, made(b"one", 6), 6)
    with refused("passkey-count"):
        credentials.count(notes, READER, made(b"two"), 1)
    assert credentials.of(notes, READER) == [made(b"one", 6)]
