"""The vault as mirror: dropped, changed, cut and forked ledgers are found, and nothing of them is taken (SPEC.md 5)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import Houses, change

from strongroom.canonical import encode
from strongroom.catalog import charter as charters
from strongroom.catalog.model import Charter
from strongroom.custody import ceremony
from strongroom.custody.room import Room
from strongroom.errors import CheckpointError, EntryError, LedgerError, NoteError, StoreError
from strongroom.ledger import checkpoint, entry, note, tree


class Book:
    """A keyholder's book in the test's hand: any entries, signed as the log signs them."""

    def __init__(self, houses: Houses) -> None:
        self.houses = houses
        self.entries = houses.held().entries
        self.log = houses.town.keyholder.keys.log

    def signed(self, entries: Sequence[bytes], signer: note.Signer | None = None) -> str:
        root = tree.root([tree.leaf_hash(one) for one in entries])
        text = checkpoint.Checkpoint(self.houses.town.keyholder.keys.origin, len(entries), root).marshal()
        return f"{text}\n{(signer or self.log).sign(text)}"

    def offer(self, entries: Sequence[bytes], given: Sequence[bytes] | None = None, signed: str = "") -> None:
        """To the mirror, which asked with what it holds."""
        mirror = self.houses.town.room.mirror
        whole = [one.decode() for one in (entries if given is None else given)]
        have = mirror.size
        mirror.accept(
            signed or self.signed(entries), whole[have:], have, lambda start, limit: whole[start : start + limit]
        )

    def heartbeat(self, time: int = 0) -> bytes:
        last = entry.parse(self.entries[-1]).time
        return entry.encode(entry.HeartbeatEntry(v=1, time=time or last))


@pytest.fixture
def book(houses: Houses) -> Book:
    houses.town.disclose(houses.handles[:1])
    houses.town.room.sync()
    return Book(houses)


def _changed(book: Book, at: int) -> list[bytes]:
    return [*book.entries[:at], book.heartbeat(), *book.entries[at + 1 :], book.heartbeat()]


REWRITTEN: dict[str, tuple[type[LedgerError], Callable[[Book], None]]] = {
    "an entry dropped": (CheckpointError, lambda b: b.offer([*b.entries[:-2], b.entries[-1], b.heartbeat(), b.heartbeat()])),
    "an entry changed": (CheckpointError, lambda b: b.offer(_changed(b, 2))),
    "the last entry changed": (CheckpointError, lambda b: b.offer(_changed(b, len(b.entries) - 1))),
    "cut": (CheckpointError, lambda b: b.offer(b.entries[:-1])),
    "cut to nothing": (CheckpointError, lambda b: b.offer([])),
    "forked at this size": (CheckpointError, lambda b: b.offer([*b.entries[:-1], b.heartbeat()])),
    "other entries than signed": (
        CheckpointError,
        lambda b: b.offer([*b.entries, b.heartbeat()], [*b.entries, b.entries[-1]]),
    ),
    "fewer entries than signed": (CheckpointError, lambda b: b.offer([*b.entries, b.heartbeat()], b.entries)),
    "no entry at all": (EntryError, lambda b: b.offer([*b.entries, b"{}"])),
    "time gone back": (EntryError, lambda b: b.offer([*b.entries, b.heartbeat(1)])),
    "another log's signature": (NoteError, lambda b: b.offer([*b.entries, b.heartbeat()], signed=_other_key(b))),
    "no signature": (NoteError, lambda b: b.offer([*b.entries, b.heartbeat()], signed="x")),
    "the vault's signature alone": (NoteError, lambda b: b.offer(b.entries, signed=_vaults(b))),
    "a root signed wrong": (CheckpointError, lambda b: b.offer(b.entries, signed=_root(b, len(b.entries)))),
    "a root ahead signed wrong": (CheckpointError, lambda b: b.offer([*b.entries, b.heartbeat()], signed=_root(b, len(b.entries) + 1))),
    "a charter that was never in force": (EntryError, lambda b: b.offer([*b.entries, _under(b, os.urandom(32))])),
}  # fmt: skip


def _other_key(book: Book) -> str:
    signer = note.Signer(book.log.name, Ed25519PrivateKey.generate())
    return book.signed([*book.entries, book.heartbeat()], signer)


def _vaults(book: Book) -> str:
    text = note.parse_note(book.signed(book.entries)).text
    return f"{text}\n{book.houses.town.room.keys.cosigner.cosign(text, 0)}"


def _root(book: Book, size: int) -> str:
    text = checkpoint.Checkpoint(book.houses.town.keyholder.keys.origin, size, os.urandom(32)).marshal()
    return f"{text}\n{book.log.sign(text)}"


def _under(book: Book, charter: bytes) -> bytes:
    last = next(item for item in reversed(book.houses.entries()) if isinstance(item, entry.DisclosureEntry))
    return entry.encode(change(last, charter=charter))


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_ledger_that_did_not_only_grow(book: Book, name: str) -> None:
    mirror = book.houses.town.room.mirror
    before = (mirror.size, mirror.note, mirror.entries(0, mirror.size))
    kind, attack = REWRITTEN[name]
    with pytest.raises(kind) as caught:
        attack(book)
    assert type(caught.value) is kind
    assert (mirror.size, mirror.note, mirror.entries(0, mirror.size)) == before
    # And it goes on with the true one.
    book.offer([*book.entries, book.heartbeat()])
    assert mirror.size == before[0] + 1


def test_an_entry_dated_ahead_of_the_vaults_clock(book: Book) -> None:
    """A keyholder whose clock runs ahead would bring a pending charter into force; the vault's clock must agree."""
    town, mirror = book.houses.town, book.houses.town.room.mirror
    before, now = mirror.size, town.room.now()
    pending = _charter(book, delay=7200)
    book.offer([*book.entries, pending])
    book.entries.append(pending)
    book.entries.append(_charter(book, delay=0, effective=now + 7200))
    book.offer(book.entries)
    with pytest.raises(EntryError, match=rf"^entry {before + 2} is dated 7,200 s ahead of the vault's clock"):
        book.offer([*book.entries, book.heartbeat(now + 7200)])
    with pytest.raises(EntryError, match="is dated 151 s ahead"):
        book.offer([*book.entries, book.heartbeat(now + 10), book.heartbeat(now + 151)])
    assert mirror.size == before + 2
    assert town.room.rules().charter.delay == 7200
    book.offer([*book.entries, book.heartbeat(now + 150)])
    assert mirror.size == before + 3
    # Once its own clock says so too, the charter is in force.
    town.hands.wait(7200)
    book.entries.append(book.heartbeat(now + 150))
    book.offer([*book.entries, book.heartbeat(now + 7200)])
    assert mirror.in_force(mirror.time).charter.delay == 0


