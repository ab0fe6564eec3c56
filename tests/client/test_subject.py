"""Every read of me: complete, or the gap shows, whatever the keyholder and the published files say (SPEC.md 8.7)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests import world
from tests.client.somebody import Subject, say, verifiers
from tests.houses import Houses, change
from tests.world import World

from strongroom.catalog import fields
from strongroom.client import subject
from strongroom.errors import CheckpointError, LedgerError, NoteError, SealError, TileError
from strongroom.keyholder import protocol
from strongroom.keyholder.client import Client
from strongroom.ledger import checkpoint, note, tag
from strongroom.ledger.cosignature import Cosigner
from strongroom.seal import hpke


def _read(houses: Houses, count: int, at: int = 0) -> None:
    for _ in range(count):
        houses.town.disclose([houses.people[at].handle])


def test_complete_none_and_some(houses: Houses) -> None:
    me = Subject(houses)
    view = me.verify(me.ask())
    assert view.complete
    assert [(one.count, one.reads) for one in view.chains] == [(0, ())]
    _read(houses, 7)
    _read(houses, 2, at=1)
    view = me.verify(me.ask())
    (chain,) = view.chains
    assert view.complete
    assert (chain.count, [one.n for one in chain.reads]) == (7, [1, 2, 3, 4, 5, 6, 7])
    assert view.checkpoint.size == houses.town.keyholder.book.size


def test_two_devices_and_two_chains_of_one_person(houses: Houses) -> None:
    first, second = Subject(houses), Subject(houses)
    second.enrol("phone")
    _read(houses, 1)
    phone = houses.people[0].values["phone"] or ""
    houses.town.find("phone", phone)
    houses.town.find("phone", phone)
    assert [(one.kind, one.count) for one in first.verify(first.ask()).chains] == [("resident-id", 1)]
    view = second.verify(second.ask())
    assert [(one.kind, one.count) for one in view.chains] == [("phone", 2), ("resident-id", 1)]
    assert view.complete


def test_a_find_that_missed_is_on_the_chain_of_whom_it_was_for(houses: Houses) -> None:
    """Somebody asked for a number that is in no record; whoever has it can see that."""
    missing = Subject(houses)
    declared = houses.town.room.rules().charter.holdings["residents"].fields["phone"]
    number = fields.parse(declared, "13900000001") or ""
    missing.person = change_phone(missing, number)
    missing.enrol("phone")
    assert houses.town.find("phone", number).handles == ()
    assert {one.kind: one.count for one in missing.verify(missing.ask()).chains}["phone"] == 1


def change_phone(me: Subject, number: str) -> Any:
    return type(me.person)(me.person.handle, me.person.values | {"phone": number})


def test_a_count_too_low_shows(houses: Houses) -> None:
    me = Subject(houses)
    _read(houses, 5)
    said = me.ask()
    view = me.verify(say(houses, said, [change(said.chains[0], count=3)]))
    assert not view.complete
    assert view.chains[0].beyond == (4, 5)


def test_a_count_too_high_shows(houses: Houses) -> None:
    me = Subject(houses)
    _read(houses, 2)
    said = me.ask()
    view = me.verify(say(houses, said, [change(said.chains[0], count=4)]))
    assert not view.complete
    assert view.chains[0].missing == (3, 4)


def test_a_number_left_out_shows(houses: Houses) -> None:
    """The keyholder counted a read and wrote another tag for it."""
    me, keyholder = Subject(houses), houses.town.keyholder
    _read(houses, 1)
    keyholder.store.db.execute("UPDATE chains SET count = count + 1")
    _read(houses, 1)
    view = me.verify(me.ask())
    assert (view.complete, view.chains[0].missing) == (False, (2,))
    keyholder.store.db.execute("UPDATE chains SET count = 0")
    _restore(houses)


def test_a_number_given_twice_shows(houses: Houses) -> None:
    """One number for two reads: the count and every tag would be right, and one read hidden behind the other."""
    me, keyholder = Subject(houses), houses.town.keyholder
    _read(houses, 2)
    keyholder.store.db.execute("UPDATE chains SET count = count - 1")
    _read(houses, 1)
    view = me.verify(me.ask())
    assert not view.complete
    assert view.chains[0].repeated == (2,)
    assert [one.n for one in view.chains[0].reads] == [1, 2, 2]
    _restore(houses)


def _restore(houses: Houses) -> None:
    """A keyholder that lied is no book to check after the test."""
    houses.check = lambda: None  # type: ignore[method-assign]


def test_an_old_statement_hides_nothing(houses: Houses) -> None:
    """Its count is true at its size; what has come since is shown all the same."""
    me = Subject(houses)
    _read(houses, 2)
    old = me.ask()
    _read(houses, 2)
    houses.town.keyholder.publish(houses.town.room.now())
    view = me.verify(old)
    assert view.complete
    assert [one.n for one in view.chains[0].reads] == [1, 2, 3, 4]


# --- what the vault has confirmed ------------------------------------------------------------------------------------------
def test_reads_that_the_vault_has_not_confirmed_yet_are_shown_as_such(houses: Houses) -> None:
    """Its cosignature of a read comes with its next request, or at the end of a command: until then nobody has vouched for it."""
    me, town = Subject(houses), houses.town
    _read(houses, 2)
    view = me.verify(me.ask())
    assert view.complete
    assert [read.confirmed for read in view.chains[0].reads] == [True, False]
    assert view.confirmed.size == view.checkpoint.size - 1
    town.room.cosign()
    view = me.verify(me.ask())
    assert [read.confirmed for read in view.chains[0].reads] == [True, True]
    assert view.confirmed.checkpoint == view.checkpoint
    assert (view.overdue, view.behind) == (False, False)


@pytest.fixture
def fork(houses: Houses, tmp_path: Path) -> Iterator[World]:
    """The same room, in which everything after the first read of me came otherwise: what a false keyholder could show me alone."""
    me = Subject(houses)
    _read(houses, 1)
    houses.town.room.publish()
    other = world.copy(houses.town.root, tmp_path / "fork")
    other.me = me  # type: ignore[attr-defined]
    _read(houses, 3)
    houses.town.room.publish()
    other.disclose([houses.people[1].handle])
    for _ in range(4):
        other.disclose([houses.people[2].handle])
    other.keyholder.publish(other.room.now())
    yield other
    other.close()


def _shown(houses: Houses, fork: World, cosigned: Callable[[], bytes]) -> subject.View:
    me: Subject = fork.me  # type: ignore[attr-defined]

    def fetch(path: str) -> bytes:
        return cosigned() if path == "cosigned" else (fork.root / "public" / path).read_bytes()

    client = Client(fork.transport, me.device.key, fork.room.keys.room)
    said = subject.ask_reads(client, me.device, fork.room.keys.room, fork.room.now(), os.urandom)
    return me.verify(said, fetch, fork.room.now())


def _gone() -> bytes:
    raise FileNotFoundError


def test_a_fork_shown_to_me_alone(houses: Houses, fork: World, tmp_path: Path) -> None:
    """Two reads of me are not in it, and its count is right: only that the vault has cosigned another ledger gives it away."""
    true = houses.town.root / "public" / "cosigned"
    with pytest.raises(CheckpointError, match="FORKED: the vault has confirmed another ledger"):
        _shown(houses, fork, true.read_bytes)
    with pytest.raises(CheckpointError, match="cosigned: missing"):
        _shown(houses, fork, _gone)
    text = note.parse_note((fork.root / "public" / "checkpoint").read_text()).text
    own = Cosigner(houses.town.room.keys.cosigner.name, Ed25519PrivateKey.generate())
    for line in ("", own.cosign(text, 1), fork.keyholder.keys.ml_dsa.cosign(text, 1)):
        (tmp_path / "forged").write_text(f"{text}\n{fork.keyholder.keys.log.sign(text)}{line}")
        with pytest.raises(NoteError, match="cosigned: the vault's cosignature is not under it"):
            _shown(houses, fork, (tmp_path / "forged").read_bytes)
    # With the vault's help there is no telling: the limit of the design.
    fork.room.publish()
    view = _shown(houses, fork, (fork.root / "public" / "cosigned").read_bytes)
    assert (view.complete, view.chains[0].count) == (True, 1)


def test_a_fork_after_the_vaults_word_is_shown_as_unconfirmed(houses: Houses, fork: World) -> None:
    """The word from before the fork still fits it: what came since is not the vault's, and when it is long ago this is said."""
    me, keyholder = fork.me, houses.town.keyholder  # type: ignore[attr-defined]
    before = keyholder.book.size - 3
    text = checkpoint.Checkpoint(keyholder.keys.origin, before, keyholder.book.root(before)).marshal()
    line = houses.town.room.keys.cosigner.cosign(text, 1)
    vouched = f"{text}\n{keyholder.keys.log.sign(text)}{line}".encode()
    view = _shown(houses, fork, lambda: vouched)
    assert (view.confirmed.size, view.behind) == (before, False)
    for _ in range(3):
        fork.hands.wait(3600)
        fork.keyholder.tick()
    view = _shown(houses, fork, lambda: vouched)
    assert (view.behind, view.overdue, view.complete) == (True, False, True)
    fork.disclose([me.person.handle])
    assert [read.confirmed for read in _shown(houses, fork, lambda: vouched).chains[0].reads] == [True, False]


