"""Witnesses of the charter, to a client that begins without a memory: a room of its own, whose charter names one."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests import world
from tests.client.served import Between, Said, Served, serving
from tests.world import World

from strongroom.catalog.model import Charter, Witnesses
from strongroom.client.memory import InMemory
from strongroom.custody import ceremony
from strongroom.errors import CheckpointError, InputError, LedgerError, NoteError, QuorumError, TileError
from strongroom.keyholder import keys as keyholder_keys
from strongroom.ledger import checkpoint, note, proof, tree
from strongroom.ledger.cosignature import Cosigner

WITNESS = Cosigner("witness.example", Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
POLICY = f"witness w {WITNESS.vkey} http://127.0.0.1:9/\nquorum w\n"


@pytest.fixture(scope="module")
def watched(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("watched") / "room"
    shutil.copytree(founded, root)
    town = World(root)
    steward = ceremony.load_steward(root / "steward" / "steward.key")

    def named(old: Charter) -> Charter:
        return msgspec.structs.replace(old, witnesses=Witnesses(policy=POLICY, fresh=600, strict=False))

    ceremony.amend(town.room, steward, named, ceremony.latest_roster(town.room))
    town.close()
    with serving(root) as found:
        yield found


@pytest.fixture
def shown(watched: Served) -> Iterator[Between]:
    made = Between(watched.address)
    yield made
    made.close()


def showing(data: bytes | None) -> Any:
    def lie(said: Said) -> Said:
        if said.path == "/ledger/witnessed":
            said.status, said.body = (404, b"") if data is None else (200, data)
            said.headers = {"content-type": "text/plain"}
        return said

    return lie


def signed(watched: Served) -> tuple[str, str]:
    """The newest checkpoint as the log signed it: its text and the log's line."""
    with watched.room("ana", InMemory()) as room:
        newest = note.parse_note(proof.parse(room.receipt(0).receipt).checkpoint)
    line = next(one for one in newest.signatures if one.name == "riverton.example/ledger")
    return newest.text, line.marshal()


def test_a_quorum_of_this_very_ledger(watched: Served, shown: Between) -> None:
    text, log = signed(watched)
    now = int(time.time())
    shown.lie = showing(f"{text}\n{log}{WITNESS.cosign(text, now - 60)}".encode())
    with watched.room("ana", InMemory(), shown.address) as room:
        found = room.witnessed()
    assert (found.size, found.since) == (checkpoint.parse(text).size, now - 60)
    assert found.witnesses == ("witness.example",)

    async def asked() -> Any:
        async with watched.aroom("ana", InMemory(), shown.address) as room:
            return await room.witnessed()

    assert asyncio.run(asked()) == found


def test_none_or_an_old_one_or_a_bad_one(watched: Served, shown: Between) -> None:
    text, log = signed(watched)
    now = int(time.time())
    bad = WITNESS.cosign("riverton.example/ledger\n1\n" + text.split("\n")[2] + "\n", now)
    lies: list[tuple[bytes | None, type[LedgerError]]] = [
        (None, TileError),
        (b"\xff", NoteError),
        (b"", NoteError),
        (f"{text}\n{log}".encode(), QuorumError),
        (f"{text}\n{log}{WITNESS.cosign(text, now - 700)}".encode(), QuorumError),
        (f"{text}\n{log}{WITNESS.cosign(text, now + 1000)}".encode(), QuorumError),
        (f"{text}\n{log}{bad}".encode(), NoteError),
        (f"{text}\n{WITNESS.cosign(text, now)}".encode(), NoteError),
    ]
    with watched.room("ana", InMemory(), shown.address) as room:
        for data, kind in lies:
            shown.lie = showing(data)
            with pytest.raises(kind):
                room.witnessed()


def test_a_quorum_of_another_ledger(watched: Served, shown: Between) -> None:
    """The witnesses have seen one ledger, and this client is shown another: the log signed both."""
    text, _ = signed(watched)
    size = checkpoint.parse(text).size
    other = checkpoint.Checkpoint("riverton.example/ledger", size, tree.leaf_hash(b"another")).marshal()
    log = keyholder_keys.load(watched.root / "keyholder").log.sign(other)
    shown.lie = showing(f"{other}\n{log}{WITNESS.cosign(other, int(time.time()))}".encode())
    with watched.room("ana", InMemory(), shown.address) as room, pytest.raises(CheckpointError, match="FORKED"):
        room.witnessed()


def test_a_room_without_witnesses(served: Served) -> None:
    assert "witnesses" not in world.CHARTER
    with served.room("ana", InMemory()) as room, pytest.raises(InputError, match="no witnesses"):
        room.witnessed()