def test_what_is_cosigned_is_what_was_accepted(book: Book) -> None:
    mirror, keys = book.houses.town.room.mirror, book.houses.town.room.keys
    grown = [*book.entries, book.heartbeat()]
    book.offer(grown)
    signers = [note.verifier(book.log.vkey), note.verifier(keys.cosigner.vkey)]
    found, by = note.open_checkpoint(mirror.note, signers)
    assert found == checkpoint.parse(note.parse_note(book.signed(grown)).text)
    assert len(by) == 2
    assert mirror.note.endswith(mirror.cosignature)


def test_the_logs_own_line_is_kept_wherever_it_stands(book: Book) -> None:
    grown = [*book.entries, book.heartbeat()]
    text, _, line = book.signed(grown).partition("\n\n")
    stranger = note.Signature("someone", b"0000", b"x").marshal()
    book.offer(grown, signed=f"{text}\n\n{stranger}{line}")
    assert note.open_checkpoint(book.houses.town.room.mirror.note, [note.verifier(book.log.vkey)])


def test_an_older_checkpoint_that_was_overtaken_on_its_way_is_no_cut(book: Book) -> None:
    mirror = book.houses.town.room.mirror
    old, have = book.signed(book.entries), mirror.size
    book.offer([*book.entries, book.heartbeat()])
    assert mirror.accept(old, [], have, lambda _, __: []).size == have
    assert mirror.size == have + 1


def test_a_new_mirror_fetches_everything(houses: Houses, tmp_path: Path) -> None:
    for _ in range(3):
        houses.send(houses.good())
    room = houses.town.room
    room.sync()
    assert room.mirror.size == houses.town.keyholder.book.size
    assert room.mirror.entries(0, room.mirror.size) == houses.held().entries
    with pytest.raises(StoreError):
        room.mirror.entry(room.mirror.size)