def test_an_old_copy_of_the_files_beside_a_newer_word(houses: Houses) -> None:
    me = Subject(houses)
    _read(houses, 1)
    houses.town.room.publish()
    kept = {str(path): path.read_bytes() for path in (houses.town.root / "public").rglob("*") if path.is_file()}
    said = me.ask()
    _read(houses, 1)
    houses.town.room.publish()

    def stale(path: str) -> bytes:
        place = houses.town.root / "public" / path
        return place.read_bytes() if path == "cosigned" else kept[str(place)]

    with pytest.raises(CheckpointError, match="was cut, or is an old copy"):
        me.verify(said, stale)


def test_a_statement_of_another_time(houses: Houses) -> None:
    me = Subject(houses)
    _read(houses, 1)
    houses.town.room.publish()
    said, now = me.ask(), houses.town.room.now()
    for apart in (-120, 0, 120):
        assert me.verify(said, now=now + apart).complete
    for apart in (-121, 121, 10**9):
        with pytest.raises(NoteError, match="of another time"):
            me.verify(said, now=now + apart)


def test_a_silent_ledger_is_not_complete(houses: Houses) -> None:
    """Nothing is missing from it; but its keyholder stands still, or shows us no more of it."""
    me, town = Subject(houses), houses.town
    _read(houses, 1)
    town.room.publish()
    for seconds, overdue in ((7200, False), (1, True)):
        town.hands.wait(seconds)
        view = me.verify(me.ask())
        assert (view.overdue, view.complete) == (overdue, not overdue)
        assert view.chains[0].complete
    town.keyholder.tick()
    assert me.verify(me.ask()).complete


