"""What an attacker with root on the vault can do: build any request, sign it as the vault, and look what came of it.

A good request is made first; a test changes one thing. ``refused`` then holds all that a refusal must leave alone.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests import world
from tests.world import Person, World

from strongroom.canonical import Record, encode
from strongroom.client.device import Device, SignedAsk
from strongroom.custody import opening
from strongroom.custody.steps import of_ask
from strongroom.errors import StrongroomError
from strongroom.gate import ask as asks
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, entry, note, tag, tree
from strongroom.seal import hpke

FRESH = hpke.private_from(bytes(range(96)))
PEOPLE = 12


@dataclass
class Held:
    """All that a refusal may not touch, and the entries."""

    budgets: list[Any]
    chains: list[Any]
    life: list[Any]
    asks: list[Any]
    entries: list[bytes]


class Houses:
    """A town with people in it, and the vault's hands on its own key."""

    def __init__(self, root: Path) -> None:
        self.town = World(root)
        self.people: list[Person] = pickle.loads((root / "people.pickle").read_bytes())  # noqa: S301
        self.handles = sorted(person.handle for person in self.people)

    # --- requests --------------------------------------------------------------------------------------------------
    def sign(self, ask: asks.Ask, device: Device | None = None) -> SignedAsk:
        """Any ask, signed by any device: what a reader could do who works with the thief."""
        text = encode(ask)
        device = device or self.town.key_of("ana")
        private = asks.PrivateHalf(case="", reader=ask.reader, reason="", salt=bytes(32), subject=None)
        return SignedAsk(ask, text, asks.sign(text, device.key), private)

    def ask(self, count: int = 1, fields: Sequence[str] = ("name",), purpose: str = "confirm") -> SignedAsk:
        return self.town.ask(self.handles[:count], fields, purpose)

    def disclose(
        self, signed: SignedAsk, compartments: Sequence[int] = (1,), count: int | None = None
    ) -> protocol.Disclose:
        room = self.town.room
        assert isinstance(signed.ask, asks.DiscloseAsk)
        handles = signed.ask.records if count is None else self.handles[:count]
        pieces = opening.pieces(opening.rows(room, "residents", handles), compartments)
        return opening.request(room.common(), signed, pieces, FRESH.public)

    def good(self, count: int = 1) -> protocol.Disclose:
        return self.disclose(self.ask(count))

    def find(self, signed: SignedAsk, inner: bytes = bytes(32)) -> protocol.Find:
        return protocol.Find(
            **self.town.room.common(),
            **of_ask(signed),
            fresh=FRESH.public,
            inner=inner,
        )

    def window(self, count: int, seconds: int = 3600) -> SignedAsk:
        now = self.town.room.now()
        return self.town.asker("rui").intake(
            "residents", "register", count, now + seconds, "register-1", "taking in the yearly register", now
        )

    def intake(self, signed: SignedAsk, inners: Sequence[bytes], field: str = "phone") -> protocol.Intake:
        return protocol.Intake(
            **self.town.room.common(),
            **of_ask(signed),
            fresh=FRESH.public,
            fields=[field],
            inners=[b"".join(inners)],
        )

    # --- sending ---------------------------------------------------------------------------------------------------
    def send(self, request: Record | bytes, path: str = "") -> Record:
        """Signed by the vault, straight into the keyholder."""
        body_ = request if isinstance(request, bytes) else encode(request)
        path = path or PATHS[type(request)]
        signature = protocol.sign_request(self.town.keyholder.room, path, body_, self.town.room.keys.message)
        return self.town.keyholder.ask(path, signature, body_)

    def open(self, request: Record, answer: Record, codec: Any = protocol.shares) -> Any:
        assert isinstance(answer, protocol.SealedAnswer)
        info = protocol.answer_info(self.town.room.keys.room, encode(request))
        return codec.parse(hpke.decrypt(FRESH, info, answer.sealed))

    def operate(self, action: str, scope: str = "", **members: Any) -> None:
        """``members``: ``authority``, ``holding`` and ``until`` of a hold."""
        said: dict[str, Any] = {
            "action": action,
            "authority": "",
            "holding": "",
            "nonce": os.urandom(16),
            "scope": scope,
            "time": self.town.room.now(),
            "until": 0,
        }
        request = protocol.Operate(**said | members)
        content = encode(request)
        key = self.town.keyholder.keys.operator
        self.town.keyholder.ask(
            "/v1/operator", protocol.sign_request(self.town.keyholder.room, "/v1/operator", content, key), content
        )

    # --- what came of it -------------------------------------------------------------------------------------------
    def held(self) -> Held:
        store = self.town.keyholder.store
        tables = ("budgets", "chains", "asks", "tombstones", "versions", "epochs", "holds", "freezes")
        budgets, chains, asks_, *life = (store.db.execute(f"SELECT * FROM {one}").fetchall() for one in tables)  # noqa: S608
        return Held(budgets, chains, life, asks_, store.entries(0, store.size()))

    def entries(self) -> list[entry.Entry]:
        return [entry.parse(data) for data in self.held().entries]

    @contextmanager
    def refused(self, code: str, *, written: bool) -> Iterator[None]:
        """Within, exactly ``code`` is raised; no budget, no tag; an entry and a used ask if and only if ``written``."""
        before = self.held()
        with pytest.raises(StrongroomError) as caught:
            yield
        after = self.held()
        assert caught.value.code == code, caught.value
        assert (after.budgets, after.chains, after.life) == (before.budgets, before.chains, before.life)
        new = [entry.parse(data) for data in after.entries[len(before.entries) :]]
        if written:
            (item,) = new
            assert isinstance(item, entry.RefusalEntry)
            assert (item.by, item.code) == ("keyholder", code)
            assert len(after.asks) >= len(before.asks)
        else:
            assert new == []
            assert after.asks == before.asks
        self.check()

    def check(self) -> None:
        """Book, store and checkpoint agree; each tag that was numbered stands in exactly one entry, and no other does."""
        keyholder, data = self.town.keyholder, self.held().entries
        book = keyholder.book
        at = checkpoint.parse(note.open_note(book.note, [note.verifier(keyholder.keys.log.vkey)]))
        assert at.size == book.size == len(data)
        assert at.root == tree.root([tree.leaf_hash(one) for one in data])
        assert book._staged == []
        lost = [bytes(row[0]) for row in keyholder.store.db.execute("SELECT tag FROM lost")]
        assert sorted(t for one in data for t in entry.entry_tags(entry.parse(one))) == sorted(self.numbered() + lost)

    def numbered(self) -> list[bytes]:
        keyholder = self.town.keyholder
        return [
            one
            for holding, who, generation, count in keyholder.store.chains()
            for one in tag.tags(tag.chain_key(keyholder.keys.tag, holding, who, generation), 1, count)
        ]