# --- charters --------------------------------------------------------------------------------------------------------
def _charter(
    book: Book, effective: int = 0, time: int = 0, signer: Ed25519PrivateKey | None = None, **members: object
) -> bytes:
    last = book.houses.town.room.mirror.charters()[-1]
    steward = signer or ceremony.load_steward(book.houses.town.root / "steward" / "steward.key")
    whole: dict[str, object] = {"version": last.charter.version + 1, "previous": last.hash} | members
    new: Charter = change(last.charter, **whole)
    document = encode(new)
    now = time or entry.parse(book.entries[-1]).time
    return entry.encode(
        entry.CharterEntry(
            v=1,
            time=now,
            document=document.decode(),
            effective=effective or now,
            signature=charters.sign(document, steward),
            steward=steward.public_key().public_bytes_raw(),
        )
    )


CHARTERS: dict[str, Callable[[Book], bytes]] = {
    "signed by nobody known": lambda b: _charter(b, signer=Ed25519PrivateKey.generate()),
    "signature not its own": lambda b: entry.encode(change(entry.parse(_charter(b)), signature=bytes(64))),
    "a version skipped": lambda b: _charter(b, version=99),
    "on another charter": lambda b: _charter(b, previous=os.urandom(32)),
    "another room's": lambda b: _charter(b, room=os.urandom(16)),
    "another name": lambda b: _charter(b, name="rivertown.example"),
    "in effect before its entry": lambda b: _charter(b, effective=1),
    "no charter at all": lambda b: entry.encode(change(entry.parse(_charter(b)), document="{}")),
}


@pytest.mark.parametrize("name", CHARTERS)
def test_a_charter_that_breaks_the_chain_is_not_taken(book: Book, name: str) -> None:
    """Not taken, rather than taken and never in force: what the vault cosigns, it stands for."""
    mirror = book.houses.town.room.mirror
    before = mirror.size
    with pytest.raises(CheckpointError, match="charter in entry"):
        book.offer([*book.entries, CHARTERS[name](book)])
    assert mirror.size == before
    book.offer([*book.entries, _charter(book)])
    assert mirror.charters()[-1].index == before


def test_in_effect_before_the_delay_in_force(book: Book) -> None:
    mirror = book.houses.town.room.mirror
    now = entry.parse(book.entries[-1]).time
    book.entries.append(_charter(book, delay=1000))
    book.offer(book.entries)
    with pytest.raises(CheckpointError, match="before its public delay"):
        book.offer([*book.entries, _charter(book, effective=now + 999, delay=0)])
    book.offer([*book.entries, _charter(book, effective=now + 1000, delay=0)])
    assert mirror.in_force(now + 999).charter.delay == 1000
    assert mirror.in_force(now + 1000).charter.delay == 0


def test_another_first_charter(houses: Houses) -> None:
    mirror = houses.town.room.mirror
    mirror._charters.clear()
    mirror._genesis = bytes(32)
    with pytest.raises(CheckpointError, match="not the one this room was founded with"):
        mirror.charters()


# --- several at once -------------------------------------------------------------------------------------------------
def test_several_rooms_on_one_vault(houses: Houses) -> None:
    """Each asks with what the mirror holds then, and another may bring it on before the answer is there."""
    lock, failed = threading.Lock(), []
    keyholder = houses.town.keyholder
    keyholder.store.db.close()
    opened = houses.town._keyholder

    def work() -> None:
        def transport(path: str, signature: bytes, body: bytes) -> bytes:
            with lock:
                own = opened()
                try:
                    return encode(own.ask(path, signature, body))
                finally:
                    own.store.close()

        try:
            room = Room(houses.town.root / "vault", transport=transport, clock=houses.town.hands.wall)
            for _ in range(8):
                room.sync()
                with lock:
                    own = opened()
                    own.set_time(own.now())
                    with own.writing():
                        own.book.stage(entry.HeartbeatEntry(v=1, time=own.now()))
                    own.store.close()
                room.publish()
            room.close()
        except Exception as error:  # noqa: BLE001 - shown in the main thread
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    houses.town.keyholder = opened()
    assert failed == []
    houses.town.room.sync()
    assert houses.town.room.mirror.size == houses.town.keyholder.book.size
    assert houses.town.room.store.problems() == []