ABSURD: dict[str, tuple[type[LedgerError], Callable[[Houses, protocol.ReadsInner], Any]]] = {
    "forged": (NoteError, lambda _, said: change(said, signature=bytes(64))),
    "chains not as stated": (NoteError, lambda _, said: change(said, chains=[change(said.chains[0], count=0)])),
    "another key": (NoteError, lambda _, said: change(said, chains=[change(said.chains[0], key=os.urandom(32))])),
    "no chain": (NoteError, lambda h, said: say(h, said, [])),
    "a chain twice": (NoteError, lambda h, said: say(h, said, said.chains * 2)),
    "a count without end": (
        NoteError,
        lambda h, said: say(h, said, [change(said.chains[0], count=2**53 - 1)]),
    ),
    "another device": (NoteError, lambda h, said: say(h, said, said.chains, device=bytes(32))),
    "another room": (NoteError, lambda h, said: say(h, said, said.chains, room=bytes(16))),
    "another size": (CheckpointError, lambda h, said: say(h, said, said.chains, size=1)),
    "another root": (CheckpointError, lambda h, said: say(h, said, said.chains, root=bytes(32))),
    "no checkpoint of the log's": (NoteError, lambda h, said: change(said, checkpoint=_unsigned(said))),
}


def _unsigned(said: protocol.ReadsInner) -> str:
    parsed = note.parse_note(said.checkpoint)
    return note.marshal(note.Note(parsed.text, (note.Signature("x", b"0000", b"0"),)))


