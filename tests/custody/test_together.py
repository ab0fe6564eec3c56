"""Reads of several in one request, against a keyholder that lies in every way: nothing is opened, and no error is another's (SPEC.md 8.11)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.houses import FRESH, Houses

from strongroom.canonical import encode
from strongroom.client.device import SignedAsk
from strongroom.custody import check, opening, read, together
from strongroom.custody.together import Asking, Done, Group
from strongroom.errors import (
    CheckpointError,
    EntryError,
    FormatError,
    InputError,
    NoteError,
    ProofError,
    Refused,
    SealError,
    StrongroomError,
)
from strongroom.keyholder import protocol
from strongroom.ledger import checkpoint, entry, note, proof, tree
from strongroom.seal import series


def _askings(houses: Houses, asked: Sequence[SignedAsk]) -> list[Asking[Any]]:
    return [Asking(read.disclosing(houses.town.room, one)) for one in asked]


def _through(houses: Houses, askings: Sequence[Asking[Any]], lie: Callable[[Said], None] | None = None) -> None:
    """One group of them, answered, and gone on with."""
    group = Group(houses.town.room, [one for one in askings if one.said is not None])
    answer = houses.town.room.client.send(together.PATH, group.body)
    if lie is not None:
        said = Said(houses, group, answer)
        lie(said)
        answer = said.marshal()
    for one, settled in zip(group.askings, group.settle(answer), strict=True):
        one.go(settled)


class Said:
    """An answer of the keyholder's, to be told otherwise."""

    def __init__(self, houses: Houses, group: Group, answer: bytes) -> None:
        self.keyholder, self.body = houses.town.keyholder, group.body
        self.fresh = protocol.REQUESTS[together.PATH].parse(self.body).fresh  # type: ignore[attr-defined]
        honest = protocol.given_together.parse(answer)
        self.checkpoint, self.entries = honest.checkpoint, list(honest.entries)
        self.info = protocol.series_info(self.keyholder.room)
        self.about = protocol.group_about(self.keyholder.room, hashlib.sha256(self.body).digest())
        opened = series.open_one(group._seed, self.info, self.about, honest.sealed)
        self.answers: list[Any] = protocol.part_answers.parse(opened).answers
        self.inner = b""

    def marshal(self) -> bytes:
        inner = self.inner or encode(protocol.PartAnswers(answers=self.answers))
        sealed = series.SeriesSealer(self.fresh, self.info, os.urandom).seal(self.about, inner)
        return encode(protocol.GivenTogether(checkpoint=self.checkpoint, entries=self.entries, sealed=sealed))

    def resign(self, log: note.Signer | None = None, **members: Any) -> None:
        at = checkpoint.parse(note.parse_note(self.checkpoint).text)
        text = checkpoint.Checkpoint(at.origin, members.get("size", at.size), members.get("root", at.root)).marshal()
        self.checkpoint = f"{text}\n{(log or self.keyholder.keys.log).sign(text)}"

    def change(self, **members: Any) -> None:
        self.answers[0] = type(self.answers[0])(**{
            name: members.get(name, getattr(self.answers[0], name)) for name in self.answers[0].__struct_fields__
        })  # fmt: skip


def _set(**members: Any) -> Callable[[Said], None]:
    return lambda said: said.__dict__.update(members)


WHOLE: dict[str, tuple[type[StrongroomError], Callable[[Said], None]]] = {
    "no inner answer": (FormatError, _set(inner=b"{}")),
    "an answer too few": (FormatError, lambda said: said.answers.pop()),
    "an answer too many": (FormatError, lambda said: said.answers.append(said.answers[0])),
    "sealed to another key": (SealError, _set(fresh=FRESH.public)),
    "for another request": (SealError, _set(about=b"x")),
    "for another purpose": (SealError, _set(info=b"x")),
    "signed by another key": (
        NoteError,
        lambda said: said.resign(note.Signer("riverton.example/ledger", Ed25519PrivateKey.generate())),
    ),
    "another root": (CheckpointError, lambda said: said.resign(root=os.urandom(32))),
    "cut": (CheckpointError, lambda said: said.resign(size=1, root=tree.EMPTY_ROOT)),
    "another entry instead": (
        CheckpointError,
        lambda said: said.entries.__setitem__(
            0, entry.encode(entry.HeartbeatEntry(v=1, time=said.keyholder.book.time)).decode()
        ),
    ),
    "entries that are none": (EntryError, lambda said: said.entries.__setitem__(0, "{}")),
}