PATHS: dict[type, str] = {
    protocol.Disclose: "/v1/disclose",
    protocol.Erase: "/v1/erase",
    protocol.Find: "/v1/find",
    protocol.Intake: "/v1/intake",
    protocol.Refusal: "/v1/refusal",
    protocol.EnterCharter: "/v1/charter",
    protocol.Epoch: "/v1/epoch",
    protocol.Supersede: "/v1/supersede",
    protocol.Reseal: "/v1/reseal",
    protocol.Held: "/v1/held",
    protocol.Certify: "/v1/certify",
    protocol.Entries: "/v1/entries",
}


def change(record: Any, **members: Any) -> Any:
    """The same but for ``members``."""
    return msgspec.structs.replace(record, **members)


@pytest.fixture(scope="session")
def peopled(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded room with people in it, never opened by a test."""
    root = tmp_path_factory.mktemp("peopled") / "room"
    made = world.copy(founded, root)
    people = made.take_in(PEOPLE)
    made.room.sync()
    made.close()
    (root / "people.pickle").write_bytes(pickle.dumps(people))
    return root


@pytest.fixture
def houses(peopled: Path, tmp_path: Path) -> Iterator[Houses]:
    """A peopled room of one's own. Whatever a test did, the book must be whole in the end."""
    world.copy(peopled, tmp_path / "room").close()
    made = Houses(tmp_path / "room")
    yield made
    made.check()
    made.town.close()