@pytest.mark.parametrize("name", ABSURD)
def test_what_the_keyholder_cannotsay(houses: Houses, name: str) -> None:
    me = Subject(houses)
    _read(houses, 3)
    kind, attack = ABSURD[name]
    with pytest.raises(kind):
        me.verify(attack(houses, me.ask()))


def test_an_entry_withheld_from_the_published_files_shows(houses: Houses) -> None:
    me = Subject(houses)
    _read(houses, 3)
    said = me.ask()
    public = houses.town.root / "public"
    for path in [*public.glob("tile/entries/000*"), *public.glob("tile/entries/000.p/*")]:
        if path.is_file():
            whole = path.read_bytes()
            path.write_bytes(whole[:-200])
    with pytest.raises(TileError):
        me.verify(said)


def test_a_shorter_ledger_beside_a_good_statement(houses: Houses) -> None:
    me = Subject(houses)
    _read(houses, 1)
    houses.town.keyholder.publish(houses.town.room.now())
    kept = {str(path): path.read_bytes() for path in (houses.town.root / "public").rglob("*") if path.is_file()}
    _read(houses, 1)
    said = me.ask()

    def stale(path: str) -> bytes:
        return kept[str(houses.town.root / "public" / path)]

    with pytest.raises(CheckpointError, match="published ledger ends at"):
        me.verify(said, stale)


def test_another_rooms_ledger(houses: Houses) -> None:
    me = Subject(houses)
    said, town = me.ask(), houses.town
    with pytest.raises(CheckpointError, match="first charter"):
        subject.verify_reads(
            said, me.device, town.room.keys.room, bytes(32), me.fetch, verifiers(houses), town.room.now()
        )


def test_a_person_left_out_shows(houses: Houses) -> None:
    """Enrolled by two identifiers, told of one: whatever was read by the other would be hidden."""
    me = Subject(houses)
    me.enrol("phone")
    said = me.ask()
    assert me.verify(said).complete
    for chain in said.chains:
        with pytest.raises(NoteError, match=f"residents by {chain.kind}"):
            me.verify(say(houses, said, [one for one in said.chains if one != chain]))


def test_another_persons_chain_is_not_this_ones(houses: Houses) -> None:
    me = Subject(houses)
    other = Subject(houses, who=houses.people[1].values)
    with pytest.raises(NoteError, match="residents by resident-id"):
        me.verify(say(houses, me.ask(), other.ask().chains))


def test_an_answer_for_another_request_does_not_open(houses: Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    me = Subject(houses)
    real = hpke.decrypt
    monkeypatch.setattr(hpke, "decrypt", lambda key, info, sealed: real(key, info + b"x", sealed))
    with pytest.raises(SealError, match="not sealed to this request"):
        me.ask()


def test_a_chain_key_is_of_one_chain(houses: Houses) -> None:
    """Who has followed one chain knows nothing of another, of the same person either."""
    me = Subject(houses)
    me.enrol("phone")
    _read(houses, 1)
    keys = [chain.key for chain in me.ask().chains]
    assert len(set(keys)) == 2
    assert not set(tag.tags(keys[0], 1, 50)) & set(tag.tags(keys[1], 1, 50))