ONE: dict[str, tuple[type[StrongroomError], Callable[[Said], None]]] = {
    "another's entry": (EntryError, lambda said: said.change(index=said.answers[1].index)),
    "the first entry": (EntryError, lambda said: said.change(index=0)),
    "an index outside": (ProofError, lambda said: said.change(index=10**6)),
    "no share": (FormatError, lambda said: said.change(shares=b"")),
    "half a share": (FormatError, lambda said: said.change(shares=bytes(16))),
    "another's share": (SealError, lambda said: said.change(shares=said.answers[1].shares)),
    "a token": (FormatError, lambda said: said.answers.__setitem__(0, protocol.GivenToken(index=3, token=bytes(16)))),
    "nothing": (FormatError, lambda said: said.answers.__setitem__(0, protocol.Entered(index=3))),
    "a refusal": (
        Refused,
        lambda said: said.answers.__setitem__(0, protocol.NotGiven(code="frozen", detail="x", after=None, index=None)),
    ),
    "a refusal in an entry that is none": (
        EntryError,
        lambda said: said.answers.__setitem__(0, protocol.NotGiven(code="frozen", detail="x", after=None, index=0)),
    ),
    "a refusal outside": (
        ProofError,
        lambda said: said.answers.__setitem__(0, protocol.NotGiven(code="frozen", detail="x", after=None, index=10**6)),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_is_opened_on_a_false_answer(houses: Houses, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error, lie = WHOLE[name]
    monkeypatch.setattr(opening, "open_column", lambda *_: pytest.fail("opened"))
    askings = _askings(houses, [houses.ask(1), houses.ask(2)])
    with pytest.raises(error):
        _through(houses, askings, lie)


@pytest.mark.parametrize("name", ONE)
def test_a_false_answer_to_one_is_that_ones_error(houses: Houses, name: str) -> None:
    error, lie = ONE[name]
    second = houses.town.ask(houses.handles[1:2])
    askings = _askings(houses, [houses.ask(1), second])
    _through(houses, askings, lie)
    assert isinstance(askings[0].ended, error)
    assert isinstance(askings[1].ended, Done)


def test_what_is_read_together_is_what_is_read_alone(houses: Houses) -> None:
    room, now = houses.town.room, houses.town.room.now()
    question = houses.town.asker().check(
        "residents", "verify", houses.handles[:2], "born", "adult", None, "case-17", "issuing a card of residence", now
    )
    phone = houses.people[3].values["phone"]
    assert phone is not None
    looked_for = houses.town.asker().find(
        "residents", "confirm", "phone", phone, "case-17", "a citizen stands at the counter", now
    )
    askings: list[Asking[Any]] = [
        *_askings(houses, [houses.ask(3)]),
        Asking(check.checking(room, question)),
        Asking(read.finding(room, looked_for)),
    ]
    _through(houses, askings)
    shown, checked, found = [one.ended.value for one in askings if isinstance(one.ended, Done)]
    alone = houses.town.disclose(houses.handles[:3])
    assert shown.values == alone.values
    assert checked.answers == (True, True) or None not in checked.answers
    assert found.handles == (houses.people[3].handle,)
    for one, kind in ((shown, entry.DisclosureEntry), (checked, entry.CheckEntry), (found, entry.FindEntry)):
        written = room.mirror.entry(one.index)
        assert isinstance(entry.parse(written), kind)
        proof.verify(proof.parse(one.receipt), written, [note.verifier(room.anchors.log)])


def test_what_the_gate_refuses_goes_with_the_others_and_is_an_entry(houses: Houses) -> None:
    room = houses.town.room
    blank = houses.town.asker().disclose("residents", "confirm", houses.handles[:1], ["name"], "c", "test", room.now())
    missing = houses.town.ask([bytes(16)])
    askings = _askings(houses, [houses.ask(1), blank, missing])
    assert [one.said is None for one in askings] == [False, False, True]
    assert isinstance(askings[2].ended, InputError)
    _through(houses, askings)
    assert isinstance(askings[0].ended, Done)
    refused = askings[1].ended
    assert isinstance(refused, Refused)
    assert refused.entry is not None
    item = entry.parse(room.mirror.entry(refused.entry))
    assert isinstance(item, entry.RefusalEntry)
    assert (item.code, item.by) == ("reason", "vault")
    # Its reason is kept for the auditor all the same.
    assert room.store.private(item.commitment) is not None


def test_a_refusal_by_the_gate_is_believed_only_of_its_own_entry(houses: Houses) -> None:
    """Else a keyholder could leave refusals out of its book, and the vault would name any entry in their place."""
    blank = houses.town.asker().disclose(
        "residents", "confirm", houses.handles[:1], ["name"], "c", "test", houses.town.room.now()
    )
    (told,) = _askings(houses, [blank])
    _through(houses, [told], lambda said: said.change(index=0))
    assert isinstance(told.ended, EntryError)
    (told,) = _askings(houses, [blank])  # the identical one is answered again
    _through(houses, [told])
    assert isinstance(told.ended, Refused)


def test_a_mirror_that_another_process_brought_on_meanwhile(houses: Houses) -> None:
    """Its memory of the right edge is of another size then, and begins anew."""
    other = houses.town.open_room()
    try:
        for _ in range(3):
            askings = _askings(houses, [houses.ask(1), houses.ask(2)])
            group = Group(houses.town.room, askings)
            answer = houses.town.room.client.send(together.PATH, group.body)
            read.disclose(other, houses.town.ask(houses.handles[:1]))
            for one, settled in zip(askings, group.settle(answer), strict=True):
                one.go(settled)
                assert isinstance(one.ended, Done)
        assert other.mirror.head() == houses.town.room.mirror.head()
        assert other.mirror.size == houses.town.keyholder.book.size
    finally:
        other.close()


def test_a_mirror_that_was_rolled_back_is_forgotten(houses: Houses) -> None:
    room = houses.town.room
    askings = _askings(houses, [houses.ask(1)])
    group = Group(room, askings)
    answer = room.client.send(together.PATH, group.body)
    before = room.mirror.head()

    class FullError(Exception):
        pass

    with suppress(FullError), room.store.together():
        group.settle(answer)
        raise FullError
    room.mirror.forget()
    assert room.mirror.head() == before
    (settled,) = group.settle(answer)
    askings[0].go(settled)
    assert isinstance(askings[0].ended, Done)
    assert room.mirror.size == houses.town.keyholder.book.size


def test_once_a_second_the_cosignature_goes_along_and_another_key_is_drawn(houses: Houses) -> None:
    room = houses.town.room
    said = []
    for wait in (0, 0, 1):
        houses.town.hands.wait(wait)
        askings = _askings(houses, [houses.ask(1)])
        group = Group(room, askings)
        (settled,) = group.settle(room.client.send(together.PATH, group.body))
        askings[0].go(settled)
        assert isinstance(askings[0].ended, Done)
        said.append(protocol.REQUESTS[together.PATH].parse(group.body))
    first, second, third = said
    assert isinstance(first, protocol.Together)
    assert isinstance(second, protocol.Together)
    assert isinstance(third, protocol.Together)
    assert (bool(first.cosignature), second.cosignature) == (True, "")
    assert bool(third.cosignature)
    assert first.fresh == second.fresh != third.fresh
